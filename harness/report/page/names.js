/** Settings in words. */

import { element, named, plain, written } from "text";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./data.js").Value} Value */

/**
 * A setting as plain text: its method, its protocol where there are several, its hyper-parameters.
 * @param {Grid} grid
 * @param {number} setting
 */
export function inWords(grid, setting) {
  const values = grid.valuesOf(setting).map(([key, value]) => `${plain(key)} ${written(value)}`);
  return [grid.methodOf(setting), grid.protocolOf(setting), ...values].filter(Boolean).join(", ");
}

/**
 * The same as elements, with subscripts.
 * @param {Grid} grid
 * @param {number} setting
 */
export function spelled(grid, setting) {
  const protocol = grid.protocolOf(setting);
  return [
    element("strong", {}, grid.methodOf(setting)),
    " ",
    ...(protocol === null ? [] : [element("span", { class: "protocol" }, protocol), " "]),
    ...pairs(grid.valuesOf(setting)),
  ];
}

/**
 * Hyper-parameters and their values, with commas between them.
 * @param {[string, Value][]} values
 */
export function pairs(values) {
  return values.flatMap(([key, value], i) => [
    ...(i ? [", "] : []),
    element(
      "span",
      { class: "pair" },
      ...named(key),
      typeof value === "number" ? " = " : ": ",
      written(value),
    ),
  ]);
}
