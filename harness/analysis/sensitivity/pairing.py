"""Which runs of a table can be set beside each other: those of settings that have the same seeds."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.common.errors import UserError
from harness.common.text import counted

MOST_KINDS = 200
"""Different sets of seeds of which what any two share is tried too."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the codes of the keys stand for."""

    methods: tuple[str, ...]
    environments: tuple[str, ...]
    seeds: tuple[Hashable, ...]


def by(keys: pd.DataFrame, name: str) -> Iterator[tuple[int, pd.DataFrame]]:
    """The rows of each code of a key, in order of appearance."""
    return cast("Iterator[tuple[int, pd.DataFrame]]", iter(keys.groupby(name, sort=False)))


def rectangular(keys: pd.DataFrame, labels: Labels) -> pd.Series:
    """Which rows count: in each environment those of some settings with all of some seeds, so that as few
    methods as possible go, and then as few runs; of equals those with more seeds.

    `keys`: the codes of method, environment, seed and setting of each row. UserError: no two settings of an
    environment have a seed in common.
    """
    kept = pd.Series(False, keys.index)
    for code, rows in by(keys, "environment"):
        settings, own = pd.factorize(rows["setting"])
        has = np.zeros((len(own), len(labels.seeds)), bool)
        has[settings, rows["seed"]] = True
        methods = rows["method"].to_numpy()[np.unique(settings, return_index=True)[1]]
        used = _seeds(has, methods)
        whole = np.logical_and.reduce(has[:, used], axis=1)
        if whole.sum() == 1 < len(own):
            raise UserError(
                f"{labels.environments[code]}: seeds are paired, but no two settings were run with the same "
                "ones; give the runs that are to be compared the same seeds, or average over seeds first"
            )
        kept[rows.index] = whole[settings] & used[rows["seed"].to_numpy()]
    return kept


def _seeds(has: Flags, methods: NDArray[np.int64]) -> Flags:
    """The seeds to keep [S]. `has` [N, S]: which seeds each setting has; `methods` [N]: its method.

    Tried are the seeds of each setting, and what any two settings have in common.
    """
    kinds = np.unique(has, axis=0)
    tried = kinds
    if len(kinds) <= MOST_KINDS:
        tried = np.unique((kinds[:, None] & kinds).reshape(-1, has.shape[1]), axis=0)
    best, chosen = (0, 0, 0), tried[0]
    for used in tried[tried.any(1)]:
        whole = has[:, used].all(1)
        worth = (len(np.unique(methods[whole])), int(used.sum() * whole.sum()), int(used.sum()))
        if worth > best:
            best, chosen = worth, used
    return chosen


def left_out(keys: pd.DataFrame, kept: pd.Series, labels: Labels) -> Iterator[str]:
    """A line for each environment that lost rows, and for each method that it lost whole."""
    for code, rows in by(keys, "environment"):
        name, mine = labels.environments[code], kept[rows.index]
        if mine.all():
            continue
        lost = np.zeros(len(labels.seeds), bool)
        lost[rows["seed"]] = True
        lost[rows["seed"][mine]] = False
        settings = rows["setting"].nunique() - rows["setting"][mine].nunique()
        what = [f"{'seed' if lost.sum() == 1 else 'seeds'} {_listed(labels, lost)}"] * bool(lost.any())
        what += [counted(settings, "setting")] * bool(settings)
        yield (
            f"{name}: {' and '.join(what)} left out ({counted(int((~mine).sum()), 'run')}): seeds are "
            "paired, so only settings that have the same ones are measured"
        )
        gone = set(rows["method"]) - set(rows["method"][mine])
        yield from (f"{name}: nothing is left of {labels.methods[one]}" for one in sorted(gone))


def _listed(labels: Labels, flags: Flags, most: int = 8) -> str:
    """`0, 1, 2`; the first of many."""
    some = [str(labels.seeds[at]) for at in np.flatnonzero(flags)]
    return ", ".join(some[:most]) + (f" and {len(some) - most} more" if len(some) > most else "")
