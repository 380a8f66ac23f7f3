"""The figure of a meta-test: a line for each setting and rate, its band, its axis, its words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.plots import meta_test, style
from harness.records.meta_tests import MetaTests
from tests.plots import synthetic
from tests.plots.legible import assert_legible

NONE = synthetic.NONE
CELLS = [
    ("maml", 0.1, 1e-3, NONE, NONE),
    ("alpha-maml", 0.1, 1e-3, 0.1, 1e-6),
    ("alpha-maml", 0.1, 1e-3, 1.0, 1e-6),
]
ABOUT: dict[str, Any] = {"grid": synthetic.grid("losses", "Made up")}
SINE: dict[str, Any] = {"problem": {"name": "sinusoid", "title": "Sinusoid regression", "unit": ""}}
CLASSES = {"paper-adam": "the 423 classes of the validation, as no others are left"}


def made(
    cells: Sequence[tuple] = CELLS,
    seeds: int = 2,
    rates: Sequence[float] = (NONE,),
    steps: int = 4,
    tasks: int = 30,
    accuracy: bool = True,
    times: float = 1.0,
) -> tuple[MetaTests, pd.DataFrame]:
    """Losses that fall with the steps, more for later cells; accuracies that rise."""
    trials = synthetic.trials(list(cells), seeds)
    rng, parts = np.random.default_rng(3), []
    for at, cell in enumerate(trials["cell_id"]):
        for rate in rates:
            step, task = np.divmod(np.arange((steps + 1) * tasks), tasks)
            loss = times * np.exp(-0.3 * step * (1 + at % len(cells))) * rng.lognormal(0, 0.3, step.size)
            own = {"cell_id": cell, "rate": rate, "steps": step, "task": task, "loss": loss}
            parts.append(pd.DataFrame(own | ({"accuracy": np.exp(-loss / times)} if accuracy else {})))
    about = {"classes": CLASSES if accuracy else {}}
    return MetaTests(rows=pd.concat(parts, ignore_index=True), fit=None, about=about), trials


def drawn(tests: MetaTests, trials: pd.DataFrame, about: dict[str, Any] | None = None) -> Figure:
    with style.applied():
        fig = meta_test.draw(tests, trials, about or ABOUT)
        fig.draw_without_rendering()
    return fig


def panel(fig: Figure, name: str = "accuracy") -> Axes:
    return next(ax for ax in fig.axes if ax.get_label() == name)


def lines_of(ax: Axes) -> dict[str, np.ndarray]:
    """By label: the points of a line."""
    return {line.get_label(): line.get_xydata() for line in ax.lines if not line.get_label().startswith("_")}


def test_a_line_for_each_setting_with_its_mean_in_percent() -> None:
    tests, trials = made()
    lines = lines_of(panel(drawn(tests, trials)))
    assert len(lines) == 3
    first = trials["cell_id"][trials["method"] == "maml"]
    expected = tests.rows[tests.rows["cell_id"].isin(first)].groupby("steps")["accuracy"].mean() * 100
    (points,) = (points for label, points in lines.items() if label.startswith("MAML"))
    np.testing.assert_allclose(points, expected.reset_index().to_numpy())


def test_bands_are_over_tasks() -> None:
    tests, trials = made(CELLS[:1], seeds=2)
    (band,) = panel(drawn(tests, trials)).collections
    (path,) = band.get_paths()
    own = tests.rows[tests.rows["steps"] == 2].groupby("task")["accuracy"].mean() * 100
    half = 1.96 * own.std() / np.sqrt(30)
    edges = path.vertices[path.vertices[:, 0] == 2, 1]
    assert [edges.min(), edges.max()] == pytest.approx([own.mean() - half, own.mean() + half])


def test_each_rate_has_a_line_that_says_so() -> None:
    tests, trials = made(CELLS[:1], rates=(NONE, 0.02))
    labels = [*lines_of(panel(drawn(tests, trials)))]
    assert len(labels) == 2
    assert ["test rate = 0.02" in label for label in labels] == [False, True]


def test_a_regression_has_a_log_axis() -> None:
    tests, trials = made(accuracy=False)
    ax = panel(drawn(tests, trials, ABOUT | SINE), "loss")
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "loss"


def test_a_loss_that_explodes_does_not_flatten_the_rest() -> None:
    """It leaves the axis, which is said; one that is not finite ends."""
    tests, trials = made(accuracy=False)
    rows = tests.rows
    last = trials["cell_id"].isin(rows["cell_id"]) & (trials["alpha_hyperlr"] == 1)
    bad = rows["cell_id"].isin(trials["cell_id"][last]) & (rows["steps"] >= 3)
    for value in (1e20, np.inf):
        changed = rows.assign(loss=rows["loss"].mask(bad, value))
        fig = drawn(MetaTests(rows=changed, fit=None, about=tests.about), trials, ABOUT | SINE)
        low, high = panel(fig, "loss").get_ylim()
        assert 0 < low < high < 10
        said = " ".join(text.get_text() for text in fig.texts)
        assert ("leaves the axis" in said) == np.isfinite(value)


def test_of_many_settings_the_best_are_drawn() -> None:
    cells = [("maml", 10.0**-k, 10.0**-j, NONE, NONE) for k in range(6) for j in range(6)]
    tests, trials = made(cells, seeds=1, tasks=5)
    fig = drawn(tests, trials)
    assert len(lines_of(panel(fig))) == meta_test.MOST
    said = " ".join(text.get_text() for text in fig.texts)
    assert f"the {meta_test.MOST} of 36 settings with the lowest loss" in said
    ends = tests.rows[tests.rows["steps"] == 4].groupby("cell_id")["loss"].mean()
    best = trials.set_index("cell_id").loc[ends.sort_values().index[: meta_test.MOST]]
    shown = meta_test.shown_of(tests, trials)
    assert {line.cells["cell_id"].iloc[0] for line in shown.lines} == set(best.index)


def test_cells_that_were_not_tested_are_left_out() -> None:
    tests, trials = made(CELLS[:1])
    _, more = made()
    assert len(lines_of(panel(drawn(tests, more)))) == 1
    assert meta_test.render(tests, trials.assign(cell_id="x"), ABOUT, Path("nowhere")) == []


@pytest.mark.parametrize("page", [style.WHOLE, style.COLUMN], ids=["page", "column"])
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"seeds": 1, "tasks": 1},
        {"steps": 0},
        {"steps": 1},
        {"steps": 1000, "tasks": 2},
        {"rates": (NONE, 0.01, 0.02)},
        {"cells": [("maml", 10.0**-k, 3e-5 * 1.1**k, NONE, NONE) for k in range(12)]},
        {"accuracy": False},
        {"accuracy": False, "times": 1e-7},
        {"accuracy": False, "times": 1e12},
    ],
    ids=str,
)
def test_it_can_be_read(case: dict[str, Any], page: style.Page) -> None:
    tests, trials = made(**case)
    with style.applied(page):
        assert_legible(meta_test.draw(tests, trials, ABOUT if case.get("accuracy", True) else ABOUT | SINE))


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    tests, trials = made()
    first = [path.read_bytes() for path in meta_test.render(tests, trials, ABOUT, tmp_path / "a")]
    paths = meta_test.render(tests, trials, ABOUT, tmp_path / "b", in_column=True)
    assert [path.name for path in paths] == [
        f"metatest{part}.{kind}" for part in ("", "-column") for kind in ("png", "svg", "pdf")
    ]
    assert [path.read_bytes() for path in paths[:3]] == first
    (tmp_path / "a" / "metatest-column.png").write_text("old")
    assert len(meta_test.render(tests, trials, ABOUT, tmp_path / "a")) == 6
