"""The figures of `harness sensitivity`: what `harness.analysis.sensitivity` measured, drawn."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from harness.analysis.sensitivity import Measures
from harness.plots import style
from harness.plots.measures import cost as costs
from harness.plots.measures import lines
from harness.plots.measures import performance as planes
from harness.plots.measures import shares as bars
from harness.plots.measures.cost import cost
from harness.plots.measures.lines import budget, ecdf
from harness.plots.measures.performance import performance
from harness.plots.measures.shares import shares

__all__ = ["FIGURES", "budget", "cost", "ecdf", "performance", "render", "shares"]

FIGURES = {
    "performance": (planes.has, performance),
    "budget": (lambda measures: lines.has(measures, "hit", "budget"), budget),
    "cost": (costs.has, cost),
    "shares": (bars.has, shares),
    "ecdf": (lambda measures: lines.has(measures, "ecdf", "profile"), ecdf),
}
"""Name -> whether there is something to draw, and what draws it."""


def render(measures: Measures, folder: Path | str, title: str = "") -> list[Path]:
    """Draw <folder>/performance, budget, cost, shares and ecdf, each as .png (200 dpi), .svg and .pdf, those
    for which there are data; the same measures, the same bytes. Returns the files written.

    `title`: stands before what each figure is; one line. What is missing, and why, is said in each figure.
    Raises NotWritten.
    """
    return [
        path
        for name, (has, draw) in FIGURES.items()
        if has(measures)
        for path in style.write(partial(draw, measures, title), Path(folder) / name)
    ]
