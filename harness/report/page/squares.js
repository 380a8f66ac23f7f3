/** The panels of squares: one for each setting, with its number, its colour, and what a pointer or a key tells of it. */

import { ink, place, viridis } from "colours";
import {
  BUDGET,
  DIVERGED,
  FAILED,
  medianOf,
  NOT_RUN,
  outcome,
  overSeeds,
  passage,
  REACHED,
  UNKNOWN,
} from "passages";
import { counted, element, named, percent, plain, short, written } from "text";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./data.js").Panel} Panel */
/** @typedef {import("./data.js").Value} Value */
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
const SAID = /** @type {Record<string, string>} */ ({
  [BUDGET]: "not reached",
  [DIVERGED]: "diverged",
  [FAILED]: "failed",
  [NOT_RUN]: "not run yet",
  [UNKNOWN]: "stopped before it could tell",
});

/**
 * What a square shows of a setting.
 * @param {Grid} grid
 * @param {number} setting
 * @param {Asked} asked
 * @returns {Square}
 */
export function square(grid, setting, asked) {
  const runs = grid.runs[setting].filter((run) => asked.seeds.has(grid.seeds[run]));
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

/** All squares of a grid: made once, then only changed. */
export class Squares {
  /**
   * @param {Grid} grid
   * @param {(setting: number, add: boolean) => void} choose called when a square is clicked
   * @param {(at: HTMLElement | null, setting: number) => void} tell called when a square is pointed at, and left
   */
  constructor(grid, choose, tell) {
    this.grid = grid;
    /** @type {Map<number, HTMLElement[]>} */ this.buttons = new Map();
    /** What each square shows now, so that only what changes is written. @type {Map<number, string>} */
    this.shown = new Map();
    this.names = grid.runs.map((_, setting) => `${grid.methodOf(setting)}, ${inWords(grid, setting)}`);
    this.panels = grid.panels.map((panel) => ({ panel, figure: this._panel(panel) }));
    this.root = element("div", { class: "panels" }, ...this.panels.map(({ figure }) => figure));
    /** @param {Event} event */
    const of = (event) => /** @type {HTMLElement | null} */ (event.target)?.closest("button[data-setting]");
    this.root.addEventListener("click", (event) => {
      const at = /** @type {HTMLElement | null} */ (of(event));
      if (at) choose(Number(at.dataset.setting), event.ctrlKey || event.metaKey || event.shiftKey);
    });
    for (const kind of ["pointerover", "focusin"]) {
      this.root.addEventListener(kind, (event) => {
        const at = /** @type {HTMLElement | null} */ (of(event));
        tell(at, at ? Number(at.dataset.setting) : -1);
      });
    }
    for (const kind of ["pointerleave", "focusout"]) this.root.addEventListener(kind, () => tell(null, -1));
    this.root.addEventListener("keydown", (event) => this._move(event));
  }

  /**
   * Write what is asked for into every square.
   * @param {Asked} asked
   * @param {{low: number, high: number, log: boolean}} scale
   * @param {Map<number, string>} chosen settings whose curves are drawn, and their colours
   */
  update(asked, scale, chosen) {
    for (const [setting, buttons] of this.buttons) {
      const { text, state, value, summary } = square(this.grid, setting, asked);
      const admitted = asked.admits(this.grid, setting) && summary.seeds > 0;
      const some = asked.show === COUNT && summary.reached > 0 && summary.reached < summary.run
        ? `${summary.reached}/${summary.run}`
        : "";
      const colour = Number.isNaN(value) ? null : viridis(place(value, scale));
      const said = this._said(setting, text, state, asked, summary);
      const shown = `${admitted} ${some} ${colour} ${said} ${text}`;
      if (this.shown.get(setting) === shown) continue;
      this.shown.set(setting, shown);
      for (const button of buttons) {
        button.dataset.state = state;
        button.hidden = !admitted;
        button.style.background = colour ? `rgb(${colour})` : "";
        button.style.color = colour ? ink(colour) : "";
        button.setAttribute("aria-label", said);
        const [number, seeds] = button.children;
        number.textContent = text;
        seeds.textContent = some;
      }
    }
    this.mark(chosen);
    for (const { panel, figure } of this.panels) {
      const settings = [...panel.squares.map(([, , setting]) => setting), ...panel.beside];
      figure.hidden = !settings.some((setting) => asked.admits(this.grid, setting));
    }
    const counts = this.panels.map(({ panel }) =>
      Math.min(...panel.beside.map((one) => this._count(one, asked)))
    );
    this.panels.forEach(({ panel, figure }, at) => {
      const others = counts.filter((_, other) => this.panels[other].panel.protocol === panel.protocol);
      const tuned = Number.isFinite(counts[at]) && others.length > 1 && counts[at] === Math.min(...others);
      figure.toggleAttribute("data-tuned", tuned);
    });
  }

  /**
   * The median passage of a setting, infinite for what is not known.
   * @param {number} setting
   * @param {Asked} asked
   */
  _count(setting, asked) {
    const { count } = square(this.grid, setting, { ...asked, show: COUNT }).summary;
    return Number.isNaN(count) ? Infinity : count;
  }

  /**
   * Mark the settings whose curves are drawn, in the colours of these.
   * @param {Map<number, string>} chosen
   */
  mark(chosen) {
    for (const [setting, buttons] of this.buttons) {
      for (const button of buttons) {
        button.style.setProperty("--line", chosen.get(setting) ?? "transparent");
        button.setAttribute("aria-pressed", String(chosen.has(setting)));
      }
    }
  }

  /**
   * @param {number} setting
   * @param {string} text
   * @param {string} state
   * @param {Asked} asked
   * @param {Summary} summary
   */
  _said(setting, text, state, asked, summary) {
    const what = state === REACHED
      ? asked.show === COUNT ? `${text} iterations` : text
      : SAID[state] ?? state;
    const seeds = summary.run ? `, ${summary.reached} of ${summary.run} seeds reach it` : "";
    return `${this.names[setting]}: ${what}${seeds}`;
  }

  /** @param {Panel} panel */
  _panel(panel) {
    const { xs, ys } = axes(panel);
    const at = new Map(
      panel.squares.map(([x, y, setting]) => [`${xs.indexOf(x)} ${ys.indexOf(y)}`, setting]),
    );
    let first = true;
    const cell = (/** @type {number} */ setting) => {
      const button = element(
        "button",
        { type: "button", "data-setting": setting, tabindex: first ? 0 : -1 },
        element("b"),
        element("i"),
      );
      first = false;
      this.buttons.set(setting, [...(this.buttons.get(setting) ?? []), button]);
      return button;
    };
    const rows = ys.map((y, row) =>
      element(
        "tr",
        {},
        panel.y ? element("th", { scope: "row" }, written(y)) : null,
        ...xs.map((_, column) => {
          const setting = at.get(`${column} ${row}`);
          return setting === undefined ? element("td", { class: "none" }) : element("td", {}, cell(setting));
        }),
      )
    );
    const below = panel.x
      ? element(
        "tr",
        {},
        panel.y ? element("td") : null,
        ...xs.map((x) => element("th", { scope: "col" }, written(x))),
      )
      : null;
    const beside = panel.beside.map((setting) =>
      element("div", { class: "beside" }, element("span", {}, this.grid.methodOf(setting)), cell(setting))
    );
    return element(
      "figure",
      { class: "panel" },
      element("figcaption", {}, ...this._title(panel)),
      element(
        "div",
        { class: "axes" },
        panel.y ? element("span", { class: "y" }, ...named(panel.y)) : null,
        element(
          "table",
          { role: "presentation" },
          element("tbody", {}, ...rows),
          element("tfoot", {}, below),
        ),
        beside.length ? element("div", { class: "besides" }, ...beside) : null,
      ),
      panel.x ? element("span", { class: "x" }, ...named(panel.x)) : null,
    );
  }

  /** @param {Panel} panel */
  _title(panel) {
    const shared = Object.entries(panel.shared).flatMap(([key, value], i) => [
      ...(i ? [", "] : []),
      element(
        "span",
        { class: "pair" },
        ...named(key),
        typeof value === "number" ? " = " : ": ",
        written(value),
      ),
    ]);
    const { methods, protocols } = this.grid;
    const method = methods.find((one) => one.name === panel.method)?.title ?? panel.method;
    return [
      element("strong", {}, method),
      ...(protocols.length > 1 ? [element("span", { class: "protocol" }, protocols[panel.protocol])] : []),
      ...(shared.length ? [element("span", { class: "shared" }, ...shared)] : []),
    ];
  }

  /**
   * Arrow keys go from square to square of a panel, which is one stop of the tabulator.
   * @param {KeyboardEvent} event
   */
  _move(event) {
    const steps = /** @type {Record<string, number[]>} */ ({
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    });
    const step = steps[event.key];
    const from = /** @type {HTMLElement} */ (event.target);
    const panel = from.closest(".panel");
    if (!step || !panel) return;
    event.preventDefault();
    const all =
      /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("button[data-setting]:not([hidden])")]);
    const here = from.getBoundingClientRect();
    let nearest = null;
    let least = Infinity;
    for (const other of all) {
      const box = other.getBoundingClientRect();
      const [dx, dy] = [box.x - here.x, box.y - here.y];
      const along = dx * step[0] + dy * step[1];
      const across = Math.abs(dx * step[1]) + Math.abs(dy * step[0]);
      if (other !== from && along > 1 && along + 3 * across < least) {
        [nearest, least] = [other, along + 3 * across];
      }
    }
    if (nearest) {
      from.tabIndex = -1;
      nearest.tabIndex = 0;
      nearest.focus();
    }
  }
}

/**
 * The values along a panel's axes: to the right, and from top to bottom, the largest first.
 * @param {Panel} panel
 */
function axes(panel) {
  /** @param {0 | 1} which */
  const values = (which) => {
    const found = [...new Set(panel.squares.map((one) => one[which]))];
    return found.every((value) => typeof value === "number")
      ? /** @type {number[]} */ (found).sort((a, b) => a - b)
      : found;
  };
  return { xs: values(0), ys: values(1).reverse() };
}

/**
 * What a pointer tells of a setting: its hyper-parameters, and each seed's count, outcome and last losses.
 * @param {Grid} grid
 * @param {number} setting
 * @param {Asked} asked
 */
export function card(grid, setting, asked) {
  const falls = asked.sustained ? grid.sustained : grid.first;
  const [train, val] = ["final_train_loss", "final_val_loss"].map((name) => grid.column(name));
  const runs = grid.runs[setting].filter((run) => asked.seeds.has(grid.seeds[run]));
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
    element("strong", {}, grid.methodOf(setting)),
    element("p", {}, ...valuesOf(grid, setting)),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", {}, head)))),
      element("tbody", {}, ...rows),
    ),
  ];
}

/**
 * A setting's hyper-parameters as plain text.
 * @param {Grid} grid
 * @param {number} setting
 */
export function inWords(grid, setting) {
  return grid.valuesOf(setting).map(([key, value]) => `${plain(key)} ${written(value)}`).join(", ");
}

/**
 * The same with subscripts.
 * @param {Grid} grid
 * @param {number} setting
 */
export function valuesOf(grid, setting) {
  return grid.valuesOf(setting).flatMap(([key, value], i) => [
    ...(i ? [", "] : []),
    element(
      "span",
      { class: "pair" },
      ...named(key),
      typeof value === "number" ? " = " : ": ",
      written(value),
    ),
  ]);
}
