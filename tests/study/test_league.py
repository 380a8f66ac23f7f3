"""The league: the same settings on all its problems, and tables that a run of today gives again."""

from __future__ import annotations

import pandas as pd
import pytest

from harness import grids
from harness.cell import Question
from harness.common.errors import UserError
from harness.grids import Grid
from harness.problems import datasets, problem_of
from harness.records import reference, tables
from harness.records.passages import first_passage
from harness.study import league
from harness.study.league import LEAGUE
from harness.training import loop

FINE = tuple(f"{name}{league.FINE}" for name in LEAGUE)
SEEDS = (0, 1, 2, 3, 4)
CALM = 1.0
"""The largest alpha0, on the scale of a mean loss, of what is trained again: with 10, rounding alone, as in
another pack, moves counts by several iterations."""
EARLY = 60
"""Iterations: what is trained again takes seconds, and rounding has not grown yet."""


def settings(grid: Grid) -> set[tuple[str, str]]:
    return {(block.method, hyper.model_dump_json()) for block in grid.blocks for hyper in block.hypers}


@pytest.mark.parametrize("names", [LEAGUE, FINE], ids=["league", "fine"])
def test_all_problems_have_the_same_settings(names: tuple[str, ...]) -> None:
    first, *others = (grids.load(name) for name in names)
    assert all(settings(other) == settings(first) for other in others)
    assert all(grid.seeds == SEEDS and grid.target_loss is None for grid in (first, *others))


def test_the_grid_for_a_gpu_is_part_of_the_league() -> None:
    known, part = (settings(grids.load(name)) for name in (LEAGUE[0], "league-20way"))
    assert part < known
    assert {one for one in known if one[0] == "maml"} < part
    assert len(part) == 5 * 5 * (1 + 3 * 3)


@pytest.mark.parametrize("name", LEAGUE)
def test_the_fine_grid_has_the_coarse_one_in_it(name: str) -> None:
    coarse, fine = grids.load(name), grids.load(f"{name}{league.FINE}")
    assert {one for one in settings(coarse) if one[0] == "maml"} < settings(fine)
    assert (coarse.protocol, coarse.question) == (fine.protocol, fine.question)


@pytest.mark.parametrize("name", LEAGUE)
def test_the_fine_grid_has_the_literature_s_pair(name: str) -> None:
    pair = league.LITERATURE[name]
    hypers = [hyper for block in grids.load(f"{name}{league.FINE}").blocks for hyper in block.hypers]
    assert (pair.alpha0, pair.beta0) in {(hyper.alpha0, hyper.beta0) for hyper in hypers}  # type: ignore[attr-defined]


def test_the_literature_s_rate_is_on_the_scale_of_the_loss() -> None:
    """Summed over a task's five images it is .4; of a mean as much as that takes five times the rate."""
    for name in LEAGUE[:2]:
        scale = problem_of(grids.load(name).protocol).scale
        assert league.LITERATURE[name].alpha0 * scale == pytest.approx(0.4 * 5)


PUBLISHED = [name for name in (*LEAGUE, *FINE) if name in reference.grids()]


@pytest.mark.parametrize("name", PUBLISHED)
def test_ten_counts_by_training_again(name: str) -> None:
    """Of ten methods, or as many cells of one: the fastest that is not over at once."""
    grid = grids.load(name)
    if grid.protocol.dataset_name is not None:
        try:
            datasets.load(grid.protocol.dataset_name)
        except UserError as error:
            pytest.skip(str(error))
    read = tables.read(reference.find(name))
    losses = {cell: rows.to_numpy() for cell, rows in read.trajectories.groupby("cell_id")["train_loss"]}
    target = 0.9 * float(pd.Series([rows[0] for rows in losses.values()]).median())
    counts = {cell: first_passage(rows, target) for cell, rows in losses.items()}
    trials = read.trials.assign(count=[counts.get(cell) for cell in read.trials["cell_id"]])
    scale = problem_of(grid.protocol).scale
    calm = trials["count"].between(10, EARLY) & (trials["alpha0"] * scale <= CALM)
    early = trials[calm].sort_values(["count", "cell_id"])
    chosen = early.groupby("method").head(10 // early["method"].nunique() + 1).head(10)
    assert len(chosen) == 10
    cells = {cell.cell_id: cell for cell in grid.cells(sorted(set(chosen["seed"])))}
    for cell_id, count in zip(chosen["cell_id"], chosen["count"], strict=True):
        question = Question(target_loss=None, max_iterations=int(count) + 5)
        (record,) = loop.train([cells[cell_id]], question)
        again = first_passage(record.rows["train_loss"].to_numpy(), target)
        assert again is not None, cells[cell_id].describe()
        assert abs(again - count) <= 1, cells[cell_id].describe()
