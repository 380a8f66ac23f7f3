"""The bench: every program's time beside the floor, other networks, and how the cost grows with the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from harness.plots import style, texts
from harness.plots.heading import Heading

PLAIN = StrMethodFormatter("{x:g}")
OURS, PEER, FLOOR = "#0072B2", "#D55E00", style.REFERENCE
TITLES = {
    "n_way": "classes per task",
    "k_shot": "support images per class",
    "meta_batch": "tasks per meta-batch",
    "inner_steps": "inner steps",
    "threads": "threads",
    "pack": "cells trained together",
}
"""Panels of the curves, in order: what was varied -> the label of its axis."""

# Inches.
WIDTH, LEFT, ROW, PANEL, GAP, COLUMNS = 7.4, 2.75, 0.21, 1.45, 0.62, 3
MARGIN, APART = 0.65, 0.58  # left of the panels and between them


def render(bench: dict[str, Any], path: Path) -> list[Path]:
    """Draw what `harness bench` measured (bench.json, or bench-gpu.json) as <path>.png, .svg and .pdf."""
    return style.write(lambda: draw(bench), path)


def draw(bench: dict[str, Any]) -> Figure:
    """A row for each program, on the paper's problem and then on others; below, if there are curves, a panel
    for each thing that was varied."""
    programs, curves = bench["programs"], pd.DataFrame(bench.get("curves", []))
    others = [{**one, "programs": _best(one)} for one in bench.get("general", [])]
    varied = [name for name in TITLES if not curves.empty and name in set(curves["varied"])]
    lines = -(-len(varied) // COLUMNS)
    heading = Heading(title=_title(bench), subtitle=texts.wrapped(_what(bench), WIDTH, style.TICK))
    top = heading.height + 0.12
    rows = ROW * len(programs)
    below = top + rows + 0.62
    places = []
    for other in others:
        places.append(below + 0.15)
        below += 0.15 + ROW * len(other["programs"]) + 0.62
    fig = Figure(figsize=(WIDTH, below + (lines * (PANEL + GAP) + 0.3 if lines else 0)))
    heading.draw(fig)
    _programs(style.axes_at(fig, LEFT, top, WIDTH - LEFT - 0.35, rows, label="programs"), bench)
    for other, place in zip(others, places, strict=True):
        height = ROW * len(other["programs"])
        ax = style.axes_at(fig, LEFT, place, WIDTH - LEFT - 0.35, height, label=other["name"])
        _programs(ax, other)
        ax.set_title(_other(other), size=style.SMALL, loc="left", pad=3)
    width = (WIDTH - MARGIN - style.MARGIN - (COLUMNS - 1) * APART) / COLUMNS
    for at, name in enumerate(varied):
        row, column = divmod(at, COLUMNS)
        left = MARGIN + column * (width + APART)
        ax = style.axes_at(fig, left, below + 0.3 + row * (PANEL + GAP), width, PANEL, label=name)
        _curve(ax, name, curves[curves["varied"] == name])
    if varied:
        _key(style.axes_at(fig, MARGIN, below - 0.05, WIDTH - 1, 0.2, label="key"), curves)
    return fig


def _title(bench: dict[str, Any]) -> str:
    if "throughput_ratios" in bench:
        return "Throughput on a device"
    return "Time of a meta-iteration"


def _what(bench: dict[str, Any]) -> str:
    machine = bench["machine"]
    where = f"{machine['device']}, {machine['vector_unit']}, {machine['system']}"
    if "throughput_ratios" in bench:
        return f"{bench['problem']}\n{where}; medians of at most {bench['rounds']} rounds"
    how = f"median and quartiles of {bench['rounds']} rounds"
    floor = "the floor (dashed: the matrix products alone, at peak speed)"
    takes = [f"{bench['ours_over_floor']:.2f} times {floor}"]
    if (ratio := bench["ours_over_fastest_peer"]) is not None:
        takes.insert(0, f"{ratio:.2f} times as long as the fastest library")
    return f"{bench['problem']}\n{where}; 1 thread, float32; {how}\nharness takes {' and '.join(takes)}"


def _programs(ax: Axes, bench: dict[str, Any]) -> None:
    """A dot and its quartiles for each program, in the file's order from the top."""
    rows = bench["programs"]
    throughput = _is_throughput(bench)
    for y, row in enumerate(rows):
        colour = OURS if row["name"].startswith("harness") else PEER
        if throughput:
            value = row["cell_iterations_per_second"]
        else:
            value = row["median_ms"]
            ax.plot([row["q1_ms"], row["q3_ms"]], [y, y], color=colour, lw=2.2, alpha=0.45)
        ax.plot(value, y, "o", color=colour, ms=4)
        ax.text(value, y - 0.22, f"{value:.0f}", size=style.SMALLEST, ha="center", va="bottom")
    ax.set_yticks(range(len(rows)), [_name(row) for row in rows], size=style.SMALL)
    ax.set_ylim(len(rows) - 0.4, -0.7)
    ax.tick_params(axis="y", length=0)
    if throughput:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(PLAIN)
        ax.set_xlabel("cells \N{MULTIPLICATION SIGN} iterations per second")
    else:
        if "floor_ms" in bench:
            ax.axvline(bench["floor_ms"], color=FLOOR, ls="--", lw=1)
        ax.set_xlim(0, 1.05 * max(row["q3_ms"] for row in rows))
        ax.set_xlabel("ms per meta-iteration")


def _is_throughput(bench: dict[str, Any]) -> bool:
    """Whether cells are trained together, so that a call's milliseconds say nothing."""
    return "throughput_ratios" in bench or bench.get("cells", 1) > 1


def _best(other: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the programs, ours and each library's fastest."""
    kept = {"harness", *other["peers"].values()}
    return [row for row in other["programs"] if row["name"] in kept]


def _other(other: dict[str, Any]) -> str:
    """What else was measured, and the ratio."""
    what, ratio = f"{other['title']}, {other['rounds']} rounds", other["ours_over_fastest_peer"]
    if ratio is None:
        return what
    if other["cells"] > 1:
        return f"{what}: harness trains {other['cells']} cells, {1 / ratio:.1f} times as many a second"
    return f"{what}: harness takes {ratio:.2f} times as long as the fastest library"


def _name(row: dict[str, Any]) -> str:
    return f"{row['name']}, {row['precision']}" if "precision" in row else row["name"]


def _curve(ax: Axes, varied: str, rows: pd.DataFrame) -> None:
    """Milliseconds against what was varied; for packs, per cell."""
    share = rows["value"] if varied == "pack" else 1
    rows = rows.assign(**{c: rows[c] / share for c in ("median_ms", "q1_ms", "q3_ms", "floor_ms")})
    for name, line in rows.groupby("program", sort=False):
        line = line.sort_values("value")
        colour = OURS if name == "harness" else PEER
        ax.plot(line["value"], line["median_ms"], "o-", color=colour, ms=2.6, lw=1)
        ax.fill_between(line["value"], line["q1_ms"], line["q3_ms"], color=colour, alpha=0.2, lw=0)
    floor = rows.drop_duplicates("value").sort_values("value")
    if varied != "threads":  # the floor was measured on one thread
        ax.plot(floor["value"], floor["floor_ms"], color=FLOOR, ls="--", lw=1)
    values = sorted(set(rows["value"]))
    if varied != "threads":
        ax.set_xscale("log")
    ax.set_yscale("log" if varied not in ("threads", "pack") else "linear")
    if varied in ("threads", "pack"):
        ax.set_ylim(bottom=0)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(values, [f"{value:g}" for value in values])
    if varied not in ("threads", "pack"):
        _plain_decades(ax, rows)
    ax.set_xlabel(TITLES[varied])
    ax.set_ylabel("ms per cell" if varied == "pack" else "ms", labelpad=2)


def _plain_decades(ax: Axes, rows: pd.DataFrame) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, written out; only at powers of ten where the axis is long."""
    low, high = rows[["median_ms", "floor_ms"]].min().min(), rows["median_ms"].max()
    steps = [m * 10.0**k for k in range(-3, 7) for m in (1, 2, 5)]
    if np.log10(high / low) > 2.2:
        steps = [step for step in steps if f"{step:g}".strip("0.")[0] == "1"]
    ax.set_yticks([step for step in steps if low / 1.3 <= step <= high * 1.3])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(PLAIN)


def _key(ax: Axes, curves: pd.DataFrame) -> None:
    names = list(curves["program"].unique())
    lines = [Line2D([], [], marker="o", ms=2.6, color=OURS if n == "harness" else PEER) for n in names]
    lines.append(Line2D([], [], color=FLOOR, ls="--"))
    ax.axis("off")
    ax.legend(lines, [*names, "floor"], loc="center left", ncols=len(lines), borderaxespad=0)
