"""The grids of sweeps/: the paper's to the digit, and what the others share with them."""

from __future__ import annotations

import itertools

import pytest

from harness import grids
from harness.common.errors import UserError
from harness.grids.matching import matches, row_of


@pytest.mark.parametrize("suffix", ["", "-sgd"])
def test_the_papers_grids(suffix: str) -> None:
    fig1, fig2, fig3 = (grids.load(f"fig{i}{suffix}") for i in (1, 2, 3))
    assert [(g.target_loss, g.max_iterations) for g in (fig1, fig2, fig3)] == [
        (None, 500),
        (2.5, 500),
        (2.99, 500),
    ]
    assert len(fig2.cells()) == 185
    assert fig2.cells() == fig3.cells()  # Figure 3 is read off the records of Figure 2
    assert {g.protocol.label for g in (fig1, fig2, fig3)} == {f"paper{suffix or '-adam'}"}
    assert {c.hyper for c in fig1.cells() if c.method == "maml"} <= {c.hyper for c in fig2.cells()}
    assert isinstance(fig1.figure, grids.Trajectories)
    rows = [row_of(cell, fig1.preset) for cell in fig1.cells()]
    for column in fig1.figure.columns:
        assert {row["method"] for row in rows if matches(column.where, row)} == {"maml", "alpha-maml"}


def test_fig2_is_the_papers_to_the_digit() -> None:
    decades = {
        "pairs": [(1e-1, 1e-3), (1e-2, 1e-4), (1e-3, 1e-5), (1e-4, 1e-6), (1e-5, 1e-7)],
        "alpha_hyperlr": [1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2],
        "beta_hyperlr": [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3],
    }
    rows = [tuple(c.hyper.model_dump().values()) for c in grids.load("fig2").cells()]
    assert rows[:5] == decades["pairs"]
    cross = itertools.product(*decades.values())
    assert rows[5:] == [(*pair, a, b) for pair, a, b in cross]


@pytest.mark.parametrize("name", [grid.name for grid in grids.load_all() if grid.protocol.dataset_name])
def test_each_grid_loads_on_either_data_set(name: str) -> None:
    grid = grids.load(name)
    glyphs = grids.load(name, dataset="glyphs")
    assert grid.folder == grid.name == name
    assert glyphs.protocol.dataset == "glyphs"
    assert glyphs.folder == (name if grid.protocol.dataset == "glyphs" else f"{name}-glyphs")
    assert len(glyphs.cells()) == len(grid.cells())
    assert (glyphs.protocol == grid.protocol) == (name == "quick")


def test_a_grid_without_images_has_no_other_data_set() -> None:
    assert grids.load("sinusoid").protocol.dataset_name is None
    with pytest.raises(UserError, match=r"sweeps/sinusoid.yaml: the problem sinusoid has no data sets"):
        grids.load("sinusoid", dataset="glyphs")


def test_what_other_grids_take_from_fig2() -> None:
    """The readings' own protocol, the yardstick's draw 0 and MAML of the limit need no run of their own."""
    fig2 = {c.cell_id for c in grids.load("fig2").cells()}
    shared = {
        name: {c.cell_id for c in grids.load(name).cells()} & fig2
        for name in ("readings", "yardstick", "limit")
    }
    assert {name: len(ids) for name, ids in shared.items()} == {"readings": 40, "yardstick": 4, "limit": 5}
    assert len(grids.load("readings").cells()) == 7 * 40


def test_readings_change_one_field_each() -> None:
    grid = grids.load("readings")
    assert grid.label.split("; ") == [
        "paper-adam", "k_shot=5", "k_query=15", "meta_batch=8", "head_init=normal", "resize=nearest",
        "inner_steps=5",
    ]  # fmt: skip
    assert [one.perturbation for one in grids.load("yardstick").protocols] == [0, 1, 2, 3, 4, 5]


def test_landscapes_are_full_crosses() -> None:
    for name in ("landscape", "landscape-sgd"):
        cells = grids.load(name).cells()
        methods = ("maml", "alpha-maml")
        by_method = {m: {(c.hyper.alpha0, c.hyper.beta0) for c in cells if c.method == m} for m in methods}
        alphas, betas = zip(*by_method["maml"], strict=True)
        assert by_method["maml"] == by_method["alpha-maml"] == set(itertools.product(alphas, betas))
        assert len(cells) == 2 * len(by_method["maml"])


def test_quick_is_below_chance() -> None:
    grid = grids.load("quick")
    assert grid.protocol.n_way == 5
    assert grid.target_loss is not None
    assert grid.target_loss < grid.protocol.chance_loss
