// The poem on the page. Its text is only ever set as text, never as markup.

import { word } from "./words.js";

const at = (id) => document.getElementById(id);
const TAGS = { zh: "zh-Hans", en: "en" };

/** The language of a poem, for fonts, hyphens and voices. */
export function tag(poem) {
  return TAGS[poem.language] ?? "";
}

/** One line of a poem. */
export function row(text) {
  const found = document.createElement("div");
  found.className = text.trim() ? "line" : "gap";
  found.textContent = text;
  return found;
}

/** Show a poem with what its reader changed; `changes` are the lines of the difference, or null. */
export function show(poem, edits, changes) {
  const title = edits.title ?? poem.title;
  const vertical = poem.language === "zh" && localStorage.getItem("vertical") === "on";
  at("poem").hidden = false;
  at("poem").classList.toggle("vertical", vertical);
  at("upright").ariaPressed = vertical;
  at("title").lang = at("body").lang = at("was").lang = tag(poem);
  at("title").textContent = title || word("untitled");
  at("title").classList.toggle("unseen", !title);
  at("was").hidden = edits.title == null || !poem.title;
  at("was").querySelector("del").textContent = poem.title;
  at("theme-of").textContent = poem.theme === poem.title ? "" : poem.theme;
  const copies = edits.body === null ? poem.copies : null;
  const lines = copies ? copies.lines.map(marked) : changes ? changes.map(changed) : (edits.body ?? poem.body).split("\n").map(row);
  at("body").replaceChildren(...lines);
  at("sources").hidden = !copies;
  at("sources").querySelector("ol").replaceChildren(...(copies?.sources ?? []).map(source));
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

function source(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

/** A line in pieces, of which those with a source are copied. */
function marked(pieces) {
  const found = row(pieces.map(([text]) => text).join(""));
  if (pieces.every(([, from]) => from < 0)) return found;
  found.replaceChildren(
    ...pieces.flatMap(([text, from]) => {
      if (from < 0) return [text];
      const mark = document.createElement("mark");
      mark.className = "copied";
      mark.textContent = text;
      const number = document.createElement("sup");
      number.textContent = from + 1;
      return [mark, number];
    }),
  );
  return found;
}

function changed(piece) {
  const found = row("");
  const full = piece.parts.map(([text]) => text).join("");
  found.className = full.trim() ? "line" : "gap";
  const holder = piece.kind === "removed" ? document.createElement("del") : piece.kind === "added" ? document.createElement("ins") : found;
  if (holder !== found) found.append(holder);
  found.classList.add(piece.kind);
  for (const [text, differs] of piece.parts) {
    const part = document.createElement(differs ? "mark" : "span");
    part.textContent = text;
    holder.append(part);
  }
  return found;
}
