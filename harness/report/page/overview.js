/** What is seen at a glance: a line for each method and protocol, and the scale of the colours. */

import { SHOWN } from "controls";
import { viridis } from "colours";
import { overSeeds, REACHED, UNKNOWN } from "passages";
import { COUNT, runsOf, SHARE } from "square";
import { admits, grids, state } from "state";
import { byId, counted, element, percent, short } from "text";

/** @typedef {import("./square.js").Asked} Asked */

/** A line for each method and protocol: how many settings reach the target, and how soon. @param {Asked} now */
export function summaries(now) {
  const rows = grids.flatMap((grid) => {
    /** @type {Map<string, number[]>} */
    const groups = new Map();
    grid.runs.forEach((_, setting) => {
      if (!admits(grid, setting)) return;
      const key = `${grid.methodOf(setting)}\n${grid.protocols[grid.settings.protocol[setting]]}`;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key)?.push(setting);
    });
    return [...groups].map(([key, settings]) => {
      const [method, protocol] = key.split("\n");
      const found = settings.map((setting) =>
        overSeeds(grid, runsOf(grid, setting, now), now.target, now.sustained)
      );
      const some = found.filter((one) => one.run > 0);
      const reach = some.filter((one) => one.state === REACHED);
      const sum = (/** @type {"seeds" | "run" | "reached" | "missing"} */ name) =>
        found.reduce((all, one) => all + one[name], 0);
      const unknown = some.filter((one) => one.state === UNKNOWN).length;
      const cells = [
        ...(grids.length > 1 ? [grid.name] : []),
        method,
        ...(grids.some((one) => one.protocols.length > 1) ? [protocol] : []),
        settings.length,
        shares(reach.length, unknown, some.length),
        shares(sum("reached"), sum("missing"), sum("run")),
        reach.length ? counted(Math.min(...reach.map((one) => one.count))) : "–",
        sum("missing") || "",
        sum("seeds") - sum("run") || "",
      ];
      return element(
        "tr",
        {},
        ...cells.map((text, at) => element(at ? "td" : "th", at ? {} : { scope: "row" }, text)),
      );
    });
  });
  const heads = [
    ...(grids.length > 1 ? ["grid"] : []),
    "method",
    ...(grids.some((one) => one.protocols.length > 1) ? ["protocol"] : []),
    "settings",
    "settings that reach it",
    "runs that reach it",
    "fastest",
    "runs that cannot tell",
    "runs without a result",
  ];
  const used = heads.map((_, at) =>
    at < heads.length - 2 || rows.some((row) => row.children[at].textContent)
  );
  for (const row of rows) [...row.children].forEach((cell, at) => used[at] || cell.remove());
  byId("summary").replaceChildren(
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...heads.filter((_, at) => used[at]).map((head) => element("th", { scope: "col" }, head)),
      ),
    ),
    element("tbody", {}, ...rows),
  );
}

/**
 * A share, or the least and the largest that it may be.
 * @param {number} some
 * @param {number} unknown of which nobody can tell
 * @param {number} all
 */
function shares(some, unknown, all) {
  if (all === 0) return "";
  const least = percent(some / all);
  return unknown ? `${least} to ${percent((some + unknown) / all)}` : least;
}

/** @param {{low: number, high: number, log: boolean}} scale */
export function legend({ low, high, log }) {
  const stops = Array.from({ length: 11 }, (_, at) => `rgb(${viridis(at / 10)})`);
  const at = (/** @type {number} */ share) => log ? low * (high / low) ** share : low + share * (high - low);
  const text = (/** @type {number} */ value) =>
    state.show === SHARE ? percent(value) : short(value, state.show === COUNT ? 2 : 3);
  byId("scale").replaceChildren(
    element("span", {}, SHOWN[state.show]),
    element("span", {}, text(low)),
    element("span", { class: "bar", style: `background: linear-gradient(to right, ${stops})` }),
    element("span", {}, text(at(1))),
  );
  byId("of-counts").hidden = state.show.startsWith("final_");
  byId("of-values").hidden = !state.show.startsWith("final_");
}
