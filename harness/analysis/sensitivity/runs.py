"""Anybody's table of runs, checked once: (method, environment, hyper-parameters, seed) -> results."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.sensitivity import checks, pairing
from harness.analysis.sensitivity.checks import JOINED
from harness.analysis.sensitivity.resamples import Array
from harness.common.errors import UserError
from harness.grids.mistakes import suggest

EVERYWHERE = "all"
"""The environment of a table that names none."""
COUNTS, DECADES, GAMMA = "-log10 of the iterations to the target", "decades", "Gamma"
"""The score of a table that has only counts; its unit; the unit of normalised scores."""
NO_SEEDS = "no column of seeds is named: a result counts as one seed's, so there are no intervals"


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings:
    """The runs of one method. E environments, N settings, S seeds as in Runs; NaN: not run."""

    name: str
    table: pd.DataFrame
    """[N] the hyper-parameters that vary among its settings, in the order of the table's rows."""
    knobs: NDArray[np.int64]
    """[N, H] the same as levels 0, 1, ... of each."""
    ran: NDArray[np.bool_]
    """[E, N] whether all seeds of the environment were run."""
    results: Mapping[str, Array]
    """By name: [E, N, S]. `score`: more is better; `count`: iterations to the target, inf for a miss; `cost`:
    iterations spent until then, of a miss in all; `cap`: the budget; `evaluations`: gradient evaluations
    spent; `start`: the score before training."""
    passages: Array | None = None
    """[E, N, S, T] iterations to each of T targets; None: not known."""
    paired: tuple[tuple[str, ...], ...] = ()
    """Hyper-parameters that were varied together, in all environments."""
    paired_in: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """By environment, those that were varied together there, in place of these."""

    @property
    def hyper(self) -> tuple[str, ...]:
        """The names of its hyper-parameters that vary."""
        return tuple(self.table.columns)

    @property
    def levels(self) -> NDArray[np.int64]:
        """[N, F] the level of each factor in each setting."""
        columns = [self.knobs[:, places] for places in map(list, self.factors.values())]
        found = [np.unique(one, axis=0, return_inverse=True)[1].ravel() for one in columns]
        return np.stack(found, 1) if found else np.zeros((len(self.knobs), 0), np.int64)

    @property
    def factors(self) -> dict[str, tuple[int, ...]]:
        """What was varied, by name -> the columns of `knobs`: each hyper-parameter, or those that were varied
        together, as one: `alpha0+beta0`."""
        return self._factors(self.paired)

    def factors_in(self, environment: str) -> dict[str, tuple[int, ...]]:
        """The same of one environment."""
        return self._factors(self.paired_in.get(environment, self.paired))

    def _factors(self, paired: Sequence[tuple[str, ...]]) -> dict[str, tuple[int, ...]]:
        together = [tuple(name for name in group if name in self.hyper) for group in paired]
        together = [group for group in together if group]
        in_a_group = {name for group in together for name in group}
        groups = [*together, *((name,) for name in self.hyper if name not in in_a_group)]
        places = {JOINED.join(group): tuple(map(self.hyper.index, group)) for group in groups}
        return dict(sorted(places.items(), key=lambda item: item[1]))

    def at(self, environment: int, name: str, seeds: NDArray[np.bool_]) -> Here:
        """The settings that were run in an environment, and their results on the seeds (flags [S])."""
        ran = self.ran[environment]
        return Here(
            name=self.name,
            environment=name,
            table=self.table[ran],
            knobs=self.knobs[ran],
            factors=self.factors_in(name),
            results={name: found[environment, ran][:, seeds] for name, found in self.results.items()},
            passages=None if self.passages is None else self.passages[environment, ran][:, seeds],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Here:
    """The runs of one method in one environment: N settings, S seeds, nothing missing."""

    name: str
    environment: str
    table: pd.DataFrame
    knobs: NDArray[np.int64]
    factors: dict[str, tuple[int, ...]]
    results: Mapping[str, Array]
    """By name: [N, S]. See Settings."""
    passages: Array | None
    """[N, S, T]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """A table of runs in the form that the measures take. Make it with `runs`."""

    methods: tuple[Settings, ...]
    environments: tuple[str, ...]
    seeds: tuple[Hashable, ...]
    """All of them; an environment may have some."""
    has_seed: NDArray[np.bool_]
    """[E, S] the seeds that every setting of an environment has."""
    score: str
    """What the score is, in words."""
    units: Mapping[str, str]
    """Of the score, by environment; empty: none."""
    less_is_better: bool
    """Whether the score is minus a loss, which is how it is shown."""
    normalised: bool
    """Whether the score is Gamma already."""
    of_counts: bool
    """Whether the score is that of the counts, because there is no other."""
    targets: Mapping[str, Array] = field(default_factory=dict)
    """Environment -> [T]: those of the passages."""
    notes: tuple[str, ...] = ()
    """What was left out, and what else to know, a line each."""

    def noting(self, notes: Sequence[str]) -> Runs:
        """The same with more notes, before its own."""
        return replace(self, notes=(*notes, *self.notes))

    @property
    def unit(self) -> str:
        """Of the score; empty: none, or not the same in all environments."""
        units = set(self.units.values())
        return units.pop() if len(units) == 1 else ""

    @property
    def common_seeds(self) -> NDArray[np.bool_]:
        """[S] the seeds that all environments have."""
        return np.logical_and.reduce(self.has_seed, axis=0)


def runs(
    table: pd.DataFrame,
    *,
    hyper: Sequence[str],
    method: str = "method",
    environment: str | None = None,
    seed: str | None = None,
    score: str | None = None,
    loss: str | None = None,
    gamma: str | None = None,
    count: str | None = None,
    cost: str | None = None,
    evaluations: str | None = None,
    start: str | None = None,
    budget: float | str | None = None,
    unit: str | Mapping[str, str] = "",
    paired: Mapping[str, Sequence[Sequence[str]]] | Sequence[Sequence[str]] = (),
    passages: Array | None = None,
    targets: Mapping[str, Array] | None = None,
    words: str | None = None,
) -> Runs:
    """Check a table with one row for each run, and lay it out for `measure`.

    The other arguments name its columns:

    - `hyper`: the hyper-parameters of all methods, of any type; null: the method has none of that name
    - `environment`, `seed`: None: the table has one, or its results are means over seeds already
    - one of `score` (more is better), `loss` (less is), `gamma` (normalised already, and taken as it is), all
      finite: give a failed run what its failure is worth, such as the loss before training
    - `count`: iterations to the target, from 1; null or inf: a miss
    - `cost`: iterations that a run took in all (None: those up to the target; of a miss, the budget). A run
      that reaches the target is charged for the iterations up to there, whatever it did afterwards
    - `evaluations`: gradient evaluations in one of these iterations
    - `start`: the loss (or score) before training, for the learning-rate sensitivity

    Without a score, the measures of performance use -log10 min(count, budget).

    `budget`: iterations after which a run is given up, the cap of the counts: a number, or a column (None:
    the most that a run of the environment took). `unit`: of the score, or of each environment's. `words`:
    what the score is (None: its column). `paired`: hyper-parameters that were varied together, one factor
    each, such as `[("alpha0", "beta0")]`; or by method. `passages` [rows, T]: iterations to many targets, inf
    for a miss, for the ECDF; `targets`: environment -> [T].

    Seeds are paired: a run of a seed is set beside those of the same seed. So in each environment only
    settings count that have the same seeds, as many runs as that allows; what is left out is in `notes`.
    Settings, methods and environments keep the order of the table's rows, which decides ties. Raises
    UserError where the table cannot be read so: a column is missing or is no number, two rows are of the same
    run, no result is named, no two settings have a seed in common.
    """
    names = ("score", "loss", "gamma", "count", "cost", "evaluations", "start")
    given = (score, loss, gamma, count, cost, evaluations, start)
    columns = {name: str(own) for name, own in zip(names, given, strict=True) if own is not None}
    if not isinstance(table, pd.DataFrame):
        raise UserError("runs: a pandas frame is needed, such as pandas.read_csv makes of a file")
    if isinstance(hyper, str):
        raise UserError(f"hyper: a list of columns is needed, such as [{hyper!r}]")
    hyper = [str(name) for name in hyper]
    of_runs = [str(name) for name in (method, environment, seed) if name is not None]
    capped = [budget] if isinstance(budget, str) else []
    table = checks.named(table, of_runs, hyper, [*columns.values(), *capped])
    keys, labels = _keys(table, str(method), environment, seed, hyper)
    _check_repeats(table, keys, [*of_runs, *hyper])
    if passages is not None:
        passages = checks.passages(passages, len(table), count)
    results = checks.results(table, columns, budget, keys["environment"].to_numpy())
    groups = _groups(paired, labels.methods, hyper)
    kept = pairing.rectangular(keys, labels)
    has_seed = np.zeros((len(labels.environments), len(labels.seeds)), bool)
    has_seed[keys["environment"][kept], keys["seed"][kept]] = True
    rest = keys[kept]
    return Runs(
        methods=tuple(
            _settings(labels.methods[code], own, table[hyper], has_seed.shape, results, passages, groups)
            for code, own in pairing.by(rest, "method")
        ),
        environments=labels.environments,
        seeds=labels.seeds,
        has_seed=has_seed,
        score=words or next((columns[name] for name in checks.SCORES if name in columns), COUNTS),
        units=dict.fromkeys(labels.environments, GAMMA if gamma is not None else DECADES)
        if score is None and loss is None
        else {one: unit if isinstance(unit, str) else unit.get(one, "") for one in labels.environments},
        less_is_better=loss is not None,
        normalised=gamma is not None,
        of_counts=not columns.keys() & set(checks.SCORES),
        targets=targets or {},
        notes=(*pairing.left_out(keys, kept, labels), *[NO_SEEDS] * (seed is None)),
    )


def _keys(
    table: pd.DataFrame, method: str, environment: str | None, seed: str | None, hyper: Sequence[str]
) -> tuple[pd.DataFrame, pairing.Labels]:
    """Which run a row is of, in codes: its method, environment, setting (of all methods) and seed."""
    same = np.zeros(len(table), np.int64)
    methods, names = checks.names(table, method)
    places, environments = (
        checks.names(table, str(environment)) if environment is not None else (same, (EVERYWHERE,))
    )
    paired, seeds = checks.seeds(table, str(seed)) if seed is not None else (same, (0,))
    levels = [checks.codes(table, name, nulls=True)[0] for name in hyper]
    setting = pd.factorize(pd.MultiIndex.from_arrays([methods, *levels]))[0]
    keys = {"method": methods, "environment": places, "setting": setting, "seed": paired}
    return pd.DataFrame(keys), pairing.Labels(methods=names, environments=environments, seeds=seeds)


def _check_repeats(table: pd.DataFrame, keys: pd.DataFrame, shown: Sequence[str]) -> None:
    repeated = keys.duplicated()
    if repeated.any():
        later = int(repeated.to_numpy().argmax())
        first = int((keys == keys.loc[later]).all(axis=1).to_numpy().argmax())
        values = ", ".join(f"{name}={table[name][first]}" for name in shown)
        raise UserError(
            f"rows {first} and {later}, counting from 0, are of one run: {values}; name the columns that "
            "tell them apart (hyper, seed, environment), or average first"
        )


def _groups(
    paired: Mapping[str, Sequence[Sequence[str]]] | Sequence[Sequence[str]],
    methods: Sequence[str],
    hyper: Sequence[str],
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """By method, the hyper-parameters that were varied together."""
    if not isinstance(paired, Mapping):
        return dict.fromkeys(methods, checks.groups(paired, hyper))
    for name in paired:
        if name not in methods:
            raise UserError(f"paired: there is no method {name}; {suggest(name, list(methods))}")
    return {name: checks.groups(paired.get(name, ()), hyper) for name in methods}


def _settings(
    name: str,
    keys: pd.DataFrame,
    hyper: pd.DataFrame,
    shape: tuple[int, ...],
    results: Mapping[str, Array],
    passages: Array | None,
    groups: Mapping[str, tuple[tuple[str, ...], ...]],
) -> Settings:
    """The settings of one method. `keys`: its rows; `hyper`: of all rows; `shape`: (E, S)."""
    number, distinct = pd.factorize(keys["setting"])
    place = (keys["environment"].to_numpy(), number, keys["seed"].to_numpy())

    def laid(values: Array) -> Array:
        whole = np.full((shape[0], len(distinct), shape[1], *values.shape[1:]), np.nan)
        whole[place] = values[keys.index]
        return whole

    ran = np.zeros((shape[0], len(distinct)), bool)
    ran[place[:2]] = True
    varied = hyper.loc[keys.index[~keys["setting"].duplicated()]].reset_index(drop=True)
    codes = {str(column): checks.codes(varied, str(column), nulls=True) for column in varied}
    varies = [column for column, (_, levels) in codes.items() if len(levels) > 1]
    knobs = [codes[column][0] for column in varies]
    return Settings(
        name=name,
        table=varied[varies],
        knobs=np.stack(knobs, 1) if knobs else np.zeros((len(varied), 0), np.int64),
        ran=ran,
        results={what: laid(values) for what, values in results.items()},
        passages=None if passages is None else laid(passages),
        paired=groups[name],
    )
