// The editor: title, poem and note where the poem stood. What is left with Esc is set aside, not lost.

import { tag } from "./poem.js";
import { word } from "./words.js";

const at = (id) => document.getElementById(id);
const FIELDS = { title: at("edit-title"), body: at("edit-body"), note: at("edit-note") };
const LONGEST = 100_000; // characters, as the server has it
let poem = null;
let opened = null;
let aside = null;
let ended = null;

/** Open at a field. `end(edits, aside)` is called with {title, body, note}, or null where it was left. */
export function open(shown, edits, field, end) {
  poem = shown;
  ended = end;
  opened = { title: edits.title ?? poem.title, body: edits.body ?? poem.body, note: edits.note };
  const text = aside?.item === poem.item ? aside : opened;
  for (const [name, box] of Object.entries(FIELDS)) {
    box.value = text[name];
    box.lang = name === "note" ? "" : tag(poem);
  }
  fault("");
  at("editor").hidden = false;
  for (const box of Object.values(FIELDS)) fit(box);
  FIELDS[field].focus();
  if (field === "title") FIELDS.title.select();
  else FIELDS[field].setSelectionRange(...(field === "body" ? [0, 0] : [text.note.length, text.note.length]));
}

/** Whether the editor holds typed words that are kept nowhere else. */
export function dirty() {
  return !at("editor").hidden && Object.entries(FIELDS).some(([name, box]) => box.value !== opened[name]);
}

function keep() {
  const [title, body, note] = [FIELDS.title.value.trim(), FIELDS.body.value, FIELDS.note.value.trim()];
  if (!body.trim()) return fault(word("empty"));
  if (body.length > LONGEST) return fault(word("long", body.length, LONGEST));
  aside = null;
  close({ title: title === poem.title ? null : title, body: body === poem.body ? null : body, note });
}

function leave() {
  aside = dirty() ? { item: poem.item, title: FIELDS.title.value, body: FIELDS.body.value, note: FIELDS.note.value } : null;
  close(null, aside !== null);
}

function close(edits, left) {
  at("editor").hidden = true;
  ended(edits, left);
}

function fault(sentence) {
  at("edit-fault").textContent = sentence;
  at("edit-fault").hidden = !sentence;
}

function fit(box) {
  if (box.tagName === "TEXTAREA" && !CSS.supports("field-sizing", "content")) {
    box.rows = Math.max(1, box.value.split("\n").length);
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }
}

at("editor").addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat) return;
  const enter = event.key === "Enter" && (event.ctrlKey || event.metaKey || event.target === FIELDS.title);
  if (!enter && event.key !== "Escape") return;
  if (event.target.tagName === "BUTTON" && enter && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  if (enter) keep();
  else leave();
});
at("editor").addEventListener("submit", (event) => {
  event.preventDefault();
  keep();
});
at("edit-leave").addEventListener("click", leave);
for (const box of Object.values(FIELDS)) box.addEventListener("input", () => fit(box));
addEventListener("beforeunload", (event) => dirty() && event.preventDefault());
