// What every page has: its words, and the switches of language and of light and dark.

import { label, turn } from "./words.js";

const turned = [];

/** Call `done` after the language was changed. */
export function onTurn(done) {
  turned.push(done);
}

document.getElementById("tongue").addEventListener("click", () => {
  turn();
  for (const done of turned) done();
});
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});
label();
