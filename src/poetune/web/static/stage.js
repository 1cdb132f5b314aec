// What the pages for deciding share: keys and buttons in turn, acts that count once, and what is told of them.

import { onTurn } from "./frame.js";
import { forget, inText, keyOf, presses } from "./presses.js";
import { ask, token } from "./wire.js";
import { word } from "./words.js";

export const at = (id) => document.getElementById(id);
const single = at("single");

/** Ask the server; null where it refused, which is told. */
export async function get(path) {
  const { ok, data } = await ask(path, null, lost);
  if (ok) trouble("");
  return ok ? data : fail(data.error);
}

/** Send something that is kept nowhere; null where it was refused. */
export async function put(path, body) {
  const { ok, data } = await ask(path, body, lost);
  return ok ? data : fail(data.error);
}

/** Send an act. Its answer is what holds now, also where another window was first; null where it was refused. */
export async function act(path, body) {
  const { ok, status, data } = await ask(path, { token: token(), ...body }, lost);
  if (!ok && status !== 409) return fail(data.error);
  trouble(ok ? "" : (word(data.status) ?? data.error));
  return { ...data, ok };
}

/** A sentence above the poem; "" takes it away. */
export function trouble(sentence) {
  at("trouble").hidden = !sentence;
  if (at("trouble").textContent !== sentence) at("trouble").textContent = sentence;
}

function lost(gone) {
  trouble(gone ? word("offline") : "");
}

function fail(sentence) {
  forget();
  trouble(sentence);
  return null;
}

/** Tell a screen reader; with `seen`, also at the foot of the page. */
export function say(parts, seen = false) {
  at("said").textContent = parts.filter(Boolean).join(". ");
  if (!seen) return;
  at("last").className = "";
  at("last").replaceChildren(parts.join(" "));
}

/** How far the reader is. `place` stands for the count where one is given. */
export function where(progress, open, place, more = []) {
  const read = progress.decided + progress.skipped;
  at("bar").value = progress.decided / progress.total;
  at("count").textContent = open ? (place ?? word("count", Math.min(read + 1, progress.total), progress.total)) : "";
  const pace = progress.seconds_left === null ? [] : [word("left", Math.round(progress.seconds_left / 60))];
  at("pace").textContent = open ? [...more, ...pace].join(" · ") : "";
  document.title = open ? `${read + 1}/${progress.total} · poetune` : "poetune";
  document.body.classList.toggle("finished", !open);
  at("done").hidden = open;
  at("done-skipped").hidden = !progress.skipped;
  at("done-skipped").querySelector("span").textContent = word("again", progress.skipped);
}

/** Keys and buttons call `act(key)` one after the other; `ready()` is whether keys count now. Returns `press`. */
export function play(act, ready, render, names = {}) {
  const press = presses(async (key) => (typeof key === "function" ? key() : key === "?" ? help() : act(key, () => glow(key))));
  document.addEventListener("keydown", (event) => {
    if (inText(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = names[event.key] ?? keyOf(event);
    if (at("help").open) return key === "?" && !event.repeat ? at("help").close() : undefined;
    if (!single.checked || !document.querySelector(`[data-key="${key}"]`)) return;
    if (key === " " && event.target.closest("button, a, summary")) return; // the button's own key
    event.preventDefault();
    if (!event.repeat && ready()) press(key);
  });
  for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => press(button.dataset.key));
  onTurn(render);
  return press;
}

function glow(key) {
  const button = document.querySelector(`footer [data-key="${key}"]`);
  button?.classList.add("pressed");
  setTimeout(() => button?.classList.remove("pressed"), 160);
}

function help() {
  at("help").showModal();
  at("help").focus();
}

at("help").addEventListener("click", (event) => event.target === at("help") && at("help").close());
at("help").addEventListener("close", () => document.querySelector("main > [tabindex]:not([hidden])")?.focus({ preventScroll: true }));
single.checked = localStorage.getItem("single") !== "off";
single.addEventListener("change", () => localStorage.setItem("single", single.checked ? "on" : "off"));
