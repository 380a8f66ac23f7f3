"""A method's own knobs, chosen once on one problem: from how many initial rates it then reaches the target,
there and on the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.sensitivity.runs import Runs, Settings
from harness.study.league import RATES
from harness.study.standings import CHOICE, REPORT


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One method. Shares are of (pair of initial rates, seed)."""

    method: str
    knobs: dict[str, Any]
    """What it has beside the initial rates, as chosen; empty: nothing."""
    promised: float
    """The share that reaches the target where the knobs were chosen, on the seeds of the choice."""
    kept: tuple[float, ...]
    """By environment, on the seeds of the report."""


def transfers(runs: Mapping[str, Runs], on: str) -> list[Transfer]:
    """Methods with both initial rates, the best mean share first; shares are of the seeds REPORT.

    runs: of each problem, an environment each. on: the one on which knobs are chosen: those with which most
    pairs reach the target on the seeds CHOICE, and of these the ones that spend least.
    """
    found = []
    for one in runs[on].methods:
        if not {*RATES} <= {*one.hyper}:
            continue
        chosen = max(_knobs(one), key=lambda some: _worth(runs[on], one, some))
        kept = [
            share(known, same, chosen, REPORT)
            for known in runs.values()
            for same in known.methods
            if same.name == one.name
        ]
        promised = share(runs[on], one, chosen, CHOICE)
        found.append(Transfer(method=one.name, knobs=chosen, promised=promised, kept=tuple(kept)))
    return sorted(found, key=lambda one: -sum(one.kept))


def _knobs(one: Settings) -> list[dict[str, Any]]:
    """The values of its own knobs; one without any for a method that has none."""
    names = [name for name in one.hyper if name not in RATES]
    found = one.table[names].drop_duplicates().itertuples(index=False, name=None)
    return [dict(zip(names, values, strict=True)) for values in found] if names else [{}]


def _rows(one: Settings, knobs: Mapping[str, Any]) -> NDArray[np.bool_]:
    """[N] which settings have these values."""
    same = [(one.table[name] == value).to_numpy() for name, value in knobs.items()]
    return np.logical_and.reduce([one.ran[0], *same])


def _on(runs: Runs, one: Settings, knobs: Mapping[str, Any], seeds: Collection[int], of: str) -> NDArray[Any]:
    """[settings, seeds] a result."""
    return one.results[of][0, _rows(one, knobs)][:, [runs.seeds.index(seed) for seed in seeds]]


def share(runs: Runs, one: Settings, knobs: Mapping[str, Any], seeds: Collection[int]) -> float:
    """Of (setting with these knobs, seed) that reach the target."""
    return float(np.isfinite(_on(runs, one, knobs, seeds, "count")).mean())


def _worth(runs: Runs, one: Settings, knobs: Mapping[str, Any]) -> tuple[float, float]:
    return share(runs, one, knobs, CHOICE), -float(_on(runs, one, knobs, CHOICE, "cost").mean())
