"""Anybody's table of runs, checked once: (method, environment, hyper-parameters, seed) -> results."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.common.errors import UserError
from harness.common.text import counted

Array = NDArray[np.float64]

RESULTS = ("score", "loss", "gamma", "count", "cost", "evaluations", "start")
"""What a table may say of a run, see `runs`."""
JOINED = "+"
"""Between hyper-parameters that were varied together: `alpha0+beta0`."""
EVERYWHERE = "all"
"""The environment of a table that names none."""


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
    iterations spent until then; `cap`: the budget; `evaluations`: gradient evaluations spent; `start`: the
    score before training."""
    passages: Array | None = None
    """[E, N, S, T] iterations to each of T targets; None: not known."""
    paired: tuple[tuple[str, ...], ...] = ()
    """Hyper-parameters that were varied together."""

    @property
    def hyper(self) -> tuple[str, ...]:
        """The names of its hyper-parameters that vary."""
        return tuple(map(str, self.table.columns))

    @property
    def factors(self) -> dict[str, tuple[int, ...]]:
        """What was varied, by name -> the columns of `knobs`: each hyper-parameter, or those that were varied
        together, as one: `alpha0+beta0`."""
        together = [group for group in self.paired if set(group) <= set(self.hyper)]
        in_a_group = {name for group in together for name in group}
        groups = [*together, *((name,) for name in self.hyper if name not in in_a_group)]
        places = {JOINED.join(group): tuple(map(self.hyper.index, group)) for group in groups}
        return dict(sorted(places.items(), key=lambda item: item[1]))

    def at(self, environment: int, seeds: NDArray[np.bool_]) -> Here:
        """The settings that were run in an environment, and their results on the seeds (flags [S])."""
        ran = self.ran[environment]
        return Here(
            name=self.name,
            table=self.table[ran],
            knobs=self.knobs[ran],
            factors=self.factors,
            results={name: found[environment, ran][:, seeds] for name, found in self.results.items()},
            passages=None if self.passages is None else self.passages[environment, ran][:, seeds],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Here:
    """The runs of one method in one environment: N settings, S seeds, nothing missing."""

    name: str
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
    score: str | None
    """What the score is, in words; None: there is none."""
    unit: str
    """Of the score; empty: none."""
    less_is_better: bool
    """Whether the score is minus a loss, which is how it is shown."""
    normalised: bool
    """Whether the score is Gamma already."""
    of_counts: bool
    """Whether there is no score but that of the counts."""
    targets: Mapping[str, Array] = field(default_factory=dict)
    """Environment -> [T]: those of the passages."""
    notes: tuple[str, ...] = ()
    """What was left out, a line each."""

    def noting(self, notes: Sequence[str]) -> Runs:
        """The same with more notes, before its own."""
        return replace(self, notes=(*notes, *self.notes))

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
    unit: str = "",
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
    - `count`: iterations to the target; null or inf: a miss. `cost`: iterations that the run took until it
    hit
      or was given up (None: the count, or `budget` for a miss). `evaluations`: gradient evaluations in one of
      these iterations. Without a score, the measures of performance use -log10 min(count, budget)
    - `start`: the loss (or score) before training, for the learning-rate sensitivity

    `budget`: iterations after which a run is given up, the cap of the counts: a number, or a column (None:
    the largest cost). `unit`: of the score. `words`: what the score is (None: its column). `paired`:
    hyper-parameters that were varied together, one factor each, such as `[("alpha0", "beta0")]`; or by
    method. `passages` [rows, T]: iterations to many targets, inf for a miss, for the ECDF; `targets`:
    environment -> [T].

    Seeds are paired: a run of a seed is set beside those of the same seed. So in each environment only those
    seeds count that most settings have, and only settings that have all of these; what is left out is in
    `notes`. Raises UserError where the table cannot be read so: a column is missing or no number, two rows
    are of the same run, no result is named.
    """
    named = {
        name: column
        for name, column in zip(RESULTS, (score, loss, gamma, count, cost, evaluations, start), strict=True)
        if column is not None
    }
    _check_columns(table, [method, *hyper, *filter(None, (environment, seed)), *named.values()])
    if isinstance(budget, str):
        _check_columns(table, [budget])
    table = table.reset_index(drop=True)
    keys = pd.DataFrame({"method": table[method].astype(str)})
    keys["environment"] = EVERYWHERE if environment is None else table[environment].astype(str)
    keys["seed"] = 0 if seed is None else table[seed]
    levels = {name: pd.factorize(table[name], use_na_sentinel=False)[0] for name in hyper}
    keys["setting"] = pd.factorize(pd.MultiIndex.from_arrays(list(levels.values())))[0] if hyper else 0
    if keys.isna().any(axis=None):
        raise UserError("a row names no method, environment or seed")
    _check_repeats(keys, table, hyper)
    results, shown = _results(table, named, budget)
    kept = _rectangular(keys)
    environments = tuple(dict.fromkeys(keys["environment"]))
    seeds = tuple(sorted(keys["seed"].unique()))
    has_seed = np.zeros((len(environments), len(seeds)), bool)
    for e, one in enumerate(environments):
        some = set(keys["seed"][kept & (keys["environment"] == one)])
        has_seed[e] = [s in some for s in seeds]
    methods = []
    for name in dict.fromkeys(keys["method"][kept]):
        rows = keys.index[kept & (keys["method"] == name)]
        groups = paired.get(name, ()) if isinstance(paired, Mapping) else paired
        methods.append(
            _settings(name, rows, keys, table, hyper, (environments, seeds), results, passages, groups)
        )
    return Runs(
        methods=tuple(methods),
        environments=environments,
        seeds=seeds,
        has_seed=has_seed,
        score=words or shown["score"],
        unit=unit if named.keys() & {"score", "loss"} else shown["unit"],
        less_is_better="loss" in named,
        normalised="gamma" in named,
        of_counts=not named.keys() & {"score", "loss", "gamma"},
        targets=targets or {},
        notes=tuple(_left_out(keys, kept)),
    )


def _check_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in table:
            raise UserError(f"the table has no column {name}; it has {', '.join(map(str, table.columns))}")
    if table.empty:
        raise UserError("the table has no rows")


def _check_repeats(keys: pd.DataFrame, table: pd.DataFrame, hyper: Sequence[str]) -> None:
    repeated = keys.duplicated()
    if repeated.any():
        row = keys[repeated].iloc[0]
        first = int(keys.index[(keys == row).all(axis=1)][0])
        values = ", ".join(f"{name}={table[name][first]}" for name in hyper)
        raise UserError(
            f"rows {first} and {repeated.idxmax()} are of one run: {row['method']} in {row['environment']}, "
            f"{values}, seed {row['seed']}; name the column of seeds, or average first"
        )


def _numbers(table: pd.DataFrame, column: str) -> Array:
    try:
        return pd.to_numeric(table[column]).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        raise UserError(f"column {column}: not all are numbers") from None


def _results(
    table: pd.DataFrame, named: Mapping[str, str], budget: float | str | None
) -> tuple[dict[str, Array], dict[str, Any]]:
    """The results by the names of Settings.results [rows], and what the score is, its unit and the cap."""
    values = {name: _numbers(table, column) for name, column in named.items()}
    scores = [name for name in ("score", "loss", "gamma") if name in values]
    if len(scores) > 1:
        raise UserError(f"{' and '.join(scores)}: only one of them is the result")
    if not scores and "count" not in values:
        raise UserError("no result: name a column as score, loss, gamma or count")
    for name in (*scores, *({"cost", "evaluations", "start"} & values.keys())):
        if not np.isfinite(values[name]).all():
            row = int(np.flatnonzero(~np.isfinite(values[name]))[0])
            raise UserError(
                f"column {named[name]}, row {row}: not a finite number; give a failed run what its failure "
                "is worth, or leave out the rows of runs that were not made"
            )
    results: dict[str, Array] = {}
    about: dict[str, Any] = {"score": None, "unit": ""}
    if "count" in values:
        count = np.where(np.isnan(values["count"]), np.inf, values["count"])
        if (count < 1).any():
            raise UserError(f"column {named['count']}: iterations are counted from 1")
        hit = np.isfinite(count)
        if budget is None and "cost" not in values and not hit.all():
            raise UserError("some runs miss the target: say budget=..., or name the column of their cost")
        if budget is None:
            cap = np.full(len(count), max([*values.get("cost", ()), *count[hit]]))
        else:
            cap = _numbers(table, budget) if isinstance(budget, str) else np.full(len(count), float(budget))
        cost = values.get("cost", np.where(hit, count, cap))
        results |= {"count": count, "cost": cost, "cap": cap}
        if "evaluations" in values:
            results["evaluations"] = cost * values["evaluations"]
    if scores:
        sign = -1.0 if scores == ["loss"] else 1.0
        results["score"] = sign * values[scores[0]]
        about |= {"score": named[scores[0]], "unit": "Gamma" if scores == ["gamma"] else ""}
        if "start" in values:
            results["start"] = sign * values["start"]
    else:
        results["score"] = -np.log10(np.minimum(count, cap))
        about |= {"score": "-log10 of the iterations to the target", "unit": "decades"}
    return results, about


def _rectangular(keys: pd.DataFrame) -> pd.Series:
    """Which rows count: in each environment those of the seeds that most settings have, and of the settings
    that have all of these."""
    kept = pd.Series(False, keys.index)
    for _, rows in keys.groupby("environment", sort=False):
        settings = rows.groupby(["method", "setting"], sort=False)["seed"]
        per_seed = rows["seed"].value_counts()
        seeds = set(per_seed.index[per_seed == per_seed.max()])
        whole = settings.transform(lambda some: len(seeds & set(some)) == len(seeds))  # noqa: B023
        kept[rows.index] = whole.astype(bool) & rows["seed"].isin(seeds)
    return kept


def _left_out(keys: pd.DataFrame, kept: pd.Series) -> Iterator[str]:
    """A line for each environment that lost rows."""
    for name, rows in keys.groupby("environment", sort=False):
        mine = kept[rows.index]
        if mine.all():
            continue
        seeds = sorted(set(rows["seed"]) - set(rows["seed"][mine]))
        settings = rows[~mine & ~rows["seed"].isin(seeds)].groupby(["method", "setting"]).ngroups
        what = [f"seeds {', '.join(map(str, seeds))}"] * bool(seeds)
        what += [counted(settings, "setting")] * bool(settings)
        yield (
            f"{name}: {' and '.join(what)} left out ({counted(int((~mine).sum()), 'run')}): seeds are "
            "paired, so every setting needs the same ones"
        )
        gone = set(rows["method"]) - set(rows["method"][mine])
        yield from (f"{name}: nothing is left of {method}" for method in sorted(gone))


def _settings(
    name: str,
    rows: pd.Index,
    keys: pd.DataFrame,
    table: pd.DataFrame,
    hyper: Sequence[str],
    axes: tuple[tuple[str, ...], tuple[Hashable, ...]],
    results: Mapping[str, Array],
    passages: Array | None,
    paired: Sequence[Sequence[str]],
) -> Settings:
    """The settings of one method, from its rows."""
    environments, seeds = axes
    own = keys.loc[rows]
    number, distinct = pd.factorize(own["setting"])
    first = rows[~own["setting"].duplicated()]
    place = (
        pd.Categorical(own["environment"], environments).codes,
        number,
        pd.Index(seeds).get_indexer(pd.Index(own["seed"])),
    )
    shape = (len(environments), len(distinct), len(seeds))
    arrays = {}
    for what, values in results.items():
        arrays[what] = np.full(shape, np.nan)
        arrays[what][place] = values[rows]
    ran = np.zeros(shape[:2], bool)
    ran[place[:2]] = True
    reached = None
    if passages is not None:
        reached = np.full((*shape, passages.shape[1]), np.nan)
        reached[place] = passages[rows]
    varied = table.loc[first, list(hyper)].reset_index(drop=True)
    varied = varied[[column for column in varied if varied[column].nunique(dropna=False) > 1]]
    codes = [pd.factorize(varied[column], use_na_sentinel=False)[0] for column in varied]
    return Settings(
        name=name,
        table=varied,
        knobs=np.stack(codes, 1) if codes else np.zeros((len(varied), 0), int),
        ran=ran,
        results=arrays,
        passages=reached,
        paired=tuple(tuple(group) for group in paired),
    )
