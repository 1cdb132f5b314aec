// The A/B page: two poems on hidden sides, and which is better.

import { row, tag } from "./poem.js";
import { act, at, get, play, say, where } from "./stage.js";
import { word } from "./words.js";

const ACTIONS = { a: "left", b: "right", t: "tie", " ": "skip" };
let view = null;
let again = false;

play(pressed, () => true, () => view && render(), { ArrowLeft: "a", ArrowRight: "b" });

async function pressed(key, glow) {
  if (view === null) return;
  glow();
  if (key === "u") return take(await act("/api/unvote", { again }), word("undone"));
  if (view.pair === null) return key === " " && view.progress.skipped ? next(true) : undefined;
  const action = ACTIONS[key];
  return take(await act("/api/vote", { item: view.pair.item, action, again }), word("did")[action]);
}

async function next(skipped) {
  again = skipped;
  take(await get(`/api/pair?again=${again}`), "");
}

function take(data, said) {
  if (!data) return;
  view = data;
  render();
  scrollTo(0, 0);
  (view.pair ? at("pair") : at("done")).focus({ preventScroll: true });
  say([data.ok === false ? "" : said, at("count").textContent, view.pair ? at("theme-of").textContent : at("done-title").textContent]);
}

function render() {
  const { pair, progress, last } = view;
  at("pair").hidden = pair === null;
  where(progress, pair !== null, pair?.skipped ? word("back", progress.skipped) : null);
  if (pair) {
    at("theme-of").textContent = pair.theme;
    for (const side of ["left", "right"]) show(side, pair[side], pair.theme);
  } else {
    at("done-title").textContent = word("donePairs", progress.total);
    at("done-counts").textContent = word("doneVotes", progress.decided, progress.skipped);
    at("done-next").textContent = word("nextPairs");
  }
  const models = last?.left ? [word("wrote", "A", last.left), word("wrote", "B", last.right)] : [];
  at("last").textContent = last ? [word("did")[last.action], ...models].join(" · ") : "";
}

function show(side, poem, theme) {
  at(`${side}-title`).textContent = poem.title || word("untitled");
  at(`${side}-title`).classList.toggle("unseen", !poem.title || poem.title === theme); // said above both already
  at(`${side}-title`).lang = at(`${side}-body`).lang = tag(poem);
  at(`${side}-body`).replaceChildren(...poem.body.split("\n").map(row));
}

next(false);
