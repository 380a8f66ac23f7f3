"""The lines of Figure 1: the cells of each, its legend, colour and dashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.analysis import labels
from harness.analysis.summary import hyper_columns
from harness.grids.matching import listed
from harness.grids.matching import matches as shows
from harness.plots import style, texts

POSITION = "position"
"""A column: the position of a cell's protocol among those of the table, 0, 1, ..."""
DASHES = ("-", "-.", ":")
DASHED = "--"  # the reference's alone
ROOM = 2  # values that the legend has room for beside the reference's name


@dataclass(frozen=True, kw_only=True)
class Line:
    """One setting of method, hyper-parameters and protocol, as it is drawn in one column."""

    cells: pd.DataFrame
    label: str
    colour: Any
    dash: str
    on_top: bool


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What distinguishes the cells of a figure, and how it is worded."""

    hyper: list[str]
    """The columns of hyper-parameters."""
    protocols: list[str]
    """The protocols of the table in words, by POSITION."""
    numbers: texts.Numbers
    """The texts of all values."""

    @property
    def keys(self) -> list[str]:
        """The columns that distinguish cells of one method and seed."""
        return [*self.hyper, *[POSITION] * (len(self.protocols) > 1)]

    def varied(self, cells: pd.DataFrame) -> list[str]:
        """The keys that have several values in these cells."""
        return [key for key in self.keys if cells[key].nunique() > 1]

    def texts(self, cell: pd.Series, keys: Sequence[str]) -> list[str]:
        """A cell's values of these keys: alpha0 = 10^-1, ..., its protocol; what it lacks is left out."""
        words: list[str] = []
        for key in keys:
            own = key == POSITION
            words += [self.protocols[cell[key]]] if own else texts.values(cell, [key], self.numbers)
        return words


def worded(trials: pd.DataFrame) -> tuple[pd.DataFrame, Wording]:
    """The trials, with the column POSITION and rows numbered 0, 1, ...; and their wording."""
    trials = trials.reset_index(drop=True)
    hyper = hyper_columns(trials)
    protocols = list(labels.words(trials).values())
    wording = Wording(hyper=hyper, protocols=protocols, numbers=texts.numbers_of(trials, hyper))
    return trials.assign(**{POSITION: labels.positions(trials)}), wording


def matches(trials: pd.DataFrame, where: dict[str, Any]) -> pd.Series:
    """Which cells a `where` of the grid's figure selects, by grids.figure.matches; a null is no value."""
    wanted = {column: listed(values) for column, values in where.items()}
    named = trials.assign(protocol=labels.in_full(trials))
    rows = (
        {str(key): value for key, value in row.items() if not pd.isna(value)}
        for row in named[list(where)].to_dict("records")
    )
    return pd.Series([shows(wanted, row) for row in rows], trials.index, dtype=bool)


def lines_of(members: pd.DataFrame, reference: pd.DataFrame, wording: Wording) -> list[Line]:
    """The lines of a column in the order of its legend: reference, baselines, then by colour."""
    rest = members[~members["cell_id"].isin(reference["cell_id"])]
    bright = coloured(members, wording).reindex(rest.index)
    baselines, others = rest[~bright], rest[bright]
    crowded = len({*members["method"], *reference["method"]}) > 2
    return [
        *_reference(reference, wording),
        *_baselines(baselines, wording.varied(rest), wording),
        *_others(others, wording.varied(others), wording, crowded),
    ]


def coloured(members: pd.DataFrame, wording: Wording) -> pd.Series:
    """Which cells have a colour: all but the baselines, which are the cells of the method with the fewest
    hyper-parameters if the column has other methods too."""
    count = members[wording.hyper].notna().sum(axis=1)
    return (count > count.min()) | (count.nunique() == 1)


def _groups(cells: pd.DataFrame, wording: Wording) -> list[pd.DataFrame]:
    """The cells of each line, over their seeds."""
    return [group for _, group in cells.groupby(["method", *wording.keys], dropna=False)]


def _reference(cells: pd.DataFrame, wording: Wording) -> list[Line]:
    """There is no room for all values: with several protocols, its own says more than its last rates."""
    keys = [*[POSITION] * (POSITION in wording.keys), *wording.hyper]
    lines = []
    for group in _groups(cells, wording):
        label = _label(group, [_method(group), *wording.texts(group.iloc[0], keys)[:ROOM]])
        lines.append(Line(cells=group, label=label, colour=style.REFERENCE, dash=DASHED, on_top=True))
    return lines


def _baselines(cells: pd.DataFrame, varied: list[str], wording: Wording) -> list[Line]:
    """Black; those that there are no dashes left for in greys."""
    groups = _groups(cells, wording)
    return [
        Line(
            cells=group,
            label=_label(group, [_method(group), *wording.texts(group.iloc[0], varied)]),
            colour=style.BASELINE if at < len(DASHES) else f"{0.7 * at / len(groups):.2f}",
            dash=DASHES[at % len(DASHES)],
            on_top=True,
        )
        for at, group in enumerate(groups)
    ]


def _others(cells: pd.DataFrame, varied: list[str], wording: Wording, crowded: bool) -> list[Line]:
    """Colours along the values that vary; dashes for the methods, if there are several.

    crowded: whether the baselines and they are more than two methods, so that the legend has to name each.
    """
    groups = _groups(cells, wording)
    methods = list(dict.fromkeys(group["method"].iloc[0] for group in groups))
    places = {key: sorted(cells[key].dropna().unique()) for key in varied}
    ranks = [tuple(_rank(group[key].iloc[0], places[key]) for key in varied) for group in groups]
    colours = dict(zip(sorted(set(ranks)), style.sequence(len(set(ranks))), strict=True))
    named = crowded or len(methods) > 1 or len(groups) == 1
    return [
        Line(
            cells=group,
            label=_label(group, [*[_method(group)] * named, *wording.texts(group.iloc[0], varied)]),
            colour=colours[rank],
            dash=DASHES[methods.index(group["method"].iloc[0]) % len(DASHES)],
            on_top=False,
        )
        for group, rank in zip(groups, ranks, strict=True)
    ]


def _rank(value: Any, values: list[Any]) -> int:
    """The place of a value among all of its column; null is the last."""
    return len(values) if pd.isna(value) else values.index(value)


def _method(group: pd.DataFrame) -> str:
    return texts.method(group["method"].iloc[0])


def _label(group: pd.DataFrame, words: list[str]) -> str:
    """The words, and what a reader cannot see in the figure."""
    failed = int((group["outcome"] == "failed").sum())
    missing = "not run" if group["outcome"].isna().all() else f"{failed} failed" if failed else ""
    return ", ".join(words) + f" ({missing})" * bool(missing)
