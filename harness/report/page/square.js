/** What one square shows of a setting, and the scale of the colours. */

import { BUDGET, DIVERGED, FAILED, medianOf, NOT_RUN, overSeeds, REACHED, UNKNOWN } from "passages";
import { counted, percent, short } from "text";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./passages.js").Summary} Summary */
/**
 * @typedef {{target: number, sustained: boolean, show: string, seeds: Set<number>,
 *   admits: (grid: Grid, setting: number) => boolean}} Asked
 * What the reader asks for; `admits` says whether a setting passes the filters.
 * @typedef {{text: string, state: string, value: number, summary: Summary}} Square
 */

export const COUNT = "count";
export const SHARE = "share";
const SIGNS = /** @type {Record<string, string>} */ ({
  [BUDGET]: "",
  [DIVERGED]: "×",
  [FAILED]: "!",
  [NOT_RUN]: "·",
  [UNKNOWN]: "?",
});
/** The states in words. */
export const SAID = /** @type {Record<string, string>} */ ({
  [BUDGET]: "not reached",
  [DIVERGED]: "diverged",
  [FAILED]: "failed",
  [NOT_RUN]: "not run yet",
  [UNKNOWN]: "stopped before it could tell",
});

/**
 * The runs of a setting whose seeds are asked for.
 * @param {Grid} grid
 * @param {number} setting
 * @param {{seeds: Set<number>}} asked
 */
export function runsOf(grid, setting, { seeds }) {
  return grid.runs[setting].filter((run) => seeds.has(grid.seeds[run]));
}

/**
 * What a square shows of a setting.
 * @param {Grid} grid
 * @param {number} setting
 * @param {Asked} asked
 * @returns {Square}
 */
export function square(grid, setting, asked) {
  const runs = runsOf(grid, setting, asked);
  const summary = overSeeds(grid, runs, asked.target, asked.sustained);
  if (asked.show === COUNT) {
    const reached = summary.state === REACHED;
    const text = reached ? counted(summary.count) : SIGNS[summary.state];
    return { text, state: summary.state, value: reached ? summary.count : NaN, summary };
  }
  if (asked.show === SHARE) {
    const known = summary.run > 0 && !summary.missing;
    const value = known ? summary.reached / summary.run : NaN;
    const state = known ? REACHED : summary.state;
    return { text: known ? percent(value).replace(" ", "\u202f") : SIGNS[state], state, value, summary };
  }
  const value = medianOf(grid, runs, asked.show);
  if (Number.isFinite(value)) return { text: short(value, 3), state: REACHED, value, summary };
  const endings = runs.map((run) => grid.column("ending")[run]);
  const state = endings.includes(DIVERGED) ? DIVERGED : endings.includes(FAILED) ? FAILED : NOT_RUN;
  return { text: SIGNS[state], state, value: NaN, summary };
}

/**
 * The colours of what the squares show: counts up to the budget whatever is asked for, so that colours can be compared.
 * @param {Grid[]} grids
 * @param {Asked} asked
 */
export function scaleOf(grids, asked) {
  if (asked.show === COUNT) return { low: 1, high: Math.max(...grids.map((grid) => grid.budget)), log: true };
  if (asked.show === SHARE) return { low: 0, high: 1, log: false };
  const values = grids.flatMap((grid) => {
    const column = grid.column(asked.show) ?? new Float64Array();
    const chances = asked.show.endsWith("_loss") ? grid.chances.map((one) => one.value) : [];
    const most = chances.length ? Math.max(...chances) : Infinity;
    return Array.from(column, (/** @type {number} */ value) => Math.min(value, most)).filter(Number.isFinite);
  }).sort((a, b) => a - b);
  const [low, high] = [values[0] ?? 0, values[Math.floor(0.98 * (values.length - 1))] ?? 1];
  return { low, high, log: low > 0 && high > 20 * low };
}
