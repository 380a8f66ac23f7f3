"""Ids of committed records. If one moves, every record of every store is orphaned: mend the change."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from harness import grids
from harness.cell import PRESETS, Cell
from harness.common import places
from harness.methods import METHODS
from harness.records import reference, tables

RATES = ("alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr")
GOLDEN = (
    ("beyond", {}, (1e-1, 1e-3), 0, "7d250d523a8d78c8"),
    ("beyond", {}, (1e-5, 1e-7), 2, "229a0a13ec419084"),
    ("beyond", {}, (1e-5, 1e-7), 4, "a3835d6c53905f8f"),
    ("chance", {}, (1e-4, 1e-6), 0, "a1acf3b3fffb6349"),
    ("chance", {"meta_batch": 8}, (1e-4, 1e-6), 2, "c6ecbdffa184a346"),
    ("chance", {"meta_batch": 4}, (1e-4, 1e-6), 4, "ed8b5a508594db02"),
    ("fig1", {}, (1e-4, 1e-6, 0.1, 1e-5), 2, "e378d4723f37a16e"),
    ("fig1", {}, (1e-4, 1e-6, 100, 1e-6), 4, "6b5c82790e4b30a4"),
    ("fig1-readings", {"head_init": "normal"}, (1e-1, 1e-3), 0, "bb085f745123a350"),
    ("fig1-readings", {"resize": "nearest"}, (1e-4, 1e-6, 10, 1e-6), 0, "fe056a457cbf7dba"),
    ("fig1-sgd", {}, (1e-3, 1e-4, 1e-2, 1e-4), 0, "cefb33f55a4d78de"),
    ("fig1-sgd", {}, (1e-3, 1e-4, 10, 1e-4), 0, "b87996626f2c72c2"),
    ("fig2", {}, (1e-3, 1e-5, 0.1, 1e-5), 2, "dfa2ad8c231b21cf"),
    ("fig2", {}, (1e-5, 1e-7, 100, 1e-3), 4, "8e3ca15f5438baf4"),
    ("fig2-sgd", {}, (1, 1e-1), 0, "5d3fd3d29a35cd16"),
    ("fig2-sgd", {}, (1e-2, 1e-3, 1e-2, 1e-4), 0, "3008a6c4980f2431"),
    ("fig3", {}, (1e-3, 1e-5, 0.1, 1e-5), 2, "dfa2ad8c231b21cf"),
    ("fig3-sgd", {}, (1e-4, 1e-5, 10, 1e-2), 0, "97c837599afa9230"),
    ("landscape-sgd", {}, (1e-5, 1e-1), 0, "e8011fe0df603dde"),
    ("landscape-sgd", {}, (1, 1e-1, 1e-2, 1e-4), 0, "c7a51c5bed83375f"),
    ("limit", {}, (1e-1, 1e-3, 0, 0), 0, "3258a395da208dcf"),
    ("limit", {}, (1e-5, 1e-7, 0, 0), 0, "65f376604552a038"),
    ("readings", {"meta_batch": 8}, (1e-3, 1e-5, 10, 1e-5), 0, "6df25d30f9017594"),
    ("readings", {"inner_steps": 5}, (1e-5, 1e-7, 10, 1e-4), 0, "e211f4f733c144a7"),
    ("yardstick", {"perturbation": 3}, (1e-1, 1e-3), 0, "b12ff665c703f5a8"),
    ("yardstick", {"perturbation": 5}, (1e-4, 1e-6, 0.1, 1e-5), 0, "ea4e81156b349ca4"),
)
"""Grid, what differs from its preset, rates, seed, id: as 8a23125 wrote them to results/reference/."""

LEAGUE = (
    ("league-5way", "maml", (0.1, 1e-05), 1, "afdd9dad9fb5486e"),
    ("league-5way", "alpha-maml", (0.1, 1e-05, 0.1, 0.001), 1, "abc7baf46dc862be"),
    ("league-5way", "reptile", (0.1, 0.001, 10), 1, "9ca1bec137ba85d8"),
    ("league-5way", "la-maml", (0.1, 0.001), 1, "469e3e8d0ed7cbe7"),
    ("league-5way", "alpha-maml-log", (0.1, 1e-05, 2.0, "sum"), 1, "8c9f71f90917c9a9"),
    ("league-5way", "maml-dog", (0.1, 1e-05), 1, "9a77c3e544cd05f0"),
    ("league-sinusoid", "maml", (0.1, 1e-05), 1, "87f493bc1bc9b5b5"),
    ("league-sinusoid", "alpha-maml", (0.1, 1e-05, 0.1, 0.001), 1, "fb66c75c43945cdc"),
    ("league-sinusoid", "reptile", (0.1, 0.001, 10), 1, "b87a025a5f93343d"),
    ("league-sinusoid", "la-maml", (0.1, 0.001), 1, "b09c9ad6e16ded9a"),
    ("league-sinusoid", "alpha-maml-log", (0.1, 1e-05, 2.0, "sum"), 1, "5a134ea64c0a4f94"),
    ("league-sinusoid", "maml-dog", (0.1, 1e-05), 1, "1af91a35ed623a71"),
    ("league-5way-sum", "maml", (0.1, 1e-05), 1, "3d846dfd962d982d"),
    ("league-5way-sum", "alpha-maml", (0.1, 1e-05, 0.1, 0.001), 1, "de894dd32fd1585c"),
    ("league-5way-sum", "reptile", (0.1, 0.001, 10), 1, "d77a68a13cec0b95"),
    ("league-5way-sum", "la-maml", (0.1, 0.001), 1, "cd5b33f23c1251b8"),
    ("league-5way-sum", "alpha-maml-log", (0.1, 1e-05, 2.0, "sum"), 1, "bd12831b06faff21"),
    ("league-5way-sum", "maml-dog", (0.1, 1e-05), 1, "f669a66e5e87e232"),
    ("league-5way-fine", "maml", (0.2, 0.0004), 1, "80c844c9b62a33c6"),
    ("league-sinusoid-fine", "maml", (0.2, 0.0004), 1, "259324d22f15bd92"),
    ("league-5way-sum-fine", "maml", (0.2, 0.0004), 1, "0d6dbc45ab2b5424"),
    ("accuracy", "maml", (0.4, 0.001), 1, "c27f72b372043d5c"),
    ("accuracy-sinusoid", "maml", (0.0, 0.001), 1, "1ca109aabad36c1d"),
    ("scale-free", "alpha-maml-log", (0.1, 0.001, 1.0, "sum"), 1, "4355ed19ef46a3bc"),
    ("scale-free-5way", "alpha-maml-log", (1.0, 0.01, 0.2, "mean"), 1, "fd4c4b3bc9f1c547"),
    ("scale-free-long", "alpha-maml-log", (0.001, 1e-05, 1.0, "sum"), 1, "4cad71cf6bee26d1"),
    ("scale-free-choice", "alpha-maml-log", (0.001, 1e-05, 2.0, "sum"), 1, "b6487ec30fca3855"),
    ("scale-free-others", "alpha-maml-normalised", (0.1, 0.001, 1.0, 0.1), 1, "bc86626d24be51f7"),
    ("scale-free-others", "alpha-maml-multiplicative", (0.1, 0.001, 0.9, 0.9), 1, "010a14562f9f3cea"),
)
"""Grid, method, its first hyper-parameters, seed, id: as they were first run."""


@pytest.mark.parametrize(("grid", "changes", "rates", "seed", "cell_id"), GOLDEN)
def test_the_id_of_a_committed_record(
    grid: str, changes: dict, rates: tuple[float, ...], seed: int, cell_id: str
) -> None:
    protocol = PRESETS["paper-sgd" if grid.endswith("-sgd") else "paper-adam"].model_copy(update=changes)
    hyper = dict(zip(RATES, map(float, rates), strict=False))
    method = "alpha-maml" if len(rates) == 4 else "maml"
    made = Cell(protocol=protocol, method=method, hyper=hyper, seed=seed)
    assert made.cell_id == cell_id
    assert made in grids.load(grid).cells([seed])


@pytest.mark.parametrize(("grid", "method", "values", "seed", "cell_id"), LEAGUE)
def test_the_id_of_a_record_of_the_league(
    grid: str, method: str, values: tuple, seed: int, cell_id: str
) -> None:
    hyper = dict(zip(METHODS[method].Hyper.model_fields, values, strict=False))
    made = Cell(protocol=grids.load(grid).protocol, method=method, hyper=hyper, seed=seed)
    assert made.cell_id == cell_id
    assert made in grids.load(grid).cells([seed])


def test_some_of_each_grid_are_pinned() -> None:
    assert {grid for grid, *_ in (*GOLDEN, *LEAGUE)} >= set(reference.grids())


@pytest.mark.parametrize("grid", sorted(reference.grids()))
def test_the_ids_of_all_committed_records(grid: str) -> None:
    """Every row of a reference table is a cell of its grid, under the preset and changes that it says."""
    trials = tables.read(places.REFERENCE / grid, curves=False).trials
    for row in trials.to_dict("records"):
        fields = METHODS[row["method"]].Hyper.model_fields
        hyper = {name: row[name] for name in fields if name in row and pd.notna(row[name])}
        protocol = PRESETS[row["preset"]].model_copy(update=json.loads(row["changes"]))
        made = Cell(protocol=protocol, method=row["method"], hyper=hyper, seed=row["seed"])
        assert made.cell_id == row["cell_id"]
