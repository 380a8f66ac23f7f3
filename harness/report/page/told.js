/** What is told of a setting: to a pointer, and below its curves. */

import { spelled } from "names";
import { NOT_RUN, outcome, passage } from "passages";
import { runsOf } from "square";
import { element, short } from "text";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./square.js").Asked} Asked */

/**
 * What a pointer tells of a setting: its hyper-parameters, and each seed's count, outcome and last losses.
 * @param {Grid} grid
 * @param {number} setting
 * @param {Asked} asked
 */
export function card(grid, setting, asked) {
  const falls = asked.sustained ? grid.sustained : grid.first;
  const [train, val] = ["final_train_loss", "final_val_loss"].map((name) => grid.column(name));
  const runs = runsOf(grid, setting, asked);
  const rows = runs.map((run) => {
    const count = passage(falls, run, asked.target);
    const how = outcome(grid, run, count);
    const cells = [
      grid.seeds[run],
      Number.isNaN(count) ? "–" : count,
      how,
      short(train[run]),
      short(val[run]),
    ];
    return element("tr", {}, ...cells.map((text) => element("td", {}, text)));
  });
  const heads = ["seed", asked.sustained ? "sustained" : "first", "outcome", "last loss", "validation"];
  return [
    element("p", {}, ...spelled(grid, setting)),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", {}, head)))),
      element("tbody", {}, ...rows),
    ),
  ];
}

/**
 * What is known of a setting's runs: ids, counts, where they come from, and the command that runs one again.
 * @param {Grid} grid
 * @param {number} setting
 * @param {Asked} asked
 */
export function facts(grid, setting, asked) {
  const runs = runsOf(grid, setting, asked);
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
    if (name === "first passage") return said(passage(grid.first, run, asked.target));
    if (name === "sustained") return said(passage(grid.sustained, run, asked.target));
    if (name === "outcome") return outcome(grid, run, passage(grid.first, run, asked.target));
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
  const command = first === undefined
    ? ""
    : `${grid.again} --seed ${grid.seeds[first]} ${grid.column("cell_id")[first]}`;
  const copy = element(
    "button",
    { type: "button", onclick: () => navigator.clipboard?.writeText(command) },
    "copy",
  );
  return element(
    "div",
    {},
    element("h3", {}, ...spelled(grid, setting)),
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
