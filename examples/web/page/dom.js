// Elements: finding and making them.

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

export function element(tag, text, classes = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = classes;
  return made;
}

export function share(target, part, whole) {
  target.style.setProperty("--share", Math.max(0, Math.min(1, part / whole)).toFixed(3));
  return target;
}
