/** The table of all runs: sorted by any column, a page at a time, and as a CSV file. */

import { outcome, passage } from "passages";
import { element, plain, short, written } from "text";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./square.js").Asked} Asked */
/**
 * @typedef {{name: string, head: string, title: string, number: boolean, of: (grid: Grid, run: number) => any}} Column
 */

const PAGE = 100;

/**
 * The columns of the table: what a run is, and what came of it for the target that is asked for.
 * @param {Grid[]} grids
 * @param {() => Asked} asked
 * @returns {Column[]}
 */
export function columns(grids, asked) {
  const hyper = [...new Set(grids.flatMap((grid) => grid.hyper))];
  /** @type {Column[]} */
  const found = [];
  /** @param {string} name @param {string} head @param {string} title @param {boolean} number @param {Column["of"]} of */
  const add = (name, head, title, number, of) => found.push({ name, head, title, number, of });
  if (grids.length > 1) add("grid", "grid", "whose records", false, (grid) => grid.name);
  add("method", "method", "", false, (grid, run) => grid.methodOf(grid.setting[run]));
  if (grids.some((grid) => grid.protocols.length > 1)) {
    add("protocol", "protocol", "", false, (grid, run) => {
      return grid.protocols[grid.settings.protocol[grid.setting[run]]];
    });
  }
  for (const key of hyper) {
    const numeric = grids.some((grid) => grid.settings[key]?.some((value) => typeof value === "number"));
    add(key, plain(key), key, numeric, (grid, run) => grid.settings[key]?.[grid.setting[run]] ?? null);
  }
  add("seed", "seed", "of the tasks and the initial weights", true, (grid, run) => grid.seeds[run]);
  add(
    "first_passage",
    "first",
    "first iteration with a training loss at or below the target",
    true,
    (grid, run) => {
      return passage(grid.first, run, asked().target);
    },
  );
  add(
    "sustained_passage",
    "sustained",
    "first iteration at which the mean of ten losses is",
    true,
    (grid, run) => {
      return passage(grid.sustained, run, asked().target);
    },
  );
  add("outcome_for_target", "outcome", "what came of the run, asked for this target", false, (grid, run) => {
    return outcome(grid, run, passage(grid.first, run, asked().target));
  });
  for (
    const [name, head] of [["iterations_run", "run"], ["final_train_loss", "last loss"], [
      "final_val_loss",
      "validation",
    ]]
  ) {
    const about = grids[0].about[name]?.meaning ?? "";
    add(name, head, about, true, (grid, run) => grid.column(name)?.[run] ?? NaN);
  }
  add("cell_id", "cell", "its id: the key of its record", false, (grid, run) => grid.column("cell_id")[run]);
  return found;
}

/** The table. */
export class Cells {
  /**
   * @param {Grid[]} grids
   * @param {() => Asked} asked
   * @param {(grid: Grid, setting: number) => void} choose called when a row is clicked
   */
  constructor(grids, asked, choose) {
    this.grids = grids;
    this.asked = asked;
    this.choose = choose;
    this.columns = columns(grids, asked);
    this.sorted = { column: -1, down: false };
    this.shown = PAGE;
    /** @type {[Grid, number][]} */ this.rows = [];
    this.body = element("tbody");
    this.heads = this.columns.map((column, at) =>
      element(
        "th",
        { scope: "col", title: column.title || null, class: column.number ? "number" : null },
        element("button", { type: "button", onclick: () => this._sort(at) }, column.head),
      )
    );
    this.more = element("button", { type: "button", onclick: () => this._more() });
    this.count = element("p", { class: "note", "aria-live": "polite" });
    this.root = element(
      "div",
      {},
      this.count,
      element(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "All runs" },
        element(
          "table",
          { class: "data" },
          element("thead", {}, element("tr", {}, ...this.heads)),
          this.body,
        ),
      ),
      this.more,
    );
  }

  /** Take the reader's filters and target anew. */
  update() {
    const { admits, seeds } = this.asked();
    this.rows = this.grids.flatMap((grid) =>
      Array.from({ length: grid.size }, (_, run) => /** @type {[Grid, number]} */ ([grid, run]))
        .filter(([, run]) => admits(grid, grid.setting[run]) && seeds.has(grid.seeds[run]))
    );
    this._order();
    this._draw();
  }

  /** @param {number} column */
  _sort(column) {
    this.sorted = { column, down: this.sorted.column === column && !this.sorted.down };
    this.heads.forEach((head, at) => {
      if (at === column) head.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this._order();
    this._draw();
  }

  /** What is missing stands last, whichever way the rows are sorted. */
  _order() {
    const { column, down } = this.sorted;
    if (column < 0) return;
    const of = this.columns[column].of;
    const missing = (/** @type {any} */ value) => value === null || Number.isNaN(value);
    const keyed = this.rows.map((row) => ({ row, value: of(...row) }));
    keyed.sort((a, b) => {
      if (missing(a.value) || missing(b.value)) return Number(missing(a.value)) - Number(missing(b.value));
      const order = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
      return down ? -order : order;
    });
    this.rows = keyed.map(({ row }) => row);
  }

  _more() {
    this.shown += 5 * PAGE;
    this._draw();
  }

  _draw() {
    const shown = this.rows.slice(0, this.shown);
    this.body.replaceChildren(...shown.map(([grid, run]) =>
      element(
        "tr",
        {},
        ...this.columns.map((column) => {
          const text = said(column, column.of(grid, run));
          const open = column.name === "cell_id"
            ? element("button", { type: "button", onclick: () => this.choose(grid, grid.setting[run]) }, text)
            : text;
          return element("td", { class: column.number ? "number" : null }, open);
        }),
      )
    ));
    const left = this.rows.length - shown.length;
    this.count.textContent = `${this.rows.length} runs${
      left > 0 ? `, the first ${shown.length} of them shown` : ""
    }`;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${Math.min(left, 5 * PAGE)} more`;
  }

  /** The rows as they are sorted, with every column there is: CSV as RFC 4180 has it. */
  csv() {
    const own = new Set(this.columns.map((column) => column.name));
    const others = [...new Set(this.grids.flatMap((grid) => grid.columnNames))].filter((name) =>
      !own.has(name)
    );
    const heads = [...this.columns.map((column) => column.name), ...others];
    const lines = this.rows.map(([grid, run]) => {
      const values = this.columns.map((column) => column.of(grid, run));
      return [...values, ...others.map((name) => grid.column(name)?.[run] ?? null)].map(field).join(",");
    });
    return [heads.map(field).join(","), ...lines, ""].join("\r\n");
  }
}

/**
 * @param {Column} column
 * @param {any} value
 */
function said(column, value) {
  if (value === null || Number.isNaN(value)) return column.name.endsWith("passage") ? "–" : "";
  if (typeof value !== "number") return String(value);
  return column.name.startsWith("final") ? short(value) : written(value);
}

/**
 * A field of a CSV file: numbers in full, nothing for what is missing.
 * @param {any} value
 */
export function field(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const text = value === Infinity ? "inf" : value === -Infinity ? "-inf" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
