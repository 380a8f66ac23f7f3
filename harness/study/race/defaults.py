"""One choice of a method's own knobs, made on other problems alone, and on seeds on which nobody races.

League grids may share their tasks, seed by seed: so a default must not race on a seed on which it was chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.sensitivity.over_environments import normalised, scale
from harness.analysis.sensitivity.resamples import Array, first_best
from harness.analysis.sensitivity.runs import Settings
from harness.analysis.sensitivity.tables import of_tables
from harness.analysis.sensitivity.texts import number
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import listed, written
from harness.records.reference import say_seeds
from harness.records.tables import Tables
from harness.study import league
from harness.study.race.searched import Searched, whole_seeds
from harness.study.standings import CHOICE


@dataclass(frozen=True, kw_only=True)
class Default:
    """What was chosen."""

    values: Mapping[str, float]
    """By knob; empty: it has none, so that nothing was chosen."""
    text: str
    """The same in words, and on what it was chosen."""


def own_knobs(known: Searched) -> list[str]:
    """What it has beside the initial rates."""
    varies = (str(name) for name in known.table if known.table[name].nunique() > 1)
    return [name for name in varies if name not in league.RATES]


def default(known: Searched, grid: str, others: Mapping[str, Tables], seeds: Collection[int]) -> Default:
    """The values of a method's own knobs with the best mean, over the league's other grids, the seeds of
    CHOICE and all initial rates, of Gamma (see analysis.sensitivity): the score of one run at random rates,
    set beside what all methods reach there. Only values that the race's own grid has.

    others: the tables that there are; seeds: those that could race. UserError: none of these is left beside
    CHOICE; one of the other grids has no records, or lacks a seed of CHOICE; they have no such values in
    common.
    """
    knobs, method, names = own_knobs(known), known.method, listed([*others])
    if not knobs:
        return Default(values={}, text="nothing to choose, as only its initial rates vary")
    if not {*seeds} - {*CHOICE}:
        raise UserError(
            f"its default would be chosen on {say_seeds(CHOICE)}, and no other seed is left to race on"
        )
    if lacking := [one for one in league.others(grid) if one not in others]:
        raise UserError(f"no records of {listed(lacking)}, on which its default would be chosen")
    rest = _whole(method, others)
    gammas = _Gammas.of(method, others, CHOICE)
    if missing := [name for name in knobs if name not in gammas.settings.table]:
        raise UserError(f"{names}: {listed(missing)} of {method} does not vary there")
    wanted = [
        dict(zip(knobs, values, strict=True))
        for values in known.table[knobs].drop_duplicates().itertuples(index=False, name=None)
    ]
    means = [gammas.mean(values) for values in wanted]
    if not np.isfinite(means).any():
        raise UserError(f"{names}: no values of {listed(knobs)} that all have")
    best = int(first_best(means))
    scores = f"mean Gamma {number(means[best])} there"
    if rest:
        later = _Gammas.of(method, others, rest).mean(wanted[best])
        scores += f", {number(later)} on their {say_seeds(rest)}"
    words = " ".join(f"{knob}={written(value)}" for knob, value in wanted[best].items())
    return Default(values=wanted[best], text=f"{words}, chosen on {names}, {say_seeds(CHOICE)} ({scores})")


def _whole(method: str, others: Mapping[str, Tables]) -> list[int]:
    """The seeds beside CHOICE that all have whole. UserError: one has not those of CHOICE."""
    common: set[int] | None = None
    for name, tables in others.items():
        own = tables.trials[tables.trials["method"] == method]
        if own.empty:
            raise UserError(f"{name}: it has no cells of {method}, so no default can be chosen on it")
        seeds = {*whole_seeds(own)}
        if lacking := sorted({*CHOICE} - seeds):
            again = places.typed("sweep", tables.about.get("file") or name)
            raise UserError(
                f"{name}: not all cells of {method} have a result of {say_seeds(lacking)}, on which its "
                f"default would be chosen; {again} runs what is missing"
            )
        common = seeds if common is None else common & seeds
    return sorted((common or set()) - {*CHOICE})


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gammas:
    """A method's scores on the other grids."""

    settings: Settings
    gamma: Array
    """[E, N] NaN: not run."""

    @classmethod
    def of(cls, method: str, others: Mapping[str, Tables], seeds: Sequence[int]) -> _Gammas:
        """On these seeds alone. UserError: another method lacks one, so that nothing can be set beside it."""
        flags = {name: tables.trials["seed"].isin(seeds) for name, tables in others.items()}
        some = {
            name: replace(tables, trials=tables.trials[flags[name]].reset_index(drop=True))
            for name, tables in others.items()
        }
        runs = of_tables(some)
        found = [one for one in runs.methods if one.name == method]
        if not found or len(runs.seeds) < len(seeds) or not runs.has_seed.all():
            raise UserError(f"{listed([*others])}: not all methods have {say_seeds(seeds)}")
        weights = np.full((1, len(seeds)), 1 / len(seeds))
        gamma = normalised(found[0], scale(runs, weights), weights)[..., 0]
        return cls(settings=found[0], gamma=gamma)

    def mean(self, values: Mapping[str, float]) -> float:
        """Over the grids and all settings with these values that all have; -inf: there are none."""
        table = self.settings.table
        same = np.logical_and.reduce([table[name] == value for name, value in values.items()])
        chosen = self.settings.ran.all(0) & same
        return float(self.gamma[:, chosen].mean()) if chosen.any() else -np.inf
