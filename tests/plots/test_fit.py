"""The figure of a fit: what is in each panel, and that it can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from harness.plots import fit, meta_test, style
from harness.records.meta_tests import MetaTests
from tests.plots.legible import assert_legible
from tests.plots.test_meta_test import ABOUT, NONE, SINE, made

X = np.linspace(-5, 5, 21)
CELLS = [("maml", alpha, 1e-3, NONE, NONE) for alpha in (0.1, 0.01)]


def fitted(
    cells: Sequence[tuple] = CELLS,
    rates: Sequence[float] = (NONE,),
    tasks: int = 3,
    steps: Sequence[int] = (0, 1, 4),
    seeds: int = 2,
    worst: float = 0.0,
) -> tuple[MetaTests, pd.DataFrame]:
    """Sinusoids of amplitudes 1, 2, ...; after k steps k + 10 of the cell is predicted, or `worst`."""
    tests, trials = made(cells, seeds, rates, accuracy=False)
    parts = []
    for at, cell in enumerate(trials["cell_id"]):
        for rate in rates:
            for task in range(tasks):
                own = {"cell_id": cell, "rate": rate, "task": task}
                true = (task + 1) * np.sin(X)
                unknown = own | {"steps": NONE}
                parts.append(pd.DataFrame(unknown | {"kind": "true", "x": X, "y": true}))
                parts.append(pd.DataFrame(unknown | {"kind": "support", "x": X[::5], "y": true[::5]}))
                for step in steps:
                    y = np.full(len(X), 0.1 * step + 0.01 * at + worst)
                    parts.append(pd.DataFrame(own | {"kind": "predicted", "steps": step, "x": X, "y": y}))
    return MetaTests(rows=tests.rows, fit=pd.concat(parts, ignore_index=True), about=tests.about), trials


def panels(tests: MetaTests, trials: pd.DataFrame) -> dict[str, Axes]:
    with style.applied():
        fig = fit.draw(tests, meta_test.shown_of(tests, trials).lines, trials, ABOUT | SINE)
        fig.draw_without_rendering()
    return {str(ax.get_label()): ax for ax in fig.axes}


def test_a_row_for_each_setting_and_a_column_for_each_task() -> None:
    tests, trials = fitted()
    found = panels(tests, trials)
    names = [f"{row}, task {task}" for row in (0, 1) for task in range(3)]
    assert [name for name in found if "task" in name] == names
    ax = found["1, task 2"]
    lines = {line.get_label(): line.get_xydata() for line in ax.lines if line.get_label()[0] != "_"}
    assert [*lines] == ["true", "before any step", "after 1 step", "after 4 steps", "points"]
    np.testing.assert_allclose(lines["true"], np.column_stack([X, 3 * np.sin(X)]))
    np.testing.assert_allclose(lines["points"], lines["true"][::5])
    of_row = float(lines["before any step"][0, 1])
    assert of_row in (0.0, 0.01)  # of seed 0: the first two of the four cells
    np.testing.assert_allclose(lines["after 4 steps"][:, 1], 0.4 + of_row)


def test_each_rate_is_a_row_of_its_own() -> None:
    tests, trials = fitted(CELLS[:1], rates=(NONE, 0.5))
    rows = [ax for name, ax in panels(tests, trials).items() if name.endswith("task 0")]
    heads = [ax.get_title(loc="left") for ax in rows]
    assert len(heads) == 2
    assert ["rate = 0.5" in head for head in heads] == [False, True]


def test_what_is_predicted_far_away_leaves_the_panel() -> None:
    """The axis is made for the task's functions."""
    for worst in (1e30, np.inf, np.nan):
        tests, trials = fitted(worst=worst)
        for name, ax in panels(tests, trials).items():
            if "task" in name:
                assert ax.get_ylim() == pytest.approx((-1.6 * 3, 1.6 * 3), rel=0.02)


@pytest.mark.parametrize("page", [style.WHOLE, style.COLUMN], ids=["page", "column"])
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"tasks": 1, "steps": (0,)},
        {"seeds": 1, "steps": (0, 1)},
        {"rates": (NONE, 0.01, 0.02)},
        {"cells": [("maml", 10.0**-k, 1e-3, NONE, NONE) for k in range(9)]},
    ],
    ids=str,
)
def test_it_can_be_read(case: dict[str, Any], page: style.Page) -> None:
    tests, trials = fitted(**case)
    lines = meta_test.shown_of(tests, trials).lines
    with style.applied(page):
        assert_legible(fit.draw(tests, lines, trials, ABOUT | SINE))
