// Facets: values with their counts, as buttons that filter by them.

import {element} from "./dom.js";

// `chosen` is field -> value; `choose(field, value)` is called with null to let a value go.
export function facets(found, chosen, choose) {
  const fields = new Set([...Object.keys(found), ...Object.keys(chosen)]);
  return [...fields].map((field) => {
    const group = element("div", "", "facets");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", `Filter by ${field}`);
    group.append(element("b", field), ...values(found[field] ?? [], chosen[field]).map((one) => button(field, one, chosen, choose)));
    return group;
  });
}

// The value that is chosen stays a button where nothing is found by it.
function values(counted, chosen) {
  return chosen === undefined || counted.some(({value}) => value === chosen) ? counted : [{value: chosen, count: 0}, ...counted];
}

function button(field, {value, count}, chosen, choose) {
  const pressed = chosen[field] === value, made = element("button", `${value} `);
  made.type = "button";
  made.dataset.value = value;
  made.setAttribute("aria-pressed", pressed);
  made.append(element("span", count));
  made.addEventListener("click", () => choose(field, pressed ? null : value));
  return made;
}
