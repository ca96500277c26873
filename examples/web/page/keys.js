// The keyboard, and the same document in the other columns.

import {all, one} from "./dom.js";

const field = one("#q"), main = one("main");

function move(down, across) {
  const columns = all("section").filter((section) => one(".hit", section) && isShown(section));
  if (!columns.length) return;
  const focused = columns.findIndex((section) => section.contains(document.activeElement));
  const from = focused < 0 ? columns.findIndex((section) => section.checkVisibility()) : focused;
  const column = columns[Math.max(0, Math.min(columns.length - 1, from + across))] ?? columns[0];
  const rank = all(".hit", columns[focused]).findIndex((hit) => hit.contains(document.activeElement));
  if (rank + down < 0) return field.focus();
  one(`fieldset [value=${column.className}]`).checked = true;  // on a narrow page, that is the column to be seen
  const openers = all(".open", column);
  openers[Math.min(openers.length - 1, rank + down)].focus();
}

// A column that comparing leaves out is no column; one behind a tab is. That of a second model is only compared.
function isShown(section) {
  const {compare} = main.dataset;
  return compare ? compare.split(" ").includes(section.className) : section.className !== "network";
}

const KEYS = {
  "/": () => { field.focus(); field.select(); },
  Escape: () => field.focus(),
  ArrowDown: () => move(1, 0), j: () => move(1, 0),
  ArrowUp: () => move(-1, 0), k: () => move(-1, 0),
  ArrowRight: () => move(0, 1), ArrowLeft: () => move(0, -1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("input, select") && !(event.target === field && event.key === "ArrowDown")) return;
  if (!(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

function pair(event) {
  const id = event.target.closest(".hit")?.dataset.id;
  for (const hit of all(".hit")) hit.classList.toggle("same", event.type === "focusin" && hit.dataset.id === id && !hit.contains(event.target));
}
main.addEventListener("focusin", pair);
main.addEventListener("focusout", pair);
