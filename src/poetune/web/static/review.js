// The review page: what is shown, and what a key does. The next poem comes with the answer to a decision, and the
// server answers once the decision is on disk.

import * as editor from "./editor.js";
import * as grades from "./grades.js";
import * as poems from "./poem.js";
import { forget } from "./presses.js";
import { act, at, get, play, put, say, where } from "./stage.js";
import { reason, word } from "./words.js";

const NONE = { title: null, body: null, note: "", reasons: [], scores: {} };
const ACTIONS = { a: "accept", x: "reject", " ": "skip" };
const FIELDS = { e: "body", t: "title", n: "note" };
let view = null;
let edits = NONE;
let changes = null;
let again = false;

const press = play(pressed, () => at("editor").hidden, () => view && render());

async function pressed(key, glow) {
  if (view === null || !at("editor").hidden) return;
  if (key === "v") return upright();
  glow();
  if (key === "u") return post("/api/undo", {}, word("undone"));
  if (view.poem === null) return key === " " && view.progress.skipped ? next(true) : undefined;
  if (key in ACTIONS) {
    const action = ACTIONS[key];
    return post("/api/decide", { item: view.poem.item, action, ...edits }, word("did")[action]);
  }
  if (key in FIELDS) return edit(FIELDS[key]);
  if (key === "o") return restore();
  if (key === "g") return grades.enter();
  return note(key);
}

async function next(skipped) {
  again = skipped;
  const data = await get(`/api/next?again=${again}`);
  if (data) await take(data, "");
}

async function post(path, body, said) {
  const item = view.poem?.item;
  const data = await act(path, { again, ...body });
  if (!data) return;
  if (item && (data.ok || data.status === "taken")) sessionStorage.removeItem(item);
  await take(data, data.ok ? said : "");
}

/** Show what an answer holds. */
async function take(data, said) {
  view = data;
  edits = view.poem ? { ...NONE, ...(kept(view.poem.item) ?? view.poem.draft) } : NONE;
  await compare();
  render();
  if (view.poem) poems.enter();
  else at("done").focus();
  say([said, at("count").textContent, view.poem ? at("title").textContent : at("done-title").textContent]);
}

/** Ask what the edit of the body changes, so that the difference can be shown. */
async function compare() {
  changes = edits.body === null ? null : await put("/api/changes", { item: view.poem.item, body: edits.body });
}

function render() {
  const { poem, progress, last, steady } = view;
  at("poem").hidden = poem === null;
  where(progress, poem !== null, poem?.skipped ? word("back", progress.skipped) : null, [word("accepted", progress.accepted)]);
  at("upright").hidden = poem?.language !== "zh";
  if (poem) {
    poems.show(poem, edits, changes);
    grades.show(edits.scores);
    for (const button of document.querySelectorAll("#reasons button")) {
      button.ariaPressed = edits.reasons.includes(button.dataset.reason);
    }
  } else {
    at("done-title").textContent = word("done", progress.total);
    at("done-counts").textContent = word("doneCounts", progress.accepted, progress.rejected, progress.skipped);
    at("done-steady").hidden = !steady;
    if (steady) at("done-steady").textContent = word("steady", ...steady);
    at("done-next").textContent = word("next");
  }
  tell(last);
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
  const main = document.querySelector("main");
  const space = parseFloat(getComputedStyle(main).paddingLeft);
  const left = at("poem").classList.contains("vertical") ? 0 : at("body").getBoundingClientRect().left - space;
  at("editor").style.setProperty("--left", `${Math.max(0, left)}px`);
  at("poem").hidden = true;
  document.body.classList.add("editing");
  const end = async (made, aside) => {
    if (made) {
      change(made);
      await compare();
    }
    document.body.classList.remove("editing");
    render();
    at("poem").focus();
    if (made || aside) say([word(made ? "kept" : "aside")], true);
  };
  // In turn with the keys: an A right after the edit must find it, and its difference must not meet the next poem.
  editor.open(view.poem, edits, field, (made, aside) => press(() => end(made, aside)));
}

function restore() {
  if (at("edited").hidden) return;
  change({ title: null, body: null });
  changes = null;
  render();
  at("poem").focus();
  say([word("restored")], true);
}

function note(key) {
  const found = document.querySelector(`#reasons [data-key="${key}"]`)?.dataset.reason;
  if (!found) return;
  const held = edits.reasons.includes(found);
  change({ reasons: held ? edits.reasons.filter((each) => each !== found) : [...edits.reasons, found] });
  render();
  say([word(held ? "dropped" : "noted", reason(found))]);
}

/** Keep what the reader changed, also over a reload. */
function change(some) {
  edits = { ...edits, ...some };
  sessionStorage.setItem(view.poem.item, JSON.stringify(edits));
}

function kept(item) {
  return JSON.parse(sessionStorage.getItem(item));
}

function upright() {
  localStorage.setItem("vertical", localStorage.getItem("vertical") === "on" ? "off" : "on");
  render();
}

grades.start((scores) => change({ scores }), () => at("poem").focus());
next(false);
