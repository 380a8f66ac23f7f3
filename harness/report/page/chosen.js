/** What is known of the settings that the reader chose: their curves, their runs, and how to run one again. */

import { drawn } from "charts";
import { line } from "colours";
import { inWords, spelled } from "names";
import { runsOf } from "square";
import { asked, chosen, full, grids, pin, same, state } from "state";
import { byId, element, named, plain, short } from "text";
import { facts } from "told";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./state.js").Chosen} Chosen */

/** Of a chart, at least, in pixels. */
const WIDTH = 340;
/** @type {any[]} */
let plots = [];

/**
 * The curves of what is chosen, and what is known of it.
 * @param {() => void} marked called when something else is chosen
 */
export function curves(marked) {
  plots.forEach((plot) => plot.destroy());
  plots = [];
  const all = chosen();
  byId("curves-none").hidden = all.length > 0;
  byId("curves-some").hidden = all.length === 0;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.chip;
  byId("chips").replaceChildren(...all.map((one, at) => chip(one, at, marked)));
  if (focused) byId("chips").querySelector(`[data-chip="${focused}"]`)?.focus();
  byId("chips-full").hidden = !full();
  const told = state.current ?? all[all.length - 1];
  byId("facts").replaceChildren(...(told ? [facts(told.grid, told.setting, asked())] : []));
  const charts = byId("charts");
  charts.replaceChildren();
  if (all.length === 0) return;
  const names = [...new Set(all.flatMap(({ grid }) => curveOrder(grid)))];
  const width = chartWidth(charts);
  const last = Math.max(
    ...all.flatMap(({ grid, setting }) =>
      runsOf(grid, setting, state).map((run) => grid.column("iterations_run")[run] || 1)
    ),
  );
  for (const name of names) {
    const chart = chartOf(name, all);
    if (chart === null) continue;
    const { root, plot } = drawn({ ...chart, last }, width);
    charts.append(root);
    plots.push(plot);
  }
}

/**
 * Draw a setting's charts once out of sight, so that the browser has compiled what the first click needs: it takes
 * half as long then.
 */
export function warm() {
  const [grid] = grids;
  const setting = grid.runs.findIndex((runs) =>
    runs.some((run) => grid.curve("train_loss", run).x.length > 0)
  );
  if (setting < 0) return;
  for (const name of curveOrder(grid)) {
    const chart = chartOf(name, [{ grid, setting }]);
    if (chart) drawn(chart, WIDTH).plot.destroy();
  }
  facts(grid, setting, asked());
}

/**
 * What a curve's chart shows of some settings; null: they have none.
 * @param {string} name
 * @param {Chosen[]} all
 */
function chartOf(name, all) {
  const lines = all.flatMap(({ grid, setting }, at) =>
    !grid.curveNames.includes(name) ? [] : runsOf(grid, setting, state).map((run) => ({
      ...grid.curve(name, run),
      ...line(at),
      title: `${grids.length > 1 ? `${grid.name}, ` : ""}${inWords(grid, setting)}, seed ${grid.seeds[run]}`,
    }))
  ).filter(({ x }) => x.length > 0);
  if (lines.length === 0) return null;
  const isLoss = name.endsWith("_loss");
  const isRate = all.some(({ grid }) => grid.rates.includes(name));
  const target = { value: state.target, text: `target ${short(state.target)}` };
  const levels = isLoss ? [...(name === "train_loss" ? [target] : []), ...chances(all)] : [];
  const unit = grids[0].about[name]?.unit;
  const title = isRate
    ? named(name)
    : [name.replace("val_", "validation ").replace("train_", "training ").replaceAll("_", " ")];
  return {
    title: [...title, unit ? ` (${unit})` : ""],
    name: isRate ? plain(name) : String(title[0]),
    lines,
    levels,
    logX: state.logX,
    logY: isLoss ? state.logLoss : isRate && state.logRates,
  };
}

/** Losses first, then rates, then metrics. @param {Grid} grid */
function curveOrder(grid) {
  const all = grid.curveNames;
  const losses = all.filter((name) => name.endsWith("_loss"));
  return [
    ...losses,
    ...grid.rates,
    ...all.filter((name) => !losses.includes(name) && !grid.rates.includes(name)),
  ];
}

/** @param {Chosen[]} all */
function chances(all) {
  const found = new Map(
    all.flatMap(({ grid, setting }) =>
      grid.chances.filter((one) => one.protocols.includes(grid.settings.protocol[setting]))
        .map((one) => [one.name, one.value])
    ),
  );
  return [...found].map(([text, value]) => ({ value, text }));
}

/** @param {HTMLElement} charts */
function chartWidth(charts) {
  const room = Math.floor(charts.getBoundingClientRect().width);
  const columns = Math.max(1, Math.min(3, Math.floor((room + 16) / WIDTH)));
  return Math.floor((room - 16 * (columns - 1)) / columns);
}

/**
 * How the n-th line looks.
 * @param {number} n
 */
export function key(n) {
  const { colour, dash } = line(n);
  return element("span", {
    class: "key",
    style: `border-top: 3px ${dash.length ? "dashed" : "solid"} ${colour}`,
  });
}

/** @param {Chosen} one @param {number} at @param {() => void} marked */
function chip(one, at, marked) {
  const isPinned = state.pinned.some((other) => same(other, one));
  const name = inWords(one.grid, one.setting);
  return element(
    "li",
    {},
    key(at),
    element(
      "span",
      {},
      grids.length > 1 ? `${one.grid.name}: ` : "",
      ...spelled(one.grid, one.setting),
    ),
    element("button", {
      type: "button",
      "aria-pressed": String(isPinned),
      "data-chip": `pin ${at}`,
      "aria-label": `pin ${name}`,
      title: isPinned ? "unpin: the next click replaces it" : "keep it, and compare others with it",
      onclick: () => {
        pin(one, !isPinned);
        if (isPinned) state.current = one;
        marked();
      },
    }, isPinned ? "pinned" : "pin"),
    element("button", {
      type: "button",
      "data-chip": `remove ${at}`,
      "aria-label": `remove ${name}`,
      onclick: () => {
        pin(one, false);
        if (state.current && same(state.current, one)) state.current = null;
        marked();
      },
    }, "×"),
  );
}
