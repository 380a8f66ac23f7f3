"""What a table of runs has to be: its columns as numbers and codes, or the mistake in one line."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.sensitivity.resamples import Array
from harness.analysis.sensitivity.rows import TOTAL
from harness.analysis.sensitivity.shares import JOINT, SEED
from harness.common.errors import UserError
from harness.common.text import one_line
from harness.grids.mistakes import suggest

JOINED = "+"
"""Between hyper-parameters that were varied together: `alpha0+beta0`."""
SCORES = ("score", "loss", "gamma")
"""Of which a table has one, or none and counts."""
FAILED = "give a failed run what its failure is worth, or leave out the rows of runs that were not made"


def row(at: int) -> str:
    """A row as a person finds it, whatever the index of the table."""
    return f"row {at}, counting from 0"


def named(
    table: pd.DataFrame, keys: Sequence[str], hyper: Sequence[str], rest: Iterable[str]
) -> pd.DataFrame:
    """The table with rows 0, 1, ... and texts for the names of its columns. `keys`, `hyper` and `rest` are
    the columns that are used."""
    table = table.set_axis([str(name) for name in table.columns], axis=1).reset_index(drop=True)
    for name in (*keys, *hyper, *rest):
        found = table.columns.tolist().count(name)
        if not found:
            raise UserError(
                f"the table has no column {name}; {suggest(name, [*dict.fromkeys(table.columns)])}"
            )
        if found > 1:
            raise UserError(f"the table has {found} columns named {name}; rename all but one")
    used = [*keys, *hyper]
    if twice := [
        name for name in dict.fromkeys(used) if used.count(name) > 1 or (name in keys and name in rest)
    ]:
        raise UserError(f"column {twice[0]} is given twice: a column has one meaning")
    if twice := [name for name in hyper if name in rest]:
        raise UserError(f"column {twice[0]} is given as a hyper-parameter and as a result")
    for name in hyper:
        if name in (SEED, TOTAL) or JOINT in name:
            raise UserError(
                f"hyper-parameter {name}: rename its column; in the results {SEED} and {TOTAL} mean "
                f"something else, and {JOINT} stands between the factors of an interaction"
            )
    if table.empty:
        raise UserError("the table has no rows")
    return table


def groups(paired: Sequence[Sequence[str]], hyper: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The hyper-parameters that were varied together, checked."""
    form = "such as [('alpha0', 'beta0')]"
    if isinstance(paired, str) or any(isinstance(group, str) for group in paired):
        raise UserError(f"paired: a list of groups of hyper-parameters is needed, {form}")
    found = tuple(tuple(map(str, group)) for group in paired)
    names = [name for group in found for name in group]
    for name in names:
        if name not in hyper:
            raise UserError(f"paired: there is no hyper-parameter {name}; {suggest(name, list(hyper))}")
        if names.count(name) > 1:
            raise UserError(f"paired: {name} is there twice; it was varied together with one group")
    for group in found:
        if JOINED.join(group) in hyper and len(group) > 1:
            raise UserError(f"hyper-parameter {JOINED.join(group)}: rename its column, a pair is named so")
    return found


def codes(table: pd.DataFrame, name: str, nulls: bool = False) -> tuple[NDArray[np.int64], list[Hashable]]:
    """A column as codes 0, 1, ... in order of appearance, and what they stand for. `nulls`: whether null is a
    value like any other."""
    try:
        found, distinct = pd.factorize(table[name], use_na_sentinel=not nulls)
    except TypeError:
        bad = next(at for at, value in enumerate(table[name]) if not _hashable(value))
        raise UserError(f"column {name}, {row(bad)}: {_shown(table[name][bad])} is no single value") from None
    if (found < 0).any():
        raise UserError(f"column {name}, {row(int(np.argmin(found)))}: null, which is no name")
    return found, distinct.tolist()


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _shown(value: object) -> str:
    return one_line(repr(value) if isinstance(value, str) else str(value), 40)


def names(table: pd.DataFrame, name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The same for methods and environments, by their names as text."""
    found, distinct = codes(table, name)
    again, texts = pd.factorize(pd.Series([str(one) for one in distinct], dtype=object))
    return again[found], tuple(texts)


def seeds(table: pd.DataFrame, name: str) -> tuple[NDArray[np.int64], tuple[Hashable, ...]]:
    """The same for seeds, in their order."""
    found, distinct = codes(table, name)
    try:
        order = sorted(range(len(distinct)), key=distinct.__getitem__)  # type: ignore[arg-type]
    except TypeError:
        first, other = distinct[0], next(one for one in distinct if type(one) is not type(distinct[0]))
        raise UserError(
            f"column {name}: seeds of different types, such as {first!r} and {other!r}; write all alike"
        ) from None
    return np.argsort(order)[found], tuple(distinct[at] for at in order)


def numbers(table: pd.DataFrame, name: str) -> Array:
    """A column as numbers, null as NaN."""
    column = table[name]
    if getattr(column.dtype, "kind", "O") not in "biufO":
        raise UserError(f"column {name}: numbers are needed, not {column.dtype}")
    plain = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    found = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if (bad := np.isnan(found) & column.notna().to_numpy()).any():
        at = int(bad.argmax())
        raise UserError(f"column {name}, {row(at)}: {_shown(column[at])} is no number")
    return found


def _need(good: NDArray[np.bool_], values: Array, name: str, what: str) -> None:
    if not good.all():
        at = int(np.argmin(good))
        raise UserError(
            f"column {name}, {row(at)}: {'null' if np.isnan(values[at]) else f'{values[at]:g}'} {what}"
        )


def results(
    table: pd.DataFrame,
    columns: Mapping[str, str],
    budget: float | str | None,
    environment: NDArray[np.int64],
) -> dict[str, Array]:
    """The results of all rows, by the names of Settings.results.

    `columns`: result, as `runs` names it -> its column; `environment` [rows]: codes.
    """
    values = {what: numbers(table, column) for what, column in columns.items()}
    scores = [what for what in SCORES if what in values]
    if len(scores) > 1:
        raise UserError(f"{' and '.join(scores)}: only one of them is the result")
    if not scores and "count" not in values:
        raise UserError("no result is given: name a column as score, loss, gamma or count")
    for what in ("cost", "evaluations", "budget"):
        if "count" not in values and (what in values or (what == "budget" and budget is not None)):
            raise UserError(f"{what} is given without count: name the column of iterations to the target")
    if "start" in values and not scores:
        raise UserError("start is given without score or loss: name the column of the result at the end")
    for what in (*scores, *({"start"} & values.keys())):
        _need(np.isfinite(values[what]), values[what], columns[what], f"is not finite; {FAILED}")
    found = _counts(table, values, columns, budget, environment) if "count" in values else {}
    if scores:
        sign = -1.0 if scores == ["loss"] else 1.0
        for what, column in (("score", scores[0]), ("start", "start")):
            if column in values:
                found[what] = sign * values[column]
    else:
        found["score"] = -np.log10(np.minimum(found["count"], found["cap"]))
    return found


def _counts(
    table: pd.DataFrame,
    values: Mapping[str, Array],
    columns: Mapping[str, str],
    budget: float | str | None,
    environment: NDArray[np.int64],
) -> dict[str, Array]:
    """Counts, what was spent, and the budgets: `count`, `cost`, `cap`, `evaluations`."""
    count = np.where(np.isnan(values["count"]), np.inf, values["count"])
    hit = np.isfinite(count)
    _need(count >= 1, count, columns["count"], "is no count; iterations are counted from 1")
    spent = values.get("cost", np.where(hit, count, np.nan))
    if "cost" in values:
        _need(
            np.isfinite(spent) & (spent >= 1),
            spent,
            columns["cost"],
            "is no cost; iterations are counted from 1",
        )
        few = f"is less than the iterations to the target, column {columns['count']}"
        _need(~hit | (spent >= count), spent, columns["cost"], few)
    cap = _caps(table, budget, spent, environment)
    beyond = "is beyond the budget; count it as a miss, or give a larger budget"
    _need(~hit | (count <= cap), count, columns["count"], beyond)
    if "cost" in values:
        _need(
            hit | (spent <= cap),
            spent,
            columns["cost"],
            "is beyond the budget of a run that missed the target",
        )
    cost = np.where(hit, count, np.where(np.isnan(spent), cap, spent))
    found = {"count": count, "cost": cost, "cap": cap}
    if "evaluations" in values:
        each = values["evaluations"]
        _need(
            np.isfinite(each) & (each > 0), each, columns["evaluations"], "is no number of gradients above 0"
        )
        found["evaluations"] = cost * each
    return found


def _caps(
    table: pd.DataFrame, budget: float | str | None, spent: Array, environment: NDArray[np.int64]
) -> Array:
    """The budget of each row. `spent`: NaN where it is not known."""
    if isinstance(budget, str):
        caps = numbers(table, budget)
        _need(np.isfinite(caps) & (caps >= 1), caps, budget, "is no budget; iterations are counted from 1")
        return caps
    if budget is not None:
        if not (np.isfinite(budget) and budget >= 1):
            raise UserError(f"budget: {budget:g} is no number of iterations, which are counted from 1")
        return np.full(len(spent), float(budget))
    if np.isnan(spent).any():
        raise UserError("some runs miss the target: give their budget, or name the column of their cost")
    return pd.Series(spent).groupby(environment).transform("max").to_numpy()


def passages(given: object, rows: int, count: str | None) -> Array:
    """[rows, T] the iterations to many targets. UserError: they are not that, or the table has no counts."""
    if count is None:
        raise UserError("passages: name the column of the iterations to the target too, as count")
    try:
        found = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise UserError("passages: not all are numbers; write inf for a miss") from None
    if found.ndim != 2 or len(found) != rows or np.isnan(found).any():
        raise UserError(
            f"passages: {rows} rows of numbers are needed, as the table has; write inf for a miss"
        )
    return found
