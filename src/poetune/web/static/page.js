// The review page: what is shown, and what a key does. The next poem comes with the answer to a decision, and the
// server answers once the decision is on disk.

import * as editor from "./editor.js";
import * as poems from "./poem.js";
import { forget, inText, keyOf, presses } from "./presses.js";
import { ask, token } from "./wire.js";
import { label, turn, word } from "./words.js";

const at = (id) => document.getElementById(id);
const NONE = { title: null, body: null, note: "" };
let view = null;
let edits = NONE;
let changes = null;
let again = false;

const press = presses(async (key) => {
  if (typeof key === "function") return key();
  if ((view === null && key !== "?") || !at("editor").hidden) return;
  if (key === "?") return help();
  glow(key);
  if (key === "u") return post("/api/undo", {}, word("undone"));
  if (view.poem === null) return key === " " && view.progress.skipped ? next(true) : undefined;
  if (key in ACTIONS) {
    const action = ACTIONS[key];
    return post("/api/decide", { item: view.poem.item, action, ...edits }, word("did")[action]);
  }
  if (key in FIELDS) return edit(FIELDS[key]);
  if (key === "o") return restore();
});
const ACTIONS = { a: "accept", x: "reject", " ": "skip" };
const FIELDS = { e: "body", t: "title", n: "note" };

async function next(skipped) {
  again = skipped;
  const { ok, data } = await ask(`/api/next?again=${again}`, null, lost);
  if (ok) await take(data, "");
  else fail(data.error);
}

async function post(path, body, said) {
  const candidate = view.poem?.item;
  const { ok, status, data } = await ask(path, { token: token(), again, ...body }, lost);
  if (!ok && status !== 409) return fail(data.error);
  trouble(ok ? "" : (word(data.status) ?? data.error));
  if (candidate && (ok || data.status === "taken")) sessionStorage.removeItem(candidate);
  await take(data, ok ? said : "");
}

/** Show what an answer holds. */
async function take(data, said) {
  view = data;
  const poem = view.poem;
  edits = poem ? (kept(poem.item) ?? poem.draft ?? NONE) : NONE;
  await compare();
  render();
  if (poem) poems.enter();
  else at("done").focus();
  say([said, at("count").textContent, poem ? at("title").textContent : at("done-title").textContent]);
}

/** Ask what the edit of the body changes, so that the difference can be shown. */
async function compare() {
  changes = null;
  if (edits.body === null) return;
  const { ok, data } = await ask("/api/changes", { item: view.poem.item, body: edits.body }, lost);
  if (ok) changes = data;
  else fail(data.error);
}

function render() {
  const { poem, progress, last } = view;
  const read = progress.accepted + progress.rejected + progress.skipped;
  at("poem").hidden = poem === null;
  at("done").hidden = poem !== null;
  document.body.classList.toggle("finished", poem === null);
  at("bar").value = (progress.accepted + progress.rejected) / progress.total;
  const place = poem?.skipped ? word("back", progress.skipped) : word("count", Math.min(read + 1, progress.total), progress.total);
  at("count").textContent = poem ? place : "";
  const pace = poem && progress.seconds_left !== null ? [word("left", Math.round(progress.seconds_left / 60))] : [];
  at("pace").textContent = poem ? [word("accepted", progress.accepted), ...pace].join(" · ") : "";
  document.title = poem ? `${read + 1}/${progress.total} · poetune` : "poetune";
  if (poem) poems.show(poem, edits, changes);
  else finish(progress);
  tell(last);
}

function finish(progress) {
  at("done-title").textContent = word("done", progress.total);
  at("done-counts").textContent = word("doneCounts", progress.accepted, progress.rejected, progress.skipped);
  at("done-skipped").hidden = !progress.skipped;
  at("done-skipped").querySelector("span").textContent = word("again", progress.skipped);
}

/** The last decision, with what was hidden until then. */
function tell(last) {
  at("last").className = last?.action ?? "";
  if (!last) return at("last").replaceChildren();
  const title = document.createElement("bdi");
  title.textContent = last.title || word("untitled");
  const rest = [last.edited && word("withEdit"), last.model, last.template].filter(Boolean);
  at("last").replaceChildren(`${word("did")[last.action]} · `, title, ...rest.map((part) => ` · ${part}`));
}

function edit(field) {
  forget(); // keys pressed on the way were meant for the text box
  const left = at("body").getBoundingClientRect().left - parseFloat(getComputedStyle(document.querySelector("main")).paddingLeft);
  at("editor").style.setProperty("--left", `${left}px`);
  at("poem").hidden = true;
  document.body.classList.add("editing");
  const end = async (made, left) => {
    if (made) {
      edits = made;
      sessionStorage.setItem(view.poem.item, JSON.stringify(edits));
      await compare();
    }
    document.body.classList.remove("editing");
    render();
    at("poem").focus();
    if (made || left) say([word(made ? "kept" : "aside")], true);
  };
  // In turn with the keys: an A right after the edit must find it, and its difference must not meet the next poem.
  editor.open(view.poem, edits, field, (made, left) => press(() => end(made, left)));
}

function restore() {
  if (at("edited").hidden) return;
  edits = { ...NONE, note: edits.note };
  changes = null;
  sessionStorage.setItem(view.poem.item, JSON.stringify(edits));
  render();
  at("poem").focus();
  say([word("restored")], true);
}

function kept(candidate) {
  return JSON.parse(sessionStorage.getItem(candidate));
}

function lost(gone) {
  trouble(gone ? word("offline") : "");
}

function fail(sentence) {
  forget();
  trouble(sentence);
}

function trouble(sentence) {
  at("trouble").hidden = !sentence;
  if (at("trouble").textContent !== sentence) at("trouble").textContent = sentence;
}

/** Tell a screen reader; with `seen`, also at the foot of the page. */
function say(parts, seen = false) {
  at("said").textContent = parts.filter(Boolean).join(". ");
  if (!seen) return;
  at("last").className = "";
  at("last").replaceChildren(parts.join(" "));
}

function help() {
  at("help").showModal();
  at("help").focus();
}

function glow(key) {
  const button = document.querySelector(`nav [data-key="${key}"]`);
  button?.classList.add("pressed");
  setTimeout(() => button?.classList.remove("pressed"), 160);
}

document.addEventListener("keydown", (event) => {
  if (inText(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = keyOf(event);
  if (at("help").open) return key === "?" && !event.repeat ? at("help").close() : undefined;
  if (!document.querySelector(`[data-key="${key}"]`)) return;
  if (key === " " && event.target.closest("button")) return; // the button's own key
  event.preventDefault();
  if (!event.repeat && at("editor").hidden) press(key);
});
for (const button of document.querySelectorAll("[data-key]")) {
  button.addEventListener("click", () => {
    if (view?.poem && button.dataset.key !== "?") at("poem").focus({ preventScroll: true });
    press(button.dataset.key);
  });
}
at("help").addEventListener("click", (event) => event.target === at("help") && at("help").close());
at("help").addEventListener("close", () => (at("poem").hidden ? at("done") : at("poem")).focus({ preventScroll: true }));
at("tongue").addEventListener("click", () => {
  turn();
  if (view) render();
});

label();
next(false);
