// The interface's language: the reader's choice, or the browser's.

import en from "./en.js";
import zh from "./zh.js";

const WORDS = { en, zh };
const TAGS = { en: "en", zh: "zh-Hans" };
let tongue = localStorage.getItem("tongue") in WORDS ? localStorage.getItem("tongue") : ofBrowser();

function ofBrowser() {
  const first = navigator.languages.map((l) => l.slice(0, 2)).find((l) => l in WORDS);
  return first ?? "en";
}

/** The word or sentence of this name in the interface's language. */
export function word(name, ...values) {
  const found = WORDS[tongue][name];
  return typeof found === "function" ? found(...values) : found;
}

/** A reason of poet.yaml: those that poetune brings are translated, the project's own are not. */
export function reason(text) {
  return word("reasons")[text] ?? text;
}

/** Change to the other language, and remember it. */
export function turn() {
  tongue = tongue === "en" ? "zh" : "en";
  localStorage.setItem("tongue", tongue);
  label();
}

/** Write the fixed words into the page. */
export function label() {
  document.documentElement.lang = TAGS[tongue];
  const all = (attribute) => document.querySelectorAll(`[data-${attribute}]`);
  for (const node of all("word")) node.textContent = word(node.dataset.word, ...JSON.parse(node.dataset.values ?? "[]"));
  for (const node of all("hint")) node.placeholder = word(node.dataset.hint);
  for (const node of all("label")) node.ariaLabel = word(node.dataset.label);
  for (const node of all("tip")) node.title = word(node.dataset.tip);
  for (const node of all("language")) node.textContent = word("languages")[node.dataset.language] ?? node.dataset.language;
  for (const node of all("reason")) (node.querySelector("span") ?? node).textContent = reason(node.dataset.reason);
  const other = document.getElementById("tongue");
  other.textContent = word("other");
  other.lang = TAGS[tongue === "en" ? "zh" : "en"];
}
