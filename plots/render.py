"""A grid's figure, from its two tables to a .png, a .svg and a .pdf."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from harness.common.errors import UserError
from harness.common.files import in_columns
from harness.common.places import typed
from harness.plots import column, heatmap, losses, style, trajectories

KINDS = ("heatmap", "trajectories", "losses")


def render(
    trials: pd.DataFrame,
    curves: pd.DataFrame,
    grid: dict[str, Any],
    folder: Path,
    about: Mapping[str, Any] | None = None,
    in_column: bool = False,
) -> list[Path]:
    """Draw the grid's figure as <folder>/<grid name>.png (200 dpi), .svg and .pdf; the same tables, the same
    bytes.

    `trials` and `curves` as in records.schema (all cells of the grid are in the trials; one that has not run
    yet has a null outcome). `grid` is its model as it dumps to JSON: `name`, `title` and `figure`, with
    `kind` and, for a heatmap, `x` and `y` (two hyper-parameters), for trajectories `columns` (each a `title`
    and a `where`), `reference` (a where, or null) and perhaps `minus` (the same), for losses `rest`
    (`median` or `best`). `about`: the tables' description, which says what is learned (None: few-shot
    classification). in_column: for a paper's column too, see column.write; so it is if there is one. Returns
    the files written.
    Raises UserError if the kind is unknown or there is no cell to draw.
    """
    name, kind = grid["name"], grid["figure"]["kind"]
    if kind not in KINDS:
        raise UserError(f"{name}: figure.kind '{kind}' is unknown; choose {' or '.join(KINDS)}")
    if trials.empty:
        raise UserError(f"{name}: nothing to draw, its tables are empty; {typed('sweep', name)} fills them")
    paths = style.write(lambda: draw(trials, curves, grid, about), folder / name)
    if in_column or in_columns(folder / name):  # or else it would be of older records
        paths += column.write(lambda: draw(trials, curves, grid, about), folder / name)
    return paths


def draw(
    trials: pd.DataFrame,
    curves: pd.DataFrame,
    grid: dict[str, Any],
    about: Mapping[str, Any] | None = None,
) -> Figure:
    """The figure that `render` writes; its kind is one of KINDS."""
    if grid["figure"]["kind"] == "heatmap":
        return heatmap.draw(trials, grid, about)
    if grid["figure"]["kind"] == "losses":
        return losses.draw(trials, curves, grid, about)
    return trajectories.draw(trials, curves, grid, about)
