"""Charting libraries for the report, timed in headless Chromium with the network off.

    python -m tests.report.libraries FOLDER     FOLDER/uplot, FOLDER/@bokeh/bokehjs, ...: packages, unpacked

Prints a table: bytes, bytes gzipped, then milliseconds, median (least-most) of rounds in turn, each in a
browser of its own. load: the library is parsed and executed. heatmaps: 5 panels of 6 x 6 squares with
numbers. lines: three charts of 45 lines x 200 points, log x, two with log y. again: these with other data.
hover: the pointer moves over a chart, median of 12 moves. All but load last until painted, two animation
frames: see the row without a library, which has tables of buttons as heatmaps. Then counts: texts that are
text, elements with ARIA or a role, elements that the keyboard reaches, requests.
"""

from __future__ import annotations

import argparse
import gzip
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

CHROMIUM, FLAGS = Path("/usr/bin/chromium"), ["--headless=new", "--no-sandbox", "--disable-gpu"]
ROUNDS, MOVES = 5, 12
TIMES = ("load", "heatmaps", "lines", "again", "hover")
COUNTS = {"texts": "svg text", "ARIA": "[aria-label], [role]", "keyboard": "[tabindex='0'], main button"}
EMPTY = 20_000  # bytes of a picture; a chart of 45 lines has more, one of a single line has fewer

PAGE = """<!doctype html><meta charset=utf-8><style>main > div {display: inline-block; vertical-align: top;
width: 250px; height: 250px} main > [id] {width: 420px; height: 280px}</style><style>%(styles)s</style>
<main><div></div><div></div><div></div><div></div><div></div><br>
<div id=loss></div><div id=alpha></div><div id=beta></div></main><script>let seed = 1, charts
const NAMES = ["loss", "alpha", "beta"], W = 420, H = 280, SIX = [0, 1, 2, 3, 4, 5], XY = {x: "x", y: "y"}
const color = i => `hsl(${i * 8} 60%% 45%%)`, scale = i => i ? "log" : "linear"
const random = () => (seed = seed * 16807 %% 2147483647) / 2147483647
const panel = () => SIX.flatMap(y => SIX.map(x => ({x: "a" + x, y: "b" + y, v: Math.round(random() * 300)})))
const panels = Array.from({length: 5}, panel), xs = Array.from({length: 200}, (_, i) => 300 ** (i / 199))
const walk = () => { let y = 1 + random(); return xs.map(() => y *= .9 + .198 * random()) }
const long = lines => lines.flatMap((ys, cell) => ys.map((y, i) => ({x: xs[i], y, cell})))
const painted = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
const places = document.querySelectorAll("main > div"), moved = []
const act = {heatmaps: () => Promise.all(panels.map((squares, i) => library.heat(squares, places[i]))),
  lines: async all => charts = await Promise.all(all.map((ys, i) => library.line(ys, places[5 + i], i))),
  again: all => Promise.all(all.map((lines, i) => library.again(charts[i], lines, i)))}
const clock = async name => { const all = NAMES.map(() => Array.from({length: 45}, walk))
  await painted(); const start = performance.now()
  await act[name](all); await painted(); return performance.now() - start }
addEventListener("pointermove", async () => {
  const start = performance.now(); await painted(); moved.push(performance.now() - start) }, true)
const before = performance.now()</script>%(scripts)s<script>const load = performance.now() - before
const library = {%(calls)s}</script>"""

TABLES = """heat: (squares, place) => place.innerHTML = "<table>" + SIX.map(y => "<tr>" + SIX.map(x => {
  const v = squares[6 * y + x].v; return `<td><button style="background: ${color(v / 9)}">${v}</button>` }
).join("")).join("") + "</table>", line: () => {}, again: () => {}"""
UPLOT = """line: (lines, place, i) => new uPlot({width: W, height: H, legend: {show: false},
  cursor: {focus: {prox: 30}, points: {one: true}}, focus: {alpha: .3}, axes: [{}, {label: NAMES[i]}],
  scales: {x: {time: false, distr: 3}, y: {distr: i ? 3 : 1}},
  series: [{}, ...lines.map((_, k) => ({stroke: color(k), points: {show: false}}))]}, [xs, ...lines], place),
again: (chart, lines) => chart.setData([xs, ...lines])"""
PLOT = """heat: (squares, place) => place.replaceChildren(Plot.plot({width: 250, height: 250,
  marks: [Plot.cell(squares, {...XY, fill: "v", tip: true}), Plot.text(squares, {...XY, text: "v"})]})),
line: (lines, place, i) => { const rows = long(lines), how = {...XY, stroke: "cell"}
  place.replaceChildren(Plot.plot({width: W, height: H, x: {type: "log"},
    y: {type: scale(i), label: NAMES[i]}, color: {type: "ordinal", range: lines.map((_, k) => color(k))},
    marks: [Plot.line(rows, how), Plot.tip(rows, Plot.pointer(how))]})); return place },
again: (place, lines, i) => library.line(lines, place, i)"""
ECHARTS = """heat: (squares, place) => echarts.init(place, null, {renderer: "RENDERER"}).setOption({
  animation: false, aria: {enabled: true}, tooltip: {}, xAxis: {type: "category"}, yAxis: {type: "category"},
  visualMap: {max: 300, show: false},
  series: [{type: "heatmap", label: {show: true}, data: squares.map(s => [s.x, s.y, s.v])}]}),
line: (lines, place, i) => library.again(echarts.init(place, null, {renderer: "RENDERER"}), lines, i),
again: (chart, lines, i) => { chart.setOption({animation: false, aria: {enabled: true},
  xAxis: {type: "log", min: 1, max: 300}, yAxis: {type: i ? "log" : "value", name: NAMES[i]},
  tooltip: {trigger: "axis", formatter: p => `${p.length} cells`}, series: lines.map((ys, k) => ({
    type: "line", showSymbol: false, data: ys.map((y, j) => [xs[j], y])}))}); return chart }"""
PLOTLY = """heat: (squares, place) => Plotly.newPlot(place, [{type: "heatmap", showscale: false,
  texttemplate: "%{z}", z: SIX.map(y => SIX.map(x => squares[6 * y + x].v))}],
  {width: 250, height: 250, margin: {t: 9, r: 9}}),
draw: (how, lines, place, i) => how(place, lines.map((y, k) => (
  {x: xs, y, mode: "lines", name: "cell " + k, line: {color: color(k), width: 1}})), {
    width: W, height: H, margin: {t: 9, r: 9}, hovermode: "closest", showlegend: false, xaxis: {type: "log"},
    yaxis: {type: scale(i), title: {text: NAMES[i]}}}),
line: (...packages) => library.draw(Plotly.newPlot, ...packages),
again: (place, lines, i) => library.draw(Plotly.react, lines, place, i)"""
VEGA = """embed: (place, spec) => vegaEmbed(place, spec, {renderer: "RENDERER", actions: false}),
heat: (squares, place) => library.embed(place, {width: 200, height: 200, data: {values: squares},
  encoding: {x: {field: "x"}, y: {field: "y"}}, layer: [
  {mark: {type: "rect", tooltip: true}, encoding: {color: {field: "v", type: "quantitative", legend: null}}},
  {mark: "text", encoding: {text: {field: "v"}}}]}),
line: (lines, place, i) => library.embed(place, {width: W - 60, height: H - 40,
  data: {name: "cells", values: long(lines)},
  encoding: {color: {field: "cell", type: "nominal", legend: null},
  x: {field: "x", type: "quantitative", scale: {type: "log"}},
  y: {field: "y", type: "quantitative", title: NAMES[i], scale: {type: scale(i), zero: false}}},
  layer: [{mark: "line"}, {mark: {type: "point", tooltip: true},
    params: [{name: "near", select: {type: "point", on: "pointerover", nearest: true}}],
    encoding: {opacity: {condition: {param: "near", empty: false, value: 1}, value: 0}}}]}),
again: ({view}, lines) => view.data("cells", long(lines)).runAsync()"""
BOKEH = """draw: async (place, options, fill) => { const p = Bokeh.Plotting.figure({
  toolbar_location: null, tools: [new Bokeh.HoverTool({tooltips: [["cell", "@v"]]})], ...options})
  fill(p); await Bokeh.Plotting.show(p, place) },
xy: [{field: "x"}, {field: "y"}], heat: (squares, place) => library.draw(place, {width: 250, height: 250,
  x_range: SIX.map(x => "a" + x), y_range: SIX.map(y => "b" + y)}, p => {
  const source = new Bokeh.ColumnDataSource({data: {x: squares.map(s => s.x), y: squares.map(s => s.y),
    v: squares.map(s => `${s.v}`), c: squares.map(s => color(s.v / 9))}})
  p.rect(...library.xy, 1, 1, {source, fill_color: {field: "c"}})
  p.text(...library.xy, {field: "v"}, {source, text_align: "center", text_baseline: "middle"}) }),
columns: y => ({x: y.map(() => xs), y, c: y.map((_, k) => color(k)), v: [...y.keys()]}),
line: async (lines, place, i) => { const source = new Bokeh.ColumnDataSource({data: library.columns(lines)})
  await library.draw(place, {width: W, height: H, x_axis_type: "log", y_axis_type: scale(i),
    y_axis_label: NAMES[i]}, p => p.multi_line(...library.xy, {source, line_color: {field: "c"}}))
  return source },
again: (source, lines) => source.data = library.columns(lines)"""

_PLOT = ("d3/dist/d3.min.js", "@observablehq/plot/dist/plot.umd.min.js")
_VEGA = ("vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js", "vega-embed/build/vega-embed.min.js")
_BOKEH = tuple(f"@bokeh/bokehjs/build/js/bokeh{part}.min.js" for part in ("", "-api"))
_ECHARTS = ("echarts/dist/echarts.min.js",)
LIBRARIES: dict[str, tuple[tuple[str, ...], str]] = {
    "none (tables of buttons)": ((), TABLES),
    "uPlot": (("uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css"), UPLOT),
    "Observable Plot + d3": (_PLOT, PLOT),
    "ECharts, SVG": (_ECHARTS, ECHARTS.replace("RENDERER", "svg")),
    "ECharts, canvas": (_ECHARTS, ECHARTS.replace("RENDERER", "canvas")),
    "plotly.js cartesian": (("plotly.js-cartesian-dist-min/plotly-cartesian.min.js",), PLOTLY),
    "Vega-Lite, SVG": (_VEGA, VEGA.replace("RENDERER", "svg")),
    "Vega-Lite, canvas": (_VEGA, VEGA.replace("RENDERER", "canvas")),
    "Bokeh": (_BOKEH, BOKEH),
}
"""Files of the packages, and the calls that draw."""


def page_of(files: list[Path], calls: str) -> str:
    """The page with the library inside. None of the libraries has `</script` in its text."""
    texts = [(file.suffix, file.read_text(encoding="utf-8")) for file in files]
    scripts = "".join(f"<script>{text}</script>" for suffix, text in texts if suffix == ".js")
    styles = "".join(text for suffix, text in texts if suffix == ".css")
    return PAGE % {"styles": styles, "scripts": scripts, "calls": calls}


def measure(chromium: Any, page_file: Path) -> tuple[dict[str, float], list[int]]:
    """One round: milliseconds by TIMES, without what the library cannot draw; COUNTS and the requests."""
    browser = chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    page = browser.new_context(offline=True, viewport={"width": 1400, "height": 900}).new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    times = {"load": page.evaluate("load")}
    if page.evaluate("'heat' in library"):
        times["heatmaps"] = page.evaluate("clock('heatmaps')")
    drawn = []
    for name in ("lines", "again"):
        times[name] = page.evaluate(f"clock('{name}')")
        drawn.append(page.locator("#alpha").screenshot())
    if LIBRARIES[page_file.stem][0] and (min(map(len, drawn)) < EMPTY or drawn[0] == drawn[1]):
        raise SystemExit(f"{page_file.stem}: the lines were not drawn")
    for move in range(MOVES):
        page.mouse.move(110 + 20 * move, 390 + 5 * (move % 3))
        page.wait_for_timeout(100)
    times["hover"] = median(page.evaluate("moved"))
    counts = [page.locator(selector).count() for selector in COUNTS.values()]
    browser.close()
    return times, [*counts, sum(not url.startswith(("file:", "data:", "blob:")) for url in requests)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Times charting libraries in headless Chromium, offline.")
    parser.add_argument("folder", type=Path, help="the packages, unpacked: FOLDER/uplot and so on")
    packages = parser.parse_args().folder
    needed = {CHROMIUM, *(packages / file for files, _ in LIBRARIES.values() for file in files)}
    if missing := sorted(str(path) for path in needed if not path.is_file()):
        raise SystemExit(f"missing: {', '.join(missing)}")
    if find_spec("playwright") is None:
        raise SystemExit("missing: the package playwright")
    from playwright.sync_api import sync_playwright

    rounds: dict[str, list[tuple[dict[str, float], list[int]]]] = {name: [] for name in LIBRARIES}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for name, (files, calls) in LIBRARIES.items():
            text = page_of([packages / file for file in files], calls)
            Path(folder, f"{name}.html").write_text(text, encoding="utf-8")
        for name in [*LIBRARIES] * ROUNDS:
            rounds[name].append(measure(playwright.chromium, Path(folder, f"{name}.html")))
    print(f"{ROUNDS} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    head = ["library", "bytes", "gzipped", *TIMES, *COUNTS, "requests"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, measured in rounds.items():
        texts = [(packages / file).read_bytes() for file in LIBRARIES[name][0]]
        sizes = [f"{sum(map(len, some)):,}" for some in (texts, map(gzip.compress, texts))]
        columns = [[times[key] for times, _ in measured if key in times] for key in TIMES]
        cells = [f"{median(ms):.0f} ({min(ms):.0f}-{max(ms):.0f})" if ms else "-" for ms in columns]
        print(f"| {' | '.join([name, *sizes, *cells, *map(str, measured[-1][1])])} |")


if __name__ == "__main__":
    main()
