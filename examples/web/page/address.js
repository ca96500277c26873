// The page's address holds all that was chosen, so that it can be shared: question, filters, page, columns, weights.

import {EQUAL} from "./fusion.js";

const FIELDS = ["topic", "kind"];
export const COMPARISONS = ["bm25 sparse", "bm25 hybrid", "sparse hybrid", "sparse network"];

export function read(longest) {
  const asked = new URLSearchParams(location.search);
  const weight = (name) => {
    const given = Number.parseFloat(asked.get(name));
    return given >= 0 && given <= 1 ? given : EQUAL[name];
  };
  return {
    question: asked.get("q")?.trim().slice(0, longest) ?? "",
    chosen: Object.fromEntries(FIELDS.filter((field) => asked.get(field)).map((field) => [field, asked.get(field)])),
    page: Math.max(1, Math.trunc(Number(asked.get("page"))) || 1),
    compare: COMPARISONS.find((pair) => pair === asked.get("compare")) ?? "",
    weights: {bm25: weight("bm25"), sparse: weight("sparse")},
  };
}

export function write({question, chosen, page, compare, weights}) {
  const asked = new URLSearchParams({q: question, ...chosen});
  if (page > 1) asked.set("page", page);
  if (compare) asked.set("compare", compare);
  for (const name of Object.keys(EQUAL)) if (weights[name] !== EQUAL[name]) asked.set(name, weights[name]);
  return `?${asked}`;
}
