/** Iterations to any target, of runs and over seeds: the same as harness.records.passages and analysis.summary. */

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./data.js").Ragged} Ragged */

export const REACHED = "reached";
export const BUDGET = "budget";
export const DIVERGED = "diverged";
export const FAILED = "failed";
export const NOT_RUN = "not run";
/** The run stopped at its grid's target, before it could tell. */
export const UNKNOWN = "unknown";

/**
 * The iteration of a run's passage of a target; NaN: there is none. `falls` holds the iterations at which the lowest
 * loss so far falls, so its values fall from one to the next.
 * @param {Ragged} falls
 * @param {number} run
 * @param {number} target
 */
export function passage({ starts, at, values }, run, target) {
  let [low, high] = [starts[run], starts[run + 1]];
  const end = high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= target) high = middle;
    else low = middle + 1;
  }
  return low < end ? at[low] : NaN;
}

/**
 * What came of a run, asked for a target: as harness.records.passages.outcome has it, reached whatever follows.
 * @param {Grid} grid
 * @param {number} run
 * @param {number} count of its passage, NaN: none
 */
export function outcome(grid, run, count) {
  const ending = grid.column("ending")[run];
  if (ending === null) return NOT_RUN;
  if (!Number.isNaN(count)) return REACHED;
  return ending === "stopped" ? UNKNOWN : ending;
}

/**
 * The median, where infinity is a number like others; of an even number the mean of the middle two. NaN: none.
 * @param {number[]} values
 */
export function median(values) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => (a === b ? 0 : a - b));
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * @typedef {{count: number, state: string, seeds: number, run: number, reached: number, missing: number}} Summary
 * count: median passage over the seeds with a result, a miss infinite; NaN: not known. state: of the median run. seeds:
 * runs asked for. run: those with a result. reached: those that reached the target. missing: those of `run` that stopped
 * before they could tell.
 */

/**
 * A setting over its runs, asked for a target. A run that stopped before it could tell passes the target later than
 * it ran, if ever: where the median is the same either way, it is known.
 * @param {Grid} grid
 * @param {number[]} runs
 * @param {number} target
 * @param {boolean} sustained
 * @returns {Summary}
 */
export function overSeeds(grid, runs, target, sustained) {
  const falls = sustained ? grid.sustained : grid.first;
  const [soonest, never] = /** @type {[number[], number[]]} */ ([[], []]);
  /** @type {Record<string, number>} */
  const found = { [REACHED]: 0, [BUDGET]: 0, [DIVERGED]: 0, [FAILED]: 0, [NOT_RUN]: 0, [UNKNOWN]: 0 };
  for (const run of runs) {
    const count = passage(falls, run, target);
    const what = outcome(grid, run, count);
    found[what] += 1;
    if (what === FAILED || what === NOT_RUN) continue;
    const reached = what === REACHED;
    soonest.push(reached ? count : what === UNKNOWN ? grid.column("iterations_run")[run] + 1 : Infinity);
    never.push(reached ? count : Infinity);
  }
  const [middle, latest] = [median(soonest), median(never)];
  let state;
  if (never.length === 0) state = found[FAILED] ? FAILED : NOT_RUN;
  else if (middle !== latest) state = UNKNOWN;
  else if (Number.isFinite(latest)) state = REACHED;
  else if (found[DIVERGED] + found[BUDGET] === 0) state = UNKNOWN;
  else state = found[DIVERGED] >= found[BUDGET] ? DIVERGED : BUDGET;
  return {
    count: state === UNKNOWN ? NaN : latest,
    state,
    seeds: runs.length,
    run: never.length,
    reached: found[REACHED],
    missing: found[UNKNOWN],
  };
}

/**
 * The median over runs of a column of the trials; NaN: none has it. Failed runs are left out, as everywhere. A loss
 * that is not finite at the end of a run that diverged is infinite.
 * @param {Grid} grid
 * @param {number[]} runs
 * @param {string} column
 */
export function medianOf(grid, runs, column) {
  const [values, endings] = [grid.column(column), grid.column("ending")];
  const isLoss = column.endsWith("_loss");
  const known = runs.filter((run) => endings[run] !== FAILED).map((run) =>
    isLoss && endings[run] === DIVERGED && Number.isNaN(values[run]) ? Infinity : values[run]
  );
  return median(known.filter((value) => !Number.isNaN(value)));
}

/**
 * The lowest and the highest target that it makes sense to ask for: below the one no run passes, above the other all do
 * at once.
 * @param {Grid[]} grids
 * @returns {[number, number]}
 */
export function range(grids) {
  const lowest = [];
  const begin = [];
  for (const { first, size } of grids) {
    for (let run = 0; run < size; run++) {
      const [from, to] = [first.starts[run], first.starts[run + 1]];
      if (to > from) {
        begin.push(first.values[from]);
        lowest.push(first.values[to - 1]);
      }
    }
  }
  if (begin.length === 0) return [0, 1];
  begin.sort((a, b) => a - b);
  const low = lowest.reduce((a, b) => Math.min(a, b));
  const high = begin[Math.floor(0.9 * (begin.length - 1))];
  const marks = grids.flatMap((grid) => [...grid.chances.map((one) => one.value), grid.target ?? low]);
  return [low, Math.max(high, low, ...marks) * 1.02];
}
