// The poem on the page. Its text is only ever set as text, never as markup.

import { word } from "./words.js";

const at = (id) => document.getElementById(id);
const TAGS = { zh: "zh-Hans", en: "en" };

/** The language of a poem, for fonts, hyphens and voices. */
export function tag(poem) {
  return TAGS[poem.language] ?? "";
}

/** Show a poem with what its reader changed; `changes` are the lines of the difference, or null. */
export function show(poem, edits, changes) {
  const title = edits.title ?? poem.title;
  const article = at("poem");
  article.hidden = false;
  at("title").lang = at("body").lang = at("was").lang = tag(poem);
  at("title").textContent = title || word("untitled");
  at("title").classList.toggle("unseen", !title);
  at("was").hidden = edits.title == null || !poem.title;
  at("was").querySelector("del").textContent = poem.title;
  at("theme").textContent = poem.theme === poem.title ? "" : poem.theme;
  at("body").replaceChildren(...(changes ? changes.map(changed) : (edits.body ?? poem.body).split("\n").map(line)));
  at("note").hidden = !edits.note;
  at("note").textContent = edits.note;
  at("edited").hidden = edits.title == null && edits.body == null;
}

/** Let the new poem come in softly, from its top. */
export function enter() {
  const article = at("poem");
  article.classList.remove("entering");
  void article.offsetWidth; // restarts the animation
  article.classList.add("entering");
  scrollTo(0, 0);
  article.focus({ preventScroll: true });
}

function line(text) {
  const row = document.createElement("div");
  row.className = text.trim() ? "line" : "gap";
  row.textContent = text;
  return row;
}

function changed(piece) {
  const row = line("");
  const full = piece.parts.map(([text]) => text).join("");
  row.className = full.trim() ? "line" : "gap";
  const holder = piece.kind === "removed" ? document.createElement("del") : piece.kind === "added" ? document.createElement("ins") : row;
  if (holder !== row) row.append(holder);
  row.classList.add(piece.kind);
  for (const [text, marked] of piece.parts) {
    const part = document.createElement(marked ? "mark" : "span");
    part.textContent = text;
    holder.append(part);
  }
  return row;
}
