/** The panels of squares: one for each setting, with its number and its colour. */

import { ink, place, viridis } from "colours";
import { inWords, pairs } from "names";
import { REACHED } from "passages";
import { COUNT, SAID, square } from "square";
import { element, named, written } from "text";

/** @typedef {import("./data.js").Grid} Grid */
/** @typedef {import("./data.js").Panel} Panel */
/** @typedef {import("./passages.js").Summary} Summary */
/** @typedef {import("./square.js").Asked} Asked */

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
    this.names = grid.runs.map((_, setting) => inWords(grid, setting));
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
        // After a click the focus is there too, and on a phone a card would be in the way.
        if (kind === "focusin" && !at?.matches(":focus-visible")) return;
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
      const some =
        asked.show === COUNT && !summary.missing && summary.reached > 0 && summary.reached < summary.run
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
        number.classList.toggle("long", text.length > 4);
        seeds.textContent = some;
      }
    }
    this.mark(chosen);
    for (const { panel, figure } of this.panels) {
      tabbable(figure);
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
    const seeds = summary.run
      ? `, ${summary.missing ? "at least " : ""}${summary.reached} of ${summary.run} seeds reach it`
      : "";
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
    const shared = pairs(Object.entries(panel.shared));
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
 * One square of a panel is a stop of the tabulator, also where the one that was has been left out.
 * @param {HTMLElement} panel
 */
function tabbable(panel) {
  const all = /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("button[data-setting]")]);
  for (const one of all) if (one.hidden) one.tabIndex = -1;
  const open = all.filter((one) => !one.hidden);
  if (open.length && !open.some((one) => one.tabIndex === 0)) open[0].tabIndex = 0;
}
