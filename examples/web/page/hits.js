// One hit: its text with marks, its chips, and the table that explains its score.

import {all, element, one, share} from "./dom.js";

export const NAMES = {bm25: "BM25", sparse: "sparse", hybrid: "hybrid", network: "network"};
const MOST_CHIPS = 6;  // the table of an opened hit has them all
const WRAPPED = /([^\n]{50,})\n(?=\S)/g;  // a long line of a text goes on in the next one
const token = (mark) => mark.title.replace(/: [^:]*$/, "") || mark.textContent.toLowerCase();
const short = (score) => score.toFixed(score < 1 ? 4 : 2);

export function row(hit, rank, way, best, {moved, others} = {}) {
  const item = one("template").content.firstElementChild.cloneNode(true);
  const opener = one(".open", item), more = one(".more", item);
  item.dataset.id = hit.id;
  one(".rank", item).textContent = rank;
  opener.append(...hit.id.split(/(?<=\.)/).flatMap((part) => [part, document.createElement("wbr")]));
  more.id = `more-${way}-${rank}`;
  opener.setAttribute("aria-controls", more.id);
  one(".score", item).append(short(hit.score));
  if (moved !== undefined && moved !== 0) one(".moved", item).append(movement(moved));
  share(one(".bar", item), hit.score, best);
  const text = one(".text", item), gave = new Map(hit.matches.map(({token, score}) => [token, score]));
  text.innerHTML = hit.html.replace(WRAPPED, "$1 ");  // escaped by the server, which adds nothing but marks
  const heaviest = Math.max(...gave.values());
  for (const mark of all("mark", text)) share(mark, gave.get(token(mark)) ?? 0, heaviest);
  foldBefore(text);
  one(".chips", item).append(...legs(hit.legs), ...(others ?? []).map(elsewhere), ...learned(hit.matches));
  const score = way === "hybrid" ? "sparse" : NAMES[way];
  more.append(hit.matches.length ? table(hit.matches, heaviest, score) : element("p", "It has no token of the question."));
  return item;
}

// A closed hit shows its text from shortly before the mark that matters most.
function foldBefore(text) {
  const weight = (mark) => Number(mark.style.getPropertyValue("--share"));
  const best = all("mark", text).sort((left, right) => weight(right) - weight(left))[0];
  const lead = best?.previousSibling;
  if (lead?.nodeType !== Node.TEXT_NODE) return;
  const range = document.createRange();
  range.setStart(text, 0);
  range.setEnd(lead, lead.data.lastIndexOf(" ", Math.max(0, lead.length - 40)) + 1);
  if (range.toString().length < 110) return;
  const folded = element("span", "", "before");
  folded.append(range.extractContents());
  text.prepend(folded);
}

function chip(name, value, classes) {
  const made = element("li", `${name} `, classes);
  made.append(element("b", value));
  return made;
}

function legs(found) {
  if (!Object.keys(found).length) return [];
  return ["bm25", "sparse"].map((name) => {
    const made = chip(NAMES[name], found[name]?.rank ? `#${found[name].rank}` : "none", "leg");
    made.style.setProperty("--leg", `var(--${name})`);
    return made;
  });
}

function elsewhere([way, rank]) {
  const made = chip(NAMES[way], rank ? `#${rank}` : "none", "leg other");
  made.style.setProperty("--leg", `var(--${way})`);
  return made;
}

// A sign for the eye, and words for those who hear the page.
function movement(ranks) {
  const made = element("span", ranks === null ? "new" : `${ranks > 0 ? "▲" : "▼"} ${Math.abs(ranks)}`);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", ranks === null ? "new here" : `${ranks > 0 ? "up" : "down"} ${Math.abs(ranks)}`);
  return made;
}

function learned(matches) {
  const added = matches.filter((match) => match.learned);
  const shown = added.slice(0, MOST_CHIPS).map((match) => {
    const made = chip(`+ ${match.token}`, match.document_weight.toFixed(2));
    made.title = "Not in the text: the model added it, with this weight";
    return made;
  });
  return added.length > MOST_CHIPS ? [...shown, element("li", `${added.length - MOST_CHIPS} more`, "leg")] : shown;
}

function table(matches, heaviest, score) {
  const made = document.createElement("table");
  made.append(element("caption", `What each token gave to the ${score} score`));
  const head = made.createTHead().insertRow();
  for (const name of ["token", "question ×", "document =", "gave"]) head.append(element("th", name));
  for (const match of matches) {
    const cells = [match.query_weight, match.document_weight, match.score].map((value) => element("td", value.toFixed(2)));
    made.insertRow().append(share(element("td", match.token), match.score, heaviest), ...cells);
  }
  return made;
}

export function toggle(hit) {
  const opener = one(".open", hit), opened = opener.getAttribute("aria-expanded") !== "true";
  opener.setAttribute("aria-expanded", opened);
  one(".more", hit).hidden = !opened;
}
