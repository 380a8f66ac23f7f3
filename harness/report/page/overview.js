/** What is seen at a glance: a line for each method and protocol, and the scale of the colours. */

import { SHOWN } from "controls";
import { viridis } from "colours";
import { overSeeds, REACHED } from "passages";
import { COUNT, SHARE } from "squares";
import { admits, grids, state } from "state";
import { byId, counted, element, percent, short } from "text";

/** @typedef {import("./squares.js").Asked} Asked */

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
        overSeeds(
          grid,
          grid.runs[setting].filter((run) => now.seeds.has(grid.seeds[run])),
          now.target,
          now.sustained,
        )
      );
      const known = found.filter((one) => one.run > 0 && !one.missing);
      const runs = found.reduce((sum, one) => sum + one.run, 0);
      const reached = found.reduce((sum, one) => sum + one.reached, 0);
      const finite = known.filter((one) => one.state === REACHED);
      const best = finite.length ? Math.min(...finite.map((one) => one.count)) : NaN;
      const cells = [
        ...(grids.length > 1 ? [grid.name] : []),
        method,
        ...(grids.some((one) => one.protocols.length > 1) ? [protocol] : []),
        settings.length,
        percent(known.length ? finite.length / known.length : NaN),
        percent(runs ? reached / runs : NaN),
        Number.isNaN(best) ? "–" : counted(best),
        found.reduce((sum, one) => sum + one.missing, 0) || "",
        found.reduce((sum, one) => sum + one.seeds - one.run - one.missing, 0) || "",
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
    "reach it",
    "runs that do",
    "fastest",
    "cannot tell",
    "no result",
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
}
