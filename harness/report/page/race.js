/** The race's curves. */

import { drawn } from "charts";
import { key } from "chosen";
import { line } from "colours";
import { byId, element } from "text";

const TITLES = /** @type {Record<string, string>} */ ({
  hit: "Probability that the target has been reached",
  best: "Expected best validation loss",
});

/**
 * Draw what each racer has found after so many iterations; null: there was no race.
 * @param {{curves: {curve: string, title: string, x: number[], value: number[]}[], unit: string} | null} found
 */
export function race(found) {
  if (found === null) return;
  const names = [...new Set(found.curves.map((one) => one.title))];
  const place = byId("race-charts");
  const width = Math.min(560, place.clientWidth);
  for (const [curve, title] of Object.entries(TITLES)) {
    const lines = found.curves.filter((one) => one.curve === curve).map((one) => ({
      x: one.x,
      y: one.value,
      ...line(names.indexOf(one.title)),
      title: one.title,
    }));
    const unit = curve === "best" && found.unit ? ` (${found.unit})` : "";
    place.append(drawn({ title: [title, unit], name: title, lines, logX: true, logY: false }, width).root);
  }
  byId("race-key").append(...names.map((name, at) => element("li", {}, key(at), name)));
}
