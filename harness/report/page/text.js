/** Numbers and names as a person reads them, and the small elements that they stand in. */

/** @typedef {import("./data.js").Value} Value */

const GREEK = /** @type {Record<string, string>} */ ({
  alpha: "α",
  beta: "β",
  gamma: "γ",
  delta: "δ",
  epsilon: "ε",
  eps: "ε",
  eta: "η",
  theta: "θ",
  kappa: "κ",
  lambda: "λ",
  mu: "μ",
  rho: "ρ",
  tau: "τ",
});
const UP = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * Powers of ten as 10⁻³, but 1, 10 and 100 as they are; other numbers as 0.3 or 3×10⁻⁵; choices and flags.
 * @param {Value} value
 */
export function written(value) {
  if (typeof value !== "number") return String(value);
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const [factor, exponent] = value.toExponential().split("e");
  const power = `10${superscript(Number(exponent))}`;
  const size = Math.abs(value);
  if (factor === "1" && !(size >= 1 && size < 1e3)) return power;
  return size >= 1e-3 && size < 1e4 ? String(value) : `${factor}×${power}`;
}

/** @param {number} exponent */
function superscript(exponent) {
  const digits = [...String(Math.abs(exponent))].map((digit) => UP[Number(digit)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

/**
 * A number in so many significant digits, without zeros at its end: 2.48, 0.00031, 1.2e+9. Empty for NaN.
 * @param {number} value
 */
export function short(value, digits = 4) {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return String(Number(value.toPrecision(digits)));
}

/**
 * A count: 60, or 60.5 where two counts are in the middle.
 * @param {number} value
 */
export function counted(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/**
 * A share: 36 %.
 * @param {number} value
 */
export function percent(value) {
  return Number.isNaN(value) ? "" : `${Math.round(100 * value)} %`;
}

/**
 * A hyper-parameter's or a rate's name: alpha_hyperlr as α with a subscript.
 * @param {string} name
 * @returns {Node[]}
 */
export function named(name) {
  const [, letter, digit, rest] = name.match(/^([a-z]+?)(\d+)?(?:_(.+))?$/) ?? [];
  if (letter === undefined || !(letter in GREEK)) return [new Text(name)];
  const below = digit ?? rest;
  return below === undefined
    ? [new Text(GREEK[letter])]
    : [new Text(GREEK[letter]), element("sub", {}, below)];
}

/**
 * The same as plain text: α hyperlr.
 * @param {string} name
 */
export function plain(name) {
  return named(name).map((node) => node.textContent).join(" ");
}

/**
 * An element with attributes (`on...` are listeners, null is left out) and children.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...(Node | string | number | null | undefined | (Node | string)[])} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) made.append(child instanceof Node ? child : String(child));
  }
  return made;
}

/**
 * The element with this id, which the page has.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element #${id}`);
  return found;
}
