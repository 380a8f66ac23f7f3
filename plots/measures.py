"""The figures of `harness sensitivity`: what `harness.analysis.sensitivity` measured, drawn."""

from __future__ import annotations

from pathlib import Path

from harness.analysis.sensitivity import Measures
from harness.plots import measures_cost, measures_lines, measures_performance, measures_shares, style
from harness.plots.measures_cost import cost
from harness.plots.measures_lines import budget, ecdf
from harness.plots.measures_performance import performance
from harness.plots.measures_shares import shares

__all__ = ["FIGURES", "budget", "cost", "ecdf", "performance", "render", "shares"]

FIGURES = {
    "performance": (measures_performance.has, performance),
    "budget": (lambda measures: measures_lines.has(measures, "hit", "budget"), budget),
    "cost": (measures_cost.has, cost),
    "shares": (measures_shares.has, shares),
    "ecdf": (lambda measures: measures_lines.has(measures, "ecdf", "profile"), ecdf),
}
"""Name -> whether there is something to draw, and what draws it."""


def render(measures: Measures, folder: Path, title: str = "") -> list[Path]:
    """Draw <folder>/performance, budget, cost, shares and ecdf, each as .png (200 dpi) and .svg, those for
    which there are data; the same measures, the same bytes. Returns the files written.

    `title`: stands before what each figure is; one line. What is missing, and why, is said in each figure.
    Raises NotWritten.
    """
    return [
        path
        for name, (has, draw) in FIGURES.items()
        if has(measures)
        for path in style.write(lambda draw=draw: draw(measures, title), folder / name)  # type: ignore[misc]
    ]
