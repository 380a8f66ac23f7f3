/** What the reader can ask for: the target, the passage, what squares show, filters, axes. */

import { grids, highest, later, lowest, state } from "state";
import { COUNT, SHARE } from "square";
import { byId, element, named, short, written } from "text";

const STEPS = 2000;
const logarithmic = lowest > 0 && highest > 30 * lowest;
/** What squares can show: names of columns, and their words. */
export const SHOWN = /** @type {Record<string, string>} */ ({
  [COUNT]: "iterations to the target",
  [SHARE]: "share of seeds that reach it",
});

/** @param {number} target */
function position(target) {
  const share = logarithmic
    ? Math.log(target / lowest) / Math.log(highest / lowest)
    : (target - lowest) / (highest - lowest);
  return Math.round(STEPS * Math.min(Math.max(share, 0), 1));
}

/** @param {number} at */
function targetAt(at) {
  const share = at / STEPS;
  const value = logarithmic ? lowest * (highest / lowest) ** share : lowest + share * (highest - lowest);
  return Number(value.toPrecision(5));
}

/**
 * Ask for another target.
 * @param {number} target
 * @param {() => void} changed
 */
export function ask(target, changed) {
  if (Number.isFinite(target)) state.target = target;
  target = state.target;
  byId("target-number").value = String(target);
  byId("target-slider").value = String(position(target));
  byId("from-chance").textContent = fromChance(target);
  byId("target-slider").setAttribute("aria-valuetext", `${short(target)} ${grids[0].unit}`);
  later(changed);
}

/**
 * How far a target is from chance: 0.496 below ln 20.
 * @param {number} target
 */
function fromChance(target) {
  const every = new Map(grids.flatMap((grid) => grid.chances.map((one) => [one.name, one.value])));
  const told = [...every].map(([name, value]) =>
    `${short(Math.abs(value - target), 2)} ${target > value ? "above" : "below"} ${name}`
  );
  return told.length ? `, ${told.join(", ")}` : "";
}

/**
 * Bring the controls to life.
 * @param {() => void} changed called when something else is asked for
 * @param {() => void} redraw called when the same is to be drawn on other axes
 */
export function controls(changed, redraw) {
  const slider = byId("target-slider");
  slider.max = String(STEPS);
  slider.addEventListener("input", () => ask(targetAt(Number(slider.value)), changed));
  byId("target-number").addEventListener("change", () => ask(byId("target-number").valueAsNumber, changed));
  const marks = new Map();
  for (const grid of grids) {
    for (const { name, value } of grid.chances) marks.set(name, value);
    if (grid.target !== null) marks.set(`target ${short(grid.target)}`, grid.target);
  }
  let before = -Infinity;
  const sorted = [...marks].sort(([, a], [, b]) => a - b);
  byId("target-marks").append(...sorted.map(([name, value]) => {
    const isClose = position(value) - before < STEPS / 6;
    before = isClose ? -Infinity : position(value);
    return element(
      "button",
      {
        type: "button",
        class: isClose ? "lower" : null,
        style: `--at: ${100 * position(value) / STEPS}%`,
        onclick: () => ask(value, changed),
        title: `ask for ${value}`,
      },
      name,
    );
  }));
  for (const way of document.querySelectorAll("input[name=passage]")) {
    way.addEventListener("change", () => {
      state.sustained = /** @type {HTMLInputElement} */ (way).value === "sustained";
      later(changed);
    });
  }
  byId(state.sustained ? "sustained" : "first").checked = true;
  const finals = [
    ...new Set(grids.flatMap((grid) => grid.columnNames.filter((name) => name.startsWith("final_")))),
  ];
  for (const name of finals) {
    if (
      grids.some((grid) => grid.column(name)?.some?.((/** @type {any} */ value) => Number.isFinite(value)))
    ) {
      SHOWN[name] = name.replace("final_", "last ").replaceAll("_", " ").replace("val ", "validation ")
        .replace("train ", "training ");
    }
  }
  const show = byId("show");
  show.append(...Object.entries(SHOWN).map(([value, text]) => element("option", { value }, text)));
  show.addEventListener("change", () => {
    state.show = show.value;
    later(changed);
  });
  for (const [id, key] of [["log-x", "logX"], ["log-loss", "logLoss"], ["log-rates", "logRates"]]) {
    const box = byId(id);
    box.checked = /** @type {any} */ (state)[key];
    box.addEventListener("change", () => {
      /** @type {any} */ (state)[key] = box.checked;
      redraw();
    });
  }
  byId("filters").append(...filters(changed));
}

/**
 * Boxes to tick for methods, protocols, seeds and the values of hyper-parameters.
 * @param {() => void} changed
 */
function filters(changed) {
  /** @param {string} name @param {Node[]} title @param {[any, string][]} values @param {(value: any, on: boolean) => void} act */
  const group = (name, title, values, act) =>
    values.length < 2 ? [] : [element(
      "fieldset",
      { "data-filter": name },
      element("legend", {}, ...title),
      ...values.map(([value, text]) => {
        const box = element("input", { type: "checkbox", checked: true });
        box.addEventListener("change", () => {
          act(value, /** @type {HTMLInputElement} */ (box).checked);
          later(changed);
        });
        return element("label", {}, box, text);
      }),
    )];
  /** @param {string} key */
  const without = (key) => (/** @type {any} */ value, /** @type {boolean} */ on) => {
    const unwanted = state.without.get(key) ?? new Set();
    if (on) unwanted.delete(value);
    else unwanted.add(value);
    state.without.set(key, unwanted);
  };
  const methods = new Map(grids.flatMap((grid) => grid.methods.map((one) => [one.name, one.title])));
  const protocols = [...new Set(grids.flatMap((grid) => grid.protocols))].map((
    text,
  ) => /** @type {[any, string]} */ ([text, text]));
  const seeds = [...state.seeds].sort((a, b) => a - b).map((
    seed,
  ) => /** @type {[any, string]} */ ([seed, String(seed)]));
  const hyper = [...new Set(grids.flatMap((grid) => grid.hyper))];
  return [
    ...group("method", [new Text("method")], [...methods], without("method")),
    ...group("protocol", [new Text("protocol")], protocols, without("protocol")),
    ...group(
      "seed",
      [new Text("seed")],
      seeds,
      (seed, on) => on ? state.seeds.add(seed) : state.seeds.delete(seed),
    ),
    ...hyper.flatMap((key) => {
      const found = [...new Set(grids.flatMap((grid) => grid.settings[key] ?? []))].filter((value) =>
        value !== null
      );
      found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      return group(key, named(key), found.map((value) => [value, written(value)]), without(key));
    }),
  ];
}
