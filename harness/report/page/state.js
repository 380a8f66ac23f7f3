/** What the page shows, and what its reader asks for. */

import { Grid, unpacked } from "data";
import { range } from "passages";
import { COUNT } from "square";
import { byId } from "text";

/** @typedef {import("./square.js").Asked} Asked */
/** @typedef {{grid: Grid, setting: number}} Chosen */

/** Settings that can be pinned. */
export const MOST = 20;

export const content = JSON.parse(byId("content").textContent);
const block = await unpacked(byId("block").textContent.trim());
/** @type {Grid[]} */
export const grids = content.grids.map((/** @type {any} */ one) => new Grid(one, block));
/** The ends of the slider. */
export const [lowest, highest] = range(grids);

export const state = {
  target: grids.map((grid) => grid.target).find((target) => target !== null) ?? content.league_target ??
    middle(),
  sustained: content.league_target !== null,
  show: COUNT,
  seeds: new Set(grids.flatMap((grid) => [...grid.seeds])),
  /** `method`, `protocol` or a hyper-parameter, and the values that are not wanted. @type {Map<string, Set<any>>} */
  without: new Map(),
  /** @type {Chosen[]} */ pinned: [],
  /** @type {Chosen | null} */ current: null,
  logX: false,
  logLoss: false,
  logRates: true,
};

/** The target to begin with where no grid has one: what half of all runs reach. */
function middle() {
  const lows = grids.flatMap(({ first, size }) =>
    Array.from({ length: size }, (_, run) => first.values[first.starts[run + 1] - 1]).filter(Number.isFinite)
  ).sort((a, b) => a - b);
  return Number((lows[lows.length >> 1] ?? highest).toPrecision(2));
}

/** @returns {Asked} */
export function asked() {
  return { ...state, admits };
}

/**
 * Whether a setting passes the filters.
 * @param {Grid} grid
 * @param {number} setting
 */
export function admits(grid, setting) {
  for (const [key, unwanted] of state.without) {
    const value = grid.settings[key]?.[setting] ?? null;
    if (unwanted.has(key === "protocol" ? grid.protocols[value] : value)) return false;
  }
  return true;
}

/** @returns {Chosen[]} */
export function chosen() {
  const { current, pinned } = state;
  return current && !pinned.some((one) => same(one, current)) ? [...pinned, current] : pinned;
}

/**
 * @param {Chosen} a
 * @param {Chosen} b
 */
export function same(a, b) {
  return a.grid === b.grid && a.setting === b.setting;
}

/**
 * Draw a setting's curves, in place of the last one's or beside them.
 * @param {Chosen} what
 * @param {boolean} add
 */
export function choose(what, add) {
  if (add && state.current && !same(state.current, what)) pin(state.current, true);
  if (state.current && same(state.current, what) && !add) state.current = null;
  else state.current = what;
  if (add) pin(what, true);
}

/**
 * @param {Chosen} what
 * @param {boolean} on
 */
export function pin(what, on) {
  state.pinned = state.pinned.filter((one) => !same(one, what));
  if (on && state.pinned.length < MOST) state.pinned.push(what);
}

/** Whether no more settings can be pinned. */
export function full() {
  return state.pinned.length >= MOST;
}

/**
 * Draw a setting's curves, also if they are drawn already.
 * @param {Chosen} what
 */
export function open(what) {
  state.current = what;
}

let waiting = false;
/**
 * Once before the next frame, however often it is asked for.
 * @param {() => void} act
 */
export function later(act) {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    act();
  });
}
