/** The counts that a page shows, without a browser: its own scripts on its own data, asked for some targets. */

import { Grid, unpacked } from "data";
import { outcome, overSeeds, passage } from "passages";

const { content, block, targets } = JSON.parse(await new Response(Deno.stdin.readable).text());
const bytes = await unpacked(block);
const grids = content.grids.map((one) => new Grid(one, bytes));
const found = grids.map((grid) => ({
  cell_id: grid.column("cell_id"),
  runs: targets.map((target) =>
    Array.from({ length: grid.size }, (_, run) => {
      const [first, sustained] = [grid.first, grid.sustained].map((falls) => passage(falls, run, target));
      return [first, sustained, outcome(grid, run, first)];
    })
  ),
  settings: targets.map((target) =>
    grid.runs.map((runs) => [false, true].map((sustained) => overSeeds(grid, runs, target, sustained)))
  ),
  curves: Object.fromEntries(grid.curveNames.map((name) => [
    name,
    Array.from({ length: grid.size }, (_, run) => {
      const { x, y } = grid.curve(name, run);
      return [Array.from(x), Array.from(y)];
    }),
  ])),
}));
console.log(JSON.stringify(found, (_, value) => value === Infinity ? "inf" : value));
