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
/** Significant ones, of a number to be read. */
const DIGITS = 4;
const UP = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * Powers of ten as 10⁻³, but 1, 10 and 100 as they are; other numbers in four digits, as 0.3162 or 3×10⁻⁵; choices and
 * flags as they are.
 * @param {Value} value
 * @returns {string}
 */
export function written(value) {
  if (typeof value !== "number") return String(value);
  const rounded = Number(value.toPrecision(DIGITS));
  if (rounded === 0 || !Number.isFinite(rounded)) return short(rounded);
  const [factor, exponent] = rounded.toExponential().split("e");
  const size = Math.abs(rounded);
  const isPower = factor.replace("-", "") === "1";
  if (isPower ? size >= 1 && size < 1e3 : size >= 1e-3 && size < 1e4) return signed(String(rounded));
  const power = `10${superscript(Number(exponent))}`;
  return signed(isPower ? factor.replace("1", power) : `${factor}×${power}`);
}

/** @param {string} number with the sign that typographers use */
function signed(number) {
  return number.replace("-", "−");
}

/** @param {number} exponent */
function superscript(exponent) {
  const digits = [...String(Math.abs(exponent))].map((digit) => UP[Number(digit)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

/**
 * A number in so many significant digits, without zeros at its end: 2.48, 1.2×10⁹. Empty for NaN.
 * @param {number} value
 * @returns {string}
 */
export function short(value, digits = DIGITS) {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  return size === 0 || size >= 1e-3 && size < 1e5 ? signed(String(rounded)) : written(rounded);
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
