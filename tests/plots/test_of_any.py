"""Figures of any problem, of several methods, and of hyper-parameters of any type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from harness.analysis.learned import learned
from harness.methods import METHODS, maml, method
from harness.plots import style
from harness.plots.render import draw
from harness.plots.trajectories import rows_of
from harness.records.tables import Tables
from tests import registries, swept


def drawn(made: Tables) -> Figure:
    with style.applied():
        fig = draw(made.trials, made.trajectories, made.about["grid"], made.about)
        fig.draw_without_rendering()
    return fig


def axes(fig: Figure, label: str) -> list:
    return [ax for ax in fig.axes if ax.get_label() == label]


def said(fig: Figure) -> str:
    """All that is written outside of the axes, on one line."""
    return " ".join(" ".join(text.get_text() for text in fig.texts).split())


def legends(fig: Figure) -> list[list[str]]:
    return [[text.get_text() for text in ax.texts] for ax in axes(fig, "legend")]


def test_a_row_for_each_rate_that_a_shown_method_records(tmp_path: Path) -> None:
    made = swept.swept(tmp_path, swept.MIXED)
    fig = drawn(made)
    rows = [ax for ax in fig.axes if ax.get_label() != "legend"][:5]
    assert [(ax.get_label(), ax.get_ylabel()) for ax in rows] == [
        ("alpha", r"$\alpha_i$"),
        ("beta", r"$\beta_i$"),
        ("eps", r"$\epsilon_i$"),
        ("train_loss", "training loss (nats)"),
        ("val_loss", "validation loss (nats)"),
    ]
    assert "Rates, thin: alpha_lowest, alpha_highest." in said(fig)
    thin = [line for line in rows[0].lines if line.get_linewidth() == 0.5]
    meta_sgd = made.trials.loc[made.trials["method"] == "meta-sgd", "cell_id"].item()
    own = made.trajectories[made.trajectories["cell_id"] == meta_sgd]
    for name in ("alpha_lowest", "alpha_highest"):
        assert any(np.array_equal(line.get_ydata(), own[name]) for line in thin), name
    beside_maml, reptile = legends(fig)
    reference = r"MAML, $\alpha_0$ = $10^{-1}$, $\beta_0$ = $10^{-3}$"
    names = [rf"Reptile, $\epsilon_0$ = ${power}$" for power in ("10^{-1}", "10^{0}")]
    assert beside_maml == [reference, reference.replace("MAML", "Meta-SGD"), *names]
    assert reptile == [reference, *(name.removeprefix("Reptile, ") for name in names)]
    maml = made.trials.loc[made.trials["method"] == "maml", "cell_id"]
    shown = rows_of(made.trajectories[made.trajectories["cell_id"].isin(maml)], learned(made.trials))
    assert [one.name for one in shown] == ["alpha", "beta", "train_loss", "val_loss"]


def test_a_problem_without_unit_and_chance(tmp_path: Path) -> None:
    made = swept.swept(tmp_path, swept.SINUSOID)
    words = said(drawn(made))
    assert "Sinusoid regression" in words
    assert "training loss ≤ 2.9, budget" in words
    assert "chance" not in words
    assert "nats" not in words
    columns = [{"title": "MAML", "where": {"method": "maml"}}]
    reference = {"method": "maml", "alpha0": 0.1, "beta0": 1e-3}
    made.about["grid"]["figure"] = {"kind": "trajectories", "columns": columns, "reference": reference}
    made.trajectories["train_loss"] = 4 / made.trajectories["iteration"].astype(float)
    fig = drawn(made)
    assert "target 2.9" in said(fig)
    assert "nats" not in said(fig)
    train, val = (axes(fig, name)[0] for name in ("train_loss", "val_loss"))
    assert (train.get_ylabel(), val.get_ylabel()) == ("training loss", "validation loss")
    assert [text.get_text() for text in train.texts] == ["target 2.9"]
    assert not val.texts
    low, high = train.get_ylim()
    assert low < 4 / 30
    assert high > 4  # where every run starts is in the figure


def test_the_reference_in_nats_as_ever(tmp_path: Path) -> None:
    """An older table does not describe its problem."""
    made = swept.swept(tmp_path, swept.MIXED)
    del made.about["problem"]
    fig = drawn(made)
    assert "glyphs, 5-way" in said(fig)
    assert "target 1 nats" in said(fig)
    assert [text.get_text() for text in axes(fig, "val_loss")[-1].texts] == ["ln 5"]


def test_choices_flags_and_whole_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn from the tables alone: the method is no longer known."""
    swept.bring_typed(monkeypatch)
    counts, lines = (swept.swept(tmp_path, text) for text in (swept.TYPED, swept.LINES))
    swept.forget_typed(monkeypatch)
    table = drawn(counts)
    panels = axes(table, "panel")
    beta = r"$\beta_0$ = $10^{-3}$"
    heads = [text.get_text() for text in table.texts[2:]]
    assert heads == [*(f"{beta}, msl: {msl}" for msl in ("false", "true")), "rule: raw", "rule: update"]
    assert [label.get_text() for label in panels[-1].get_xticklabels()] == ["1", "10"]
    assert all(len([text for text in ax.texts if text.get_text()]) >= 4 for ax in panels)
    fig = drawn(lines)
    choices, steps = (legend[1:] for legend in legends(fig))
    assert choices == [f"rule: {rule}, msl: {msl}" for rule in ("raw", "update") for msl in ("false", "true")]
    assert steps == ["steps = 1", "steps = 10"]
    head = axes(fig, "alpha")[1].get_title(loc="left").split("\n")
    assert head[1:] == ["typed", rf"$\alpha_0$ = $10^{{-1}}$, {beta}", "rule: raw, msl: true"]
    assert [len([line for line in ax.lines if line.get_label()[0] != "_"]) for ax in axes(fig, "beta")] == [
        5,
        3,
    ]


PLANE = """
title: A method of one's own
figure: {figure}
protocol: {{dataset: glyphs, n_way: 5}}
target_loss: 2.8
max_iterations: 30
cells:
  - {{method: own-maml, alpha0: [0.01, 0.1], beta0: [1e-3, 1e-2]}}
"""


@pytest.mark.parametrize("figure", ["{kind: heatmap, x: beta0, y: alpha0}", "{kind: losses}"])
def test_a_user_s_method_is_named(figure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own name, though it extends MAML; and it is no formula."""
    registries.for_now(monkeypatch)
    method(type("Own", (maml.MAML,), {"name": "own-maml"}))
    made = swept.swept(tmp_path, PLANE.format(figure=figure))
    words = said(fig := drawn(made)) + " ".join(ax.get_title(loc="left") for ax in axes(fig, "panel"))
    assert "own-maml" in words
    assert "MAML" not in words
    METHODS["own-maml"].title = "Own $5 to $6"
    words = said(fig := drawn(made)) + " ".join(ax.get_title(loc="left") for ax in axes(fig, "panel"))
    assert r"Own \$5 to \$6" in words
