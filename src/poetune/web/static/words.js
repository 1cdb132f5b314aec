// What the page says, in English and Chinese.

const WORDS = {
  en: {
    accept: "accept", reject: "reject", skip: "skip", undo: "undo", body: "poem", title: "title", note: "note",
    space: "space", keys: "Keys", help: "Help", progress: "Progress", other: "中文", close: "Close",
    keep: "Keep the edit", leave: "Set it aside", restore: "Back to the original", edited: "Edited.", formerly: "Formerly:",
    noteHint: "A note to yourself", untitled: "Untitled", next: "You can close this page. In the terminal, Ctrl-C ends it; “poetune rounds” takes the accepted poems into the next round.",
    count: (n, all) => `${n} of ${all}`,
    accepted: (n) => `${n} accepted`,
    back: (n) => (n === 1 ? "the last skipped poem" : `${n} skipped poems left`),
    left: (minutes) => (minutes < 1 ? "under a minute left" : minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`),
    did: { accept: "Accepted", reject: "Rejected", skip: "Skipped" },
    withEdit: "with your edit",
    done: (n) => (n === 1 ? "The poem is read." : `All ${n} poems are read.`),
    doneCounts: (a, r, s) => `${a} accepted, ${r} rejected` + (s ? `, ${s} skipped` : "") + ".",
    again: (n) => (n === 1 ? "Read the skipped one again" : `Read the ${n} skipped ones again`),
    undone: "Undone", kept: "Edit kept. A accepts it.", aside: "Edit set aside; E, T or N brings it back.",
    restored: "The original is back.", empty: "The poem is empty; write at least one line, or press Esc.",
    offline: "The review page's server does not answer. Nothing is lost: your last key is sent again until it does. If poetune was ended, start `poetune review` again.",
    helpAccept: "Accept the poem as it stands, with your edits.", helpReject: "Reject it.",
    helpSkip: "Leave it for later; it comes back at the end.",
    helpUndo: "Undo the last decision, and the one before, as far back as you like.",
    helpEdit: "Edit the poem, its title, or write a note; Tab moves between them.",
    helpKeep: "Keep the edit. The poem is then still to be accepted or rejected.",
    helpLeave: "Set the edit aside; E, T or N brings it back.", helpRestore: "Go back to the poem as it was written.",
    helpBlind: "Which checkpoint and template wrote a poem is told at the foot of the page once you have decided.",
    taken: "This poem was decided before, perhaps in another window; here is the next one.", nothing: "There is nothing left to undo.",
  },
  zh: {
    accept: "收录", reject: "舍弃", skip: "略过", undo: "撤销", body: "改诗", title: "改题", note: "批注",
    space: "空格", keys: "按键", help: "帮助", progress: "进度", other: "English", close: "关闭",
    keep: "保留修改", leave: "放下", restore: "回到原作", edited: "已修改。", formerly: "原题：",
    noteHint: "写给自己的批注", untitled: "无题", next: "可以关闭本页了。在终端按 Ctrl-C 结束，再用“poetune rounds”把收录的诗带入下一轮。",
    count: (n, all) => `第 ${n} 首，共 ${all} 首`,
    accepted: (n) => `已收录 ${n} 首`,
    back: (n) => `略过的诗还有 ${n} 首`,
    left: (minutes) => (minutes < 1 ? "剩余不到一分钟" : minutes < 90 ? `约剩 ${minutes} 分钟` : `约剩 ${Math.round(minutes / 60)} 小时`),
    did: { accept: "已收录", reject: "已舍弃", skip: "已略过" },
    withEdit: "含修改",
    done: (n) => `${n} 首诗都读完了。`,
    doneCounts: (a, r, s) => `收录 ${a} 首，舍弃 ${r} 首` + (s ? `，略过 ${s} 首` : "") + "。",
    again: (n) => `再读略过的 ${n} 首`,
    undone: "已撤销", kept: "修改已保留，按 A 收录。", aside: "修改已放下，按 E、T 或 N 可取回。",
    restored: "已恢复原作。", empty: "诗是空的；请至少写一行，或按 Esc。",
    offline: "服务没有回应。什么都不会丢：会一直重发您最后的按键。若 poetune 已结束，请重新运行 `poetune review`。",
    helpAccept: "按现在的样子收录，连同修改。", helpReject: "舍弃。",
    helpSkip: "先放一放，最后再读。",
    helpUndo: "撤销上一个决定，可以一直撤下去。",
    helpEdit: "改诗、改题、写批注；Tab 在三者间移动。",
    helpKeep: "保留修改。之后仍需收录或舍弃。",
    helpLeave: "放下修改，按 E、T 或 N 可取回。", helpRestore: "恢复原作。",
    helpBlind: "诗由哪个检查点、哪个模板写成，决定之后才在页脚显示。",
    taken: "这首诗已有决定，也许在另一个窗口；这里是下一首。", nothing: "没有可撤销的了。",
  },
};

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

/** Change to the other language, and remember it. */
export function turn() {
  tongue = tongue === "en" ? "zh" : "en";
  localStorage.setItem("tongue", tongue);
  label();
}

/** Write the fixed words into the page. */
export function label() {
  document.documentElement.lang = TAGS[tongue];
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll("[data-hint]")) node.placeholder = word(node.dataset.hint);
  for (const node of document.querySelectorAll("[data-label]")) node.ariaLabel = word(node.dataset.label);
  const other = document.getElementById("tongue");
  other.textContent = word("other");
  other.lang = TAGS[tongue === "en" ? "zh" : "en"];
}
