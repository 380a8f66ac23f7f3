/** The axes of charts: where they end, and their ticks. */

import { short } from "text";

/** @typedef {import("./charts.js").Chart} Chart */
/** @typedef {import("./charts.js").Level} Level */

/** Of what an axis can show. */
const [SMALLEST, LARGEST] = [1e-307, 1e308];
/** Distances between iterations. */
export const WHOLE = [1, 2, 5].flatMap((step) =>
  [1, 10, 100, 1e3, 1e4, 1e5, 1e6].map((power) => step * power)
).sort(
  (a, b) => a - b,
);
/**
 * The ends of the axis to the right: those of the data, or where other charts end; the library's own would go on to a
 * decade.
 * @param {number[]} iterations
 * @param {Chart} chart
 * @returns {[number, number]}
 */
export function ends(iterations, { logX, last }) {
  const end = last ?? iterations[iterations.length - 1];
  return logX ? [iterations[0], Math.max(end, iterations[0] * 2)] : [0, Math.max(end, 1)];
}

/**
 * The ends of the axis upwards: of what is drawn, without the highest fiftieth of the points where that stands far off.
 * @param {{y: number[]}[]} lines
 * @param {Level[]} levels
 * @param {boolean} log
 * @returns {[number, number]}
 */
export function span(lines, levels, log) {
  const values = [...lines.flatMap((line) => line.y), ...levels.map((level) => level.value)];
  if (values.length === 0) return [0, 1];
  values.sort((a, b) => a - b);
  const [low, top] = [values[0], values[values.length - 1]];
  const most = values[Math.floor(0.98 * (values.length - 1))];
  const high = !log && top - low > 4 * (most - low) && most > low ? most + 0.3 * (most - low) : top;
  if (low === high) {
    return log ? [low / 2, high * 2] : [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  }
  const pad = 0.04;
  if (!log) return [low - pad * (high - low), high + pad * (high - low)];
  const factor = 10 ** (pad * (Math.log10(high) - Math.log10(low)));
  return [Math.max(low / factor, SMALLEST), Math.min(high * factor, LARGEST)];
}

/**
 * Where an axis that has both signs turns from linear to logarithmic: a low quantile of the sizes.
 * @param {{y: number[]}[]} lines
 */
export function threshold(lines) {
  const sizes = lines.flatMap((line) => line.y.map(Math.abs)).filter((size) => size > 0).sort((a, b) =>
    a - b
  );
  return sizes[Math.floor(sizes.length / 20)] ?? 1;
}

/**
 * The ticks of a logarithmic axis; the library's own would never end where the axis does not begin at a decade.
 * @param {number} most of them, about
 * @param {number} linear where an axis that has both signs turns linear
 */
export function logarithmic(most, linear) {
  return {
    /** @param {any} _ @param {number} __ @param {number} low @param {number} high */
    splits: (_, __, low, high) => decades(low, high, most, linear),
    /** @param {any} _ @param {number[]} splits */
    filter: (_, splits) => splits,
  };
}

/**
 * Round numbers between two ends on a logarithmic axis: 1, 2 and 5 times powers of ten, or fewer. Where it goes below
 * 0: 0, and powers of ten from `linear` on, on both sides.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @param {number} linear
 * @returns {number[]}
 */
export function decades(low, high, most, linear) {
  if (low <= 0) {
    const least = 10 ** Math.ceil(Math.log10(linear));
    const side = (/** @type {number} */ end) => end > least ? decades(least, end, most / 2, linear) : [];
    const both = [...side(-low).map((value) => -value).reverse(), 0, ...side(high)];
    return both.length < 3 ? even(low, high, most) : both;
  }
  const [bottom, top] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high))];
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    const found = range(bottom, top, 1).flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
    const inside = found.filter((value) => value >= low && value <= high);
    if (inside.length <= most) return inside.length < 3 ? even(low, high, most) : inside;
  }
  return range(bottom + 1, top, Math.ceil((top - bottom) / most)).map((power) => Number(`1e${power}`));
}

/**
 * Round numbers at equal distances, about `most` of them at most.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
function even(low, high, most) {
  const least = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
  return range(Math.ceil(low / step), Math.floor(high / step), 1).map((at) =>
    Number((at * step).toPrecision(12))
  );
}

/** @param {number} from @param {number} to included @param {number} step */
function range(from, to, step) {
  return Array.from({ length: Math.max(0, Math.floor((to - from) / step) + 1) }, (_, i) => from + i * step);
}

/** @param {any} _ @param {(number | null)[]} values */
export function ticks(_, values) {
  return values.map((value) => value === null ? "" : short(value, 3));
}
