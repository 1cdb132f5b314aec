// Scores on a rubric's criteria: 1 to 5 gives one and goes on to the next; Esc or the last one goes back to the poem.

const form = document.getElementById("grades");
const rows = form ? [...form.querySelectorAll("fieldset")] : [];
let leave = () => {};

/** Call `changed(scores)` when one is given, `left()` when the reader is done. */
export function start(changed, left) {
  leave = left;
  form?.addEventListener("change", () => changed(scores()));
  form?.addEventListener("submit", (event) => event.preventDefault());
  form?.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows.indexOf(event.target.closest("fieldset"));
    if (event.key === "Escape" || event.key === "Enter") leave();
    else if (/^[1-5]$/.test(event.key) && row >= 0 && !event.repeat) {
      rows[row].querySelectorAll("input")[event.key - 1].checked = true;
      changed(scores());
      if (rows[row + 1]) focus(rows[row + 1]);
      else leave();
    } else return;
    event.preventDefault();
  });
}

/** Put the focus on the first criterion without a score. */
export function enter() {
  if (rows.length) focus(rows.find((row) => !row.querySelector(":checked")) ?? rows[0]);
}

/** Show the scores that a poem has. */
export function show(given) {
  for (const input of form?.querySelectorAll("input") ?? []) input.checked = given[input.dataset.criterion] === Number(input.value);
}

function scores() {
  return Object.fromEntries([...form.querySelectorAll(":checked")].map((i) => [i.dataset.criterion, Number(i.value)]));
}

function focus(row) {
  (row.querySelector(":checked") ?? row.querySelector("input")).focus();
}
