// The page: what was chosen, one request for it, and the columns that show the answer.

import {read, write} from "./address.js";
import {all, element, one} from "./dom.js";
import {facets} from "./facets.js";
import {EQUAL, fuse, isEqual, moves} from "./fusion.js";
import {NAMES, row, toggle} from "./hits.js";
import "./keys.js";

const SIZE = 10, MODELS = "sparse network";
const field = one("#q"), main = one("main"), alarm = one("#alert"), status = one("#status");
const tools = one("#tools"), weights = one(".weights"), pages = one(".pages"), compare = one("#compare");
let waiting = new AbortController(), chosen, answer = null;

async function ask() {
  waiting.abort();
  const {signal} = waiting = new AbortController();
  document.title = chosen.question ? `${chosen.question}: three searches` : "One question, three searches";
  alarm.hidden = true;
  if (!chosen.question) return clear();
  main.setAttribute("aria-busy", "true");
  status.textContent = "Searching";
  try {
    const response = await fetch(`/api/search?${new URLSearchParams({q: chosen.question, ...chosen.chosen})}`, {signal});
    const found = await response.json();
    if (!response.ok) throw new Error(found.error ?? `The server answered with status ${response.status}.`);
    answer = found;
    show();
  } catch (error) {
    if (signal.aborted) return;
    const gone = error instanceof TypeError;
    warn("The search failed.", gone ? "The page's own server does not answer. Does it still run?" : error.message, true);
  }
  main.removeAttribute("aria-busy");
}

function clear() {
  answer = null;
  main.className = status.textContent = "";
  for (const shown of all("ol, .facts", main)) shown.replaceChildren();
  tools.hidden = weights.hidden = pages.hidden = true;
  main.removeAttribute("aria-busy");
}

function warn(title, reason, again) {
  clear();
  one("p", alarm).replaceChildren(element("strong", title), reason);
  one("button", alarm).hidden = !again;
  alarm.hidden = false;
}

function show() {
  main.className = "asked";
  tools.hidden = weights.hidden = false;
  const models = one(`option[value="${MODELS}"]`, compare);
  models.hidden = !answer.ways.network;
  if (models.hidden && chosen.compare === MODELS) chosen.compare = "";
  one("#facets").replaceChildren(...facets(answer.facets, chosen.chosen, choose));
  for (const [way, {ms, server_ms}] of Object.entries(answer.ways)) {
    one(`section.${way} .facts`).textContent = `${ms.toFixed(0)} ms, of which OpenSearch took ${server_ms}`;
  }
  const ways = Object.entries(answer.ways);
  status.textContent = ways.map(([way, {hits}]) => `${hits.length} hits by ${NAMES[way]}`).join(", ");
  showHits();
}

// Of each way the hits of one page; hybrid ones by the weights of the sliders.
function showHits() {
  const hybrid = answer.ways.hybrid.hits;
  const fused = isEqual(chosen.weights) ? hybrid : fuse(answer.ways, chosen.weights, Math.max(hybrid.length, SIZE));
  const lists = {...Object.fromEntries(Object.entries(answer.ways).map(([way, {hits}]) => [way, hits])), hybrid: fused};
  const last = Math.max(1, ...Object.values(lists).map((hits) => Math.ceil(hits.length / SIZE)));
  chosen.page = Math.min(chosen.page, last);
  const compared = chosen.compare.split(" "), moved = {hybrid: moves(hybrid, fused)};
  if (chosen.compare === MODELS) Object.assign(moved, {sparse: moves(lists.network, lists.sparse), network: moves(lists.sparse, lists.network)});
  for (const [way, hits] of Object.entries(lists)) {
    const others = compared.filter((name) => compared.includes(way) && name !== way && way !== "hybrid");
    const first = (chosen.page - 1) * SIZE;
    const rows = hits.slice(first, first + SIZE).map((hit, at) => row(hit, first + at + 1, way, hits[0].score, {
      moved: moved[way]?.get(hit.id) ?? (moved[way] ? null : 0),
      others: others.map((name) => [name, lists[name].findIndex(({id}) => id === hit.id) + 1]),
    }));
    one(`section.${way} ol`).replaceChildren(...rows.length ? rows : [element("li", nothing(hits, way), "none")]);
  }
  showPages(last);
  showChoices(lists);
}

function nothing(hits, way) {
  if (hits.length) return `These were all hits, ${hits.length}.`;
  return way === "hybrid" && !chosen.weights.bm25 && !chosen.weights.sparse ? "Both weights are 0." : "No document has any of it.";
}

function showPages(last) {
  pages.hidden = last === 1;
  one("span", pages).textContent = `Page ${chosen.page} of ${last}`;
  for (const button of all("button", pages)) button.disabled = chosen.page + Number(button.value) < 1 || chosen.page + Number(button.value) > last;
}

function showChoices(lists) {
  for (const input of all("input", weights)) {
    input.value = chosen.weights[input.name];
    input.nextElementSibling.textContent = chosen.weights[input.name].toFixed(2);
  }
  one("button", weights).hidden = chosen.weights.bm25 === EQUAL.bm25 && chosen.weights.sparse === EQUAL.sparse;
  compare.value = chosen.compare;
  one("#models").hidden = chosen.compare !== MODELS;
  if (!chosen.compare) {
    if (one("fieldset :checked").value === "network") one("fieldset [value=hybrid]").checked = true;
    delete main.dataset.compare;
    return one("#shared").replaceChildren();
  }
  main.dataset.compare = chosen.compare;
  const names = chosen.compare.split(" ");
  if (!names.includes(one("fieldset :checked").value)) one(`fieldset [value=${names[1]}]`).checked = true;
  const [left, right] = names.map((name) => lists[name].slice(0, SIZE).map(({id}) => id));
  one("#shared").textContent = `${left.filter((id) => right.includes(id)).length} of the best ${Math.max(left.length, right.length)} are in both`;
}

// What asks anew is a step of the browser's history; what only shows the same hits in another way is not.
function choose(name, value) {
  chosen = {...chosen, page: 1, chosen: {...chosen.chosen, [name]: value}};
  if (value === null) delete chosen.chosen[name];
  history.pushState(null, "", write(chosen));
  ask();
}

function turn(changes) {
  chosen = {...chosen, ...changes};
  showHits();
  history.replaceState(null, "", write(chosen));
}

main.addEventListener("click", (event) => {
  const hit = event.target.closest(".hit");
  if (hit && !event.target.closest(".more") && getSelection().isCollapsed) toggle(hit);
});

weights.addEventListener("input", ({target}) => turn({page: 1, weights: {...chosen.weights, [target.name]: Number(target.value)}}));
one("button", weights).addEventListener("click", () => {
  turn({page: 1, weights: {...EQUAL}});
  one("input", weights).focus();
});
compare.addEventListener("change", () => turn({compare: compare.value}));
pages.addEventListener("click", ({target}) => {
  if (!target.matches("button")) return;
  turn({page: chosen.page + Number(target.value)});
  main.scrollIntoView({block: "start"});
  if (target.disabled) one("button:enabled", pages)?.focus();
});

one("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = field.value.trim();
  if (!question) { warn("Nothing to search for.", "Type a question first."); return field.focus(); }
  chosen = {...chosen, question, page: 1, chosen: {}};
  history.pushState(null, "", write(chosen));
  ask();
});

function start() {
  chosen = read(field.maxLength);
  field.value = chosen.question;
  ask();
}
one("button", alarm).addEventListener("click", start);
addEventListener("popstate", start);
start();
