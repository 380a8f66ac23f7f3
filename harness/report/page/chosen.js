/** What is known of the settings that the reader chose: their curves, their runs, and how to run one again. */

import { drawn } from "charts";
import { line } from "colours";
import { NOT_RUN, outcome, passage } from "passages";
import { inWords, valuesOf } from "squares";
import { chosen, grids, pin, runsOf, same, state } from "state";
import { byId, element, named, plain, short } from "text";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./state.js").Chosen} Chosen */

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
  byId("chips").replaceChildren(...all.map((one, at) => chip(one, at, marked)));
  byId("facts").replaceChildren(...(all.length ? [facts(all[all.length - 1])] : []));
  const charts = byId("charts");
  charts.replaceChildren();
  if (all.length === 0) return;
  const names = [...new Set(all.flatMap(({ grid }) => curveOrder(grid)))];
  const width = chartWidth(charts);
  for (const name of names) {
    const lines = all.flatMap(({ grid, setting }, at) =>
      !grid.curveNames.includes(name) ? [] : runsOf(grid, setting).map((run) => ({
        ...grid.curve(name, run),
        ...line(at),
        title: `${grids.length > 1 ? `${grid.name}, ` : ""}${grid.methodOf(setting)}, ${
          inWords(grid, setting)
        }, seed ${grid.seeds[run]}`,
      }))
    ).filter(({ x }) => x.length > 0);
    if (lines.length === 0) continue;
    const isLoss = name.endsWith("_loss");
    const isRate = all.some(({ grid }) => grid.rates.includes(name));
    const levels = isLoss
      ? [
        ...(name === "train_loss" ? [{ value: state.target, text: `target ${short(state.target)}` }] : []),
        ...chances(all),
      ]
      : [];
    const unit = grids[0].about[name]?.unit;
    const title = isRate
      ? named(name)
      : [name.replace("val_", "validation ").replace("train_", "training ").replaceAll("_", " ")];
    const { root, plot } = drawn({
      title: [...title, unit ? ` (${unit})` : ""],
      name: isRate ? plain(name) : String(title[0]),
      lines,
      levels,
      logX: state.logX,
      logY: isLoss ? state.logLoss : isRate && state.logRates,
    }, width);
    charts.append(root);
    plots.push(plot);
  }
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
  const found = new Map(all.flatMap(({ grid }) => grid.chances.map((one) => [one.name, one.value])));
  return [...found].map(([text, value]) => ({ value, text }));
}

/** @param {HTMLElement} charts */
function chartWidth(charts) {
  const room = charts.clientWidth;
  const columns = Math.max(1, Math.min(3, Math.floor((room + 16) / 340)));
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
  return element(
    "li",
    {},
    key(at),
    element(
      "span",
      {},
      grids.length > 1 ? `${one.grid.name}: ` : "",
      element("strong", {}, one.grid.methodOf(one.setting)),
      " ",
      ...valuesOf(one.grid, one.setting),
    ),
    element("button", {
      type: "button",
      "aria-pressed": String(isPinned),
      title: isPinned ? "let the next click take its place" : "keep it, and compare others with it",
      onclick: () => {
        pin(one, !isPinned);
        if (isPinned) state.current = one;
        marked();
      },
    }, isPinned ? "pinned" : "pin"),
    element("button", {
      type: "button",
      "aria-label": "remove",
      onclick: () => {
        pin(one, false);
        if (state.current && same(state.current, one)) state.current = null;
        marked();
      },
    }, "×"),
  );
}

/** What is known of a setting's runs: ids, counts, where they come from, and the command that runs one again. @param {Chosen} one */
function facts({ grid, setting }) {
  const runs = runsOf(grid, setting);
  const names = [
    "cell_id",
    "seed",
    "first passage",
    "sustained",
    "outcome",
    "ending",
    "iterations_run",
    "final_train_loss",
    "final_val_loss",
  ];
  const origin = [
    "device",
    "threads",
    "pack_size",
    "commit",
    "torch",
    "numerics",
    "dataset_sha256",
    "plugins",
    "finished",
    "wall_seconds",
    "error",
  ];
  /** @param {number} run @param {string} name */
  const value = (run, name) => {
    if (name === "first passage") return said(passage(grid.first, run, state.target));
    if (name === "sustained") return said(passage(grid.sustained, run, state.target));
    if (name === "outcome") return outcome(grid, run, passage(grid.first, run, state.target));
    const found = grid.column(name)?.[run];
    if (found === null || found === undefined || Number.isNaN(found)) return "";
    return typeof found === "number" ? short(found, 6) : found;
  };
  const shown = [...names, ...origin.filter((name) => runs.some((run) => value(run, name) !== ""))];
  const head = element(
    "tr",
    {},
    ...shown.map((name) =>
      element("th", { scope: "col", title: grid.about[name]?.meaning }, name.replaceAll("_", " "))
    ),
  );
  const body = runs.map((run) =>
    element("tr", {}, ...shown.map((name) => element("td", {}, value(run, name))))
  );
  const first = runs.find((run) => outcome(grid, run, NaN) !== NOT_RUN) ?? runs[0];
  const command = first === undefined ? "" : `${grid.again} ${grid.column("cell_id")[first]}`;
  const copy = element(
    "button",
    { type: "button", onclick: () => navigator.clipboard?.writeText(command) },
    "copy",
  );
  return element(
    "div",
    {},
    element("h3", {}, grid.methodOf(setting), ", ", ...valuesOf(grid, setting)),
    element("p", { class: "note" }, grid.protocols[grid.settings.protocol[setting]]),
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Runs of this setting" },
      element("table", { class: "data" }, element("thead", {}, head), element("tbody", {}, ...body)),
    ),
    element("p", {}, "Train it again and watch: ", element("code", {}, command), " ", copy),
  );
}

/** @param {number} count */
function said(count) {
  return Number.isNaN(count) ? "–" : String(count);
}
