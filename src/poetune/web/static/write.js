// The writing desk: wishes become poems; a press on a line writes that line anew, and a press on one of those takes it.

import { onTurn } from "./frame.js";
import { row } from "./poem.js";
import { word } from "./words.js";

const at = (id) => document.getElementById(id);
const form = at("wish");
let busy = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const wish = Object.fromEntries(new FormData(form));
  wish.count = Number(wish.count);
  const data = await send("/api/write", wish, word("writing", wish.count));
  if (!data) return;
  at("written").prepend(...data.poems.map((poem) => card({ ...poem, theme: wish.theme ?? "", model: wish.model })));
  say(word("written", data.poems.length));
  at("written").querySelector("article").focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});

/** The answer, or null after its sentence was shown; one wish at a time. */
async function send(path, body, meanwhile) {
  if (busy) return null;
  busy = true;
  at("go").disabled = true;
  say(meanwhile);
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const data = await response.json();
    if (response.ok) return data;
    say(data.error);
  } catch {
    say(word("unheard"));
  } finally {
    busy = false;
    at("go").disabled = false;
  }
  return null;
}

function say(text) {
  at("said").textContent = text;
}

function language(text) {
  return /\p{Script=Han}/u.test(text) ? "zh-Hans" : "en";
}

/** A poem whose lines can be pressed. */
function card(poem) {
  const item = document.createElement("li");
  const article = document.createElement("article");
  article.tabIndex = -1;
  const title = document.createElement("h2");
  title.textContent = poem.title || word("untitled");
  title.classList.toggle("unseen", !poem.title);
  const body = document.createElement("div");
  body.className = "body";
  const copy = document.createElement("button");
  copy.type = "button";
  copy.dataset.word = "copy";
  copy.textContent = word("copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText([poem.title, poem.text].filter(Boolean).join("\n\n"));
    say(word("copiedPoem"));
  });
  const foot = document.createElement("p");
  foot.className = "from";
  foot.append(`${poem.model} `, copy);
  article.append(title, body, foot);
  article.lang = body.lang = title.lang = language(poem.text);
  item.append(article);
  lay(poem, body);
  return item;
}

function lay(poem, body) {
  let number = 0;
  body.replaceChildren(
    ...poem.text.split("\n").map((text) => {
      const line = row(text);
      if (!text.trim()) return line;
      const place = ++number;
      const press = document.createElement("button");
      press.type = "button";
      press.className = "line";
      press.textContent = text;
      press.title = word("anew");
      press.addEventListener("click", () => anew(poem, body, press, place));
      return press;
    }),
  );
}

async function anew(poem, body, press, line) {
  close();
  press.setAttribute("aria-expanded", "true");
  const asked = { theme: poem.theme, text: poem.text, line, count: 5, model: poem.model };
  const data = await send("/api/line", asked, word("writingLine"));
  if (!data) return press.removeAttribute("aria-expanded");
  if (!data.texts.length) {
    press.removeAttribute("aria-expanded");
    return say(word("noOther"));
  }
  const place = poem.text.split("\n").reduce((found, text, i) => (text.trim() ? [...found, i] : found), [])[line - 1];
  const list = document.createElement("div");
  list.className = "others";
  list.setAttribute("role", "group");
  list.ariaLabel = word("others");
  for (const text of data.texts) {
    const other = document.createElement("button");
    other.type = "button";
    other.textContent = text.split("\n")[place];
    other.addEventListener("click", () => {
      poem.text = text;
      lay(poem, body);
      say(word("taken"));
      body.querySelectorAll("button.line")[line - 1].focus();
    });
    list.append(other);
  }
  press.after(list);
  say(word("choose", data.texts.length));
  list.firstChild.focus();
}

/** Put the choices away. */
function close() {
  for (const list of document.querySelectorAll(".others")) {
    list.previousSibling.removeAttribute("aria-expanded");
    list.previousSibling.focus();
    list.remove();
  }
}

function forms() {
  for (const option of document.querySelectorAll("[data-form]")) option.textContent = word("forms")[option.dataset.form];
}

onTurn(forms);
forms();
