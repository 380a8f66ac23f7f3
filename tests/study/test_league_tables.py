"""The league's tables beside a plain count over the records."""

from __future__ import annotations

import math

import pytest

from harness.analysis.summary import numbers
from harness.methods import METHODS
from harness.records import reference, tables
from harness.records.passages import sustained_passage
from harness.study import league_tables
from harness.study.league import LEAGUE, TARGETS

HERE = [name for name in LEAGUE if name in reference.grids()]


@pytest.mark.parametrize("grid", HERE)
def test_shares_and_costs_by_a_loop(grid: str) -> None:
    """Of K hits among B settings: (B - K) / (K + 1) misses in the mean, and a hit; the mean over seeds."""
    read = tables.read(reference.find(grid))
    losses = {cell: numbers(own["train_loss"]) for cell, own in read.trajectories.groupby("cell_id")}
    lines = league_tables.costs(grid).splitlines()
    shown = {cells[1].strip(): cells for cells in (line.split("|") for line in lines if line.startswith("|"))}
    done = read.trials[read.trials["outcome"].notna()]
    for method, own in done.groupby("method"):
        costs, hits = [], 0
        for _, trials in own.groupby("seed"):
            passages = [sustained_passage(losses[cell], TARGETS[grid]) for cell in trials["cell_id"]]
            spent = [p or len(losses[cell]) for p, cell in zip(passages, trials["cell_id"], strict=True)]
            hit = [cost for cost, p in zip(spent, passages, strict=True) if p]
            miss = [cost for cost, p in zip(spent, passages, strict=True) if not p]
            hits += len(hit)
            wasted = len(miss) / (len(hit) + 1) * (sum(miss) / max(1, len(miss)))
            costs.append(wasted + sum(hit) / len(hit) if hit else math.inf)
        row = shown[METHODS[str(method)].title]
        mean = sum(costs) / len(costs)
        assert row[3].strip() == f"{100 * hits / len(own):.0f} %"
        said = row[4].split("(")[0].strip().replace(",", "")
        assert said == "never" if math.isinf(mean) else float(said) == pytest.approx(mean, rel=5e-3)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "grids", dict)
    assert league_tables.costs("league-5way") == "`make sweep GRID=league-5way` has not been run yet."
    assert league_tables.standing().endswith("and `league-sinusoid`.")
