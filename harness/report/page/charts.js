/** Line charts, drawn by uPlot, which the page carries as a global. */

import { ends, logarithmic, span, threshold, ticks, WHOLE } from "axes";
import { isDark } from "colours";
import { element, short } from "text";

/**
 * @typedef {{x: ArrayLike<number>, y: ArrayLike<number>, colour: string, dash: number[], title: string}} Line
 * @typedef {{value: number, text: string}} Level a horizontal line: the target, chance
 * @typedef {{title: (Node | string)[], lines: Line[], levels?: Level[], logX: boolean, logY: boolean, name: string,
 *   last?: number}} Chart
 */

const uPlot = /** @type {any} */ (globalThis).uPlot;
const HEIGHT = 260;
const FONT = "12px system-ui, sans-serif";

/**
 * A chart in a figure of its own; `width` in pixels.
 * @param {Chart} chart
 * @param {number} width
 * @returns {{root: HTMLElement, plot: any}}
 */
export function drawn(chart, width) {
  const told = element("figcaption", {}, ...chart.title);
  const hovered = element("span", { class: "hovered" }, "\u00a0");
  const stage = element("div", { class: "stage", role: "img", "aria-label": described(chart) });
  const root = element("figure", { class: "chart" }, told, hovered, stage);
  const lines = chart.lines.map((line) => ({ ...line, ...known(line, chart) })).filter(({ x }) =>
    x.length > 0
  );
  const levels = (chart.levels ?? []).filter((level) => !chart.logY || level.value > 0);
  const data = lines.length ? joined(lines) : [[1], [null]];
  const ink = isDark() ? "#d5d9df" : "#333";
  const grid = { stroke: isDark() ? "#3a4049" : "#e4e6e9", width: 1 };
  const negative = lines.some((line) => line.y.some((value) => value <= 0));
  const asinh = threshold(lines);
  const options = {
    width,
    height: HEIGHT,
    pxAlign: 0,
    legend: { show: false },
    cursor: { focus: { prox: 24 }, points: { size: 6 }, y: false, drag: { x: false, y: false } },
    focus: { alpha: 0.25 },
    scales: {
      x: { time: false, distr: chart.logX ? 3 : 1, range: ends(data[0], chart) },
      y: {
        distr: !chart.logY ? 1 : negative ? 4 : 3,
        asinh,
        range: span(lines, levels, chart.logY && !negative),
      },
    },
    axes: [
      {
        stroke: ink,
        grid,
        font: FONT,
        ticks: grid,
        size: 34,
        values: ticks,
        label: "iteration",
        incrs: WHOLE,
        labelSize: 16,
        labelFont: FONT,
        labelGap: -2,
        ...(chart.logX ? logarithmic(width / 60, 1) : {}),
      },
      {
        stroke: ink,
        grid,
        font: FONT,
        ticks: grid,
        size: 58,
        values: ticks,
        ...(chart.logY ? logarithmic(7, asinh) : {}),
      },
    ],
    series: [
      {},
      ...lines.map(({ colour, dash, x }) => ({
        stroke: colour,
        dash,
        width: 1.3,
        spanGaps: true,
        points: { show: x.length === 1 },
      })),
      ...(lines.length ? [] : [{}]),
    ],
    hooks: {
      draw: [(/** @type {any} */ plot) => {
        levels.forEach((level, i) => ruled(plot, level, ink, i % 2 ? "left" : "right"));
        lines.forEach((one) => beyond(plot, one));
      }],
      setSeries: [
        (/** @type {any} */ plot, /** @type {number | null} */ at) => tell(hovered, lines, plot, at),
      ],
      setCursor: [(/** @type {any} */ plot) => {
        const at = plot.series.findIndex((/** @type {any} */ one, /** @type {number} */ i) =>
          i > 0 && one._focus
        );
        tell(hovered, lines, plot, at < 0 ? null : at);
      }],
    },
  };
  return { root, plot: new uPlot(options, data, stage) };
}

/**
 * A line's points that can be drawn: what is not finite cannot, nor an iteration of 0 on a logarithmic axis.
 * @param {Line} line
 * @param {Chart} chart
 */
function known({ x, y }, { logX }) {
  /** @type {[number[], number[]]} */
  const [xs, ys] = [[], []];
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(y[i]) && (!logX || x[i] > 0)) {
      xs.push(x[i]);
      ys.push(y[i]);
    }
  }
  return { x: xs, y: ys };
}

/**
 * All lines on the iterations that any of them has.
 * @param {{x: number[], y: number[]}[]} lines
 */
function joined(lines) {
  const every = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
  const place = new Map(every.map((value, at) => [value, at]));
  const columns = lines.map(({ x, y }) => {
    const column = new Array(every.length).fill(undefined);
    x.forEach((value, i) => column[/** @type {number} */ (place.get(value))] = y[i]);
    return column;
  });
  return [every, ...columns];
}

/**
 * @param {any} plot
 * @param {Level} level
 * @param {string} ink
 * @param {string} side where its text stands: two levels may be close together
 */
function ruled(plot, { value, text }, ink, side) {
  const y = plot.valToPos(value, "y", true);
  const { left, top, width, height } = plot.bbox;
  if (!(y >= top && y <= top + height)) return;
  const paint = plot.ctx;
  paint.save();
  paint.strokeStyle = paint.fillStyle = ink;
  paint.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  paint.beginPath();
  paint.moveTo(left, y);
  paint.lineTo(left + width, y);
  paint.stroke();
  paint.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  paint.textAlign = side;
  paint.textBaseline = "bottom";
  paint.fillText(text, side === "left" ? left + 4 : left + width - 4, y - devicePixelRatio);
  paint.restore();
}

/**
 * A small triangle at the edge, where a line leaves the axis upwards.
 * @param {any} plot
 * @param {{x: number[], y: number[], colour: string}} line
 */
function beyond(plot, { x, y, colour }) {
  const top = plot.scales.y.max;
  const { left, top: edge } = plot.bbox;
  const size = 4 * devicePixelRatio;
  plot.ctx.fillStyle = colour;
  y.forEach((value, i) => {
    if (value <= top || y[i - 1] > top) return;
    const at = Math.max(plot.valToPos(x[i], "x", true), left);
    plot.ctx.beginPath();
    plot.ctx.moveTo(at - size, edge + size);
    plot.ctx.lineTo(at + size, edge + size);
    plot.ctx.lineTo(at, edge - size / 2);
    plot.ctx.fill();
  });
}

/**
 * Say what the pointer is at.
 * @param {HTMLElement} hovered
 * @param {{title: string, x: number[], y: number[]}[]} lines
 * @param {any} plot
 * @param {number | null} at
 */
function tell(hovered, lines, plot, at) {
  const x = plot.data[0][plot.cursor.idx];
  const line = at === null || at < 1 ? undefined : lines[at - 1];
  if (line === undefined || x === undefined) {
    hovered.textContent = "\u00a0";
    return;
  }
  let nearest = 0;
  line.x.forEach((value, i) => {
    if (Math.abs(value - x) < Math.abs(line.x[nearest] - x)) nearest = i;
  });
  hovered.textContent = `${line.title}; iteration ${line.x[nearest]}: ${short(line.y[nearest])}`;
}

/** @param {Chart} chart */
function described({ name, lines }) {
  return `${name} over iterations, in ${lines.length} lines. The tables below have their counts and last values.`;
}
