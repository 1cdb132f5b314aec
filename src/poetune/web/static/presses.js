// Keys and buttons, one after the other: what is pressed while a decision is on its way waits its turn.

const waiting = [];
let busy = false;

/** Do `act(key)` for each press in order, each after the one before has ended. */
export function presses(act) {
  return async function press(key) {
    waiting.push(key);
    if (busy) return;
    busy = true;
    try {
      while (waiting.length) await act(waiting.shift());
    } finally {
      busy = false;
    }
  };
}

/** Forget what waits: after a fault, or when a text box opens. */
export function forget() {
  waiting.length = 0;
}

/** The key of an event as the page names it, by its letter, or by its place where the layout or an IME has no letter. */
export function keyOf(event) {
  if (/^[a-z1-5? ]$/i.test(event.key)) return event.key.toLowerCase();
  if (event.key.length > 1 && event.key !== "Process") return "";
  const place = /^(?:Key([A-Z])|Digit([1-5]))$/.exec(event.code);
  return place ? (place[1] ?? place[2]).toLowerCase() : event.key === "？" ? "?" : event.code === "Space" ? " " : "";
}

/** Whether the event belongs to a text box. */
export function inText(event) {
  return event.isComposing || event.target.closest?.("input, textarea, select, [contenteditable]") != null;
}
