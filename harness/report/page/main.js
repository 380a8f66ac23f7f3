/** The page: what follows from what the reader asks for. */

import { Cells } from "cells";
import { curves, warm } from "chosen";
import { line } from "colours";
import { ask, controls } from "controls";
import { legend, summaries } from "overview";
import { race } from "race";
import { scaleOf } from "square";
import { Squares } from "squares";
import { asked, choose, chosen, content, grids, later, MOST, open, state } from "state";
import { byId, element } from "text";
import { card } from "told";

/** @typedef {import("./data.js").Grid} Grid */

const squares = grids.map((grid) =>
  new Squares(
    grid,
    (setting, add) => {
      choose({ grid, setting }, add);
      marked();
    },
    (at, setting) => tell(grid, at, setting),
  )
);
const table = new Cells(grids, asked, show);

/**
 * Draw a setting's curves, and go there.
 * @param {Grid} grid
 * @param {number} setting
 */
function show(grid, setting) {
  open({ grid, setting });
  marked();
  byId("curves").scrollIntoView();
}

function update() {
  const now = asked();
  const scale = scaleOf(grids, now);
  const colours = chosenColours();
  squares.forEach((one, at) => one.update(now, scale, colours[at]));
  summaries(now);
  legend(scale);
  document.body.setAttribute("aria-busy", "true");
  clearTimeout(waiting);
  waiting = setTimeout(rest, PAUSE);
}

const PAUSE = 60;
let waiting = 0;
/** What takes longer, and can wait until the slider rests. */
function rest() {
  table.update();
  curves(marked);
  document.body.removeAttribute("aria-busy");
}

/** Of each grid, the settings whose curves are drawn and the colours of these. */
function chosenColours() {
  return grids.map((grid) =>
    new Map(chosen().flatMap((one, at) => one.grid === grid ? [[one.setting, line(at).colour]] : []))
  );
}

/** What is chosen has changed. */
function marked() {
  const colours = chosenColours();
  squares.forEach((one, at) => one.mark(colours[at]));
  curves(marked);
}

/** @param {Grid} grid @param {HTMLElement | null} at @param {number} setting */
function tell(grid, at, setting) {
  const tip = byId("tip");
  tip.hidden = at === null;
  if (at === null) return;
  tip.replaceChildren(...card(grid, setting, asked()));
  const box = at.getBoundingClientRect();
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const left = Math.min(
    Math.max(8, box.left + box.width / 2 - width / 2),
    document.documentElement.clientWidth - width - 8,
  );
  const below = box.bottom + 8 + height < innerHeight;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(below ? box.bottom + 8 : box.top - 8 - height) + scrollY}px`;
}

function save() {
  rest();
  const file = new Blob([table.csv()], { type: "text/csv" });
  const link = element("a", {
    href: URL.createObjectURL(file),
    download: `${grids.map((grid) => grid.name).join("-")}-target-${state.target}.csv`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(/** @type {HTMLAnchorElement} */ (link).href), 1000);
}

/** Buttons that choose what a column of the grid's own figure shows. */
function views() {
  return grids.flatMap((grid) =>
    grid.views.map((view) =>
      element("button", {
        type: "button",
        onclick: () => {
          state.pinned = view.settings.slice(0, MOST).map((setting) => ({ grid, setting }));
          state.current = null;
          marked();
        },
      }, view.title)
    )
  );
}

function begin() {
  controls(update, () => curves(marked));
  squares.forEach((one, at) => byId(`squares-${at}`).append(one.root));
  byId("cells").append(table.root);
  const buttons = views();
  byId("views").append(...buttons);
  byId("views-box").hidden = buttons.length === 0;
  byId("csv").addEventListener("click", save);
  race(content.race);
  ask(state.target, update);
  update();
  clearTimeout(waiting);
  rest();
  buttons[0]?.click();
  document.body.dataset.ready = "true";
  setTimeout(warm, PAUSE);
}

addEventListener("resize", () => later(() => curves(marked)));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") byId("tip").hidden = true;
});
for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-cell]"))) {
  link.addEventListener("click", () => {
    for (const grid of grids) {
      const run = grid.column("cell_id").indexOf(link.dataset.cell);
      if (run >= 0) {
        show(grid, grid.setting[run]);
        return;
      }
    }
  });
}
begin();
