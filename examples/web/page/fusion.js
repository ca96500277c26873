// Hybrid ranks by other weights: reciprocal ranks of hits that are there already, so nothing is asked or encoded again.

const RANK_CONSTANT = 60;  // as in HybridOptions
export const EQUAL = {bm25: 1, sparse: 1};

export const isEqual = (weights) => weights.bm25 === weights.sparse && weights.bm25 > 0;

// Both weights as parts of 2, so that equal ones score as the server does, which adds up reciprocal ranks.
export function fuse(ways, weights, depth) {
  const sum = weights.bm25 + weights.sparse;
  if (!sum) return [];
  const fused = new Map();
  for (const name of ["bm25", "sparse"]) {
    ways[name].hits.forEach((hit, at) => {
      const made = fused.get(hit.id) ?? {...hit, matches: [], score: 0, legs: {}};
      const given = 2 * weights[name] / sum / (RANK_CONSTANT + at + 1);
      fused.set(hit.id, {...made, ...name === "sparse" && pick(hit), score: made.score + given, legs: {...made.legs, [name]: {rank: at + 1}}});
    });
  }
  return [...fused.values()].filter(({score}) => score > 0).sort((one, other) => other.score - one.score).slice(0, depth);
}

// A hybrid hit shows what sparse search found in its text, as the server explains it.
const pick = ({html, matches}) => ({html, matches});

// For each id, how many ranks it rose, or null where it was not among the hits before.
export function moves(before, now) {
  const ranks = new Map(before.map(({id}, at) => [id, at]));
  return new Map(now.map(({id}, at) => [id, ranks.has(id) ? ranks.get(id) - at : null]));
}
