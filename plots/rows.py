"""The rows of Figure 1: which there are, the curves in their axes, and the scale that these share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from harness.analysis.learned import Learned
from harness.analysis.summary import bands, equal, numbers, rate_columns
from harness.plots import scales, texts
from harness.plots.curves import Curve, covered, curve_of
from harness.plots.lines import Line, Wording
from harness.plots.scales import Scale

LOSSES = {"train_loss": "training loss", "val_loss": "validation loss"}
HEIGHT = 1.3  # of the axes, inches


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of axes."""

    name: str
    """The column of the trajectories."""
    label: str
    parts: tuple[str, ...] = ()
    """Columns that are drawn thin beside it."""

    @property
    def is_loss(self) -> bool:
        """Whether it shows a loss; else a rate."""
        return self.name in LOSSES


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The axes of a row in one column."""

    curves: list[Curve]
    scale: Scale
    """The same in all columns."""

    @cached_property
    def covered(self) -> list[list[np.ndarray]]:
        """See curves.covered."""
        return covered(self.curves, self.scale, HEIGHT)

    @cached_property
    def left(self) -> bool:
        """Whether any curve leaves the axes."""
        return any(curve.leaves(self.scale, above, 0) for curve in self.curves for above in (False, True))


def rows_of(trajectories: pd.DataFrame, what: Learned, differ: bool = False) -> list[Row]:
    """The rows of a figure of these trajectories: rates that have any value (none yet: all), then the
    losses; or of differences."""
    known = rate_columns(trajectories)
    rates = [name for name in known if trajectories[name].notna().any()] or known
    leads = [name for name in rates if not any(name.startswith(f"{other}_") for other in rates)]
    rows = [
        Row(
            name=lead,
            label=apart(texts.at_iteration(lead)) if differ else texts.at_iteration(lead),
            parts=tuple(name for name in rates if name.startswith(f"{lead}_")),
        )
        for lead in leads
    ]
    labels = {name: apart(words) if differ else what.named(words) for name, words in LOSSES.items()}
    return [*rows, *(Row(name=name, label=words) for name, words in labels.items())]


def apart(label: str) -> str:
    """How a difference is written."""
    return f"|Δ{label}|" if label.startswith("$") else f"|Δ {label}|"


def panels_of(
    rows: Sequence[Row],
    lines: Sequence[Sequence[Line]],
    trajectories: pd.DataFrame,
    wording: Wording,
    what: Learned,
    differ: bool = False,
) -> list[list[Panel]]:
    """The panels [row][column]. lines: of each column; trajectories: of their cells, or how far these are
    from their partners if `differ`."""
    flat = [line for column in lines for line in column]
    cells = pd.concat([line.cells for line in flat]).drop_duplicates("cell_id")
    by = ["method", *wording.keys]
    whole = bands(trajectories, cells, by)
    steady = cells[cells["outcome"].fillna("") != "diverged"]  # a diverging run must not flatten the rest
    calm = whole if len(steady) in (0, len(cells)) else bands(trajectories, steady, by)
    drawn = [[(line, _of(line, whole, wording)) for line in column] for column in lines]
    settled = [_of(line, calm, wording) for line in flat]
    panels = []
    for row in rows:
        shown = [_curve(row, *one, differ).band for one in zip(flat, settled, strict=True)]
        edges = [band for band in shown if band[0].size]
        if row.is_loss and not differ:
            scale = scales.losses(edges, _untrained(settled, row, what))
        else:
            scale = scales.rates(edges)
        panels.append(
            [Panel(curves=[_curve(row, *one, differ) for one in column], scale=scale) for column in drawn]
        )
    return panels


def _of(line: Line, curves: pd.DataFrame, wording: Wording) -> pd.DataFrame:
    """The rows of `curves` that belong to this line."""
    first = line.cells.iloc[0]
    same = curves["method"] == first["method"]
    for key in wording.keys:
        same &= equal(curves[key], first[key])
    return curves[same]


def _curve(row: Row, line: Line, curve: pd.DataFrame, differ: bool) -> Curve:
    """The training loss as the mean of the last 10, with one seed beside each iteration's, unless the run is
    too short for a mean."""
    if row.name != "train_loss" or differ or not curve["train_loss_mean_median"].notna().any():
        return curve_of(line, curve, row.name, row.parts)
    several = line.cells["seed"].nunique() > 1
    return curve_of(line, curve, "train_loss_mean", () if several else ("train_loss",))


def _untrained(curves: Sequence[pd.DataFrame], row: Row, what: Learned) -> float:
    """The loss before anything is learned: at chance, or else the median of the first that are measured."""
    if what.chance is not None:
        return what.chance
    measured = [numbers(curve[f"{row.name}_median"].dropna()) for curve in curves]
    first = [values[0] for values in measured if values.size and np.isfinite(values[0])]
    return float(np.median(first)) if first else 1.0
