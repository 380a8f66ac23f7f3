"""The lines of Figure 1: the cells of each, its legend, colour and dashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.analysis import labels
from harness.analysis.summary import hyper_columns
from harness.grids.matching import listed, partners
from harness.grids.matching import matches as shows
from harness.plots import style, texts

POSITION = "position"
"""A column: the position of a cell's protocol among those of the table, 0, 1, ..."""
DASHES: tuple[Any, ...] = ("-", "-.", ":", (0, (7, 1.5, 1, 1.5, 1, 1.5)))
DASHED = "--"  # the reference's alone
LIGHTEST = 0.55  # of the greys, still 3 to 1 in contrast to white


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
    """Which cells a `where` of the grid's figure selects, by grids.matching.matches; a null is no value."""
    wanted = {column: listed(values) for column, values in where.items()}
    rows = _rows(trials, [*where])
    return pd.Series([shows(wanted, row) for row in rows], trials.index, dtype=bool)


def compared(trials: pd.DataFrame, minus: dict[str, Any]) -> dict[str, str]:
    """The cells that have a partner, by grids.matching.partners with the figure's `minus`, and are not their
    own: cell id -> the partner's."""
    keys = ["method", "protocol", *hyper_columns(trials), "seed"]
    found = partners({column: listed(values) for column, values in minus.items()}, _rows(trials, keys))
    ids = trials["cell_id"].tolist()
    return {ids[at]: ids[others[0]] for at, others in enumerate(found) if others and others[0] != at}


def _rows(trials: pd.DataFrame, keys: Sequence[str]) -> list[dict[str, Any]]:
    """These columns of each trial, the protocol as a grid's file names it; a null is no value."""
    named = trials.assign(protocol=labels.in_full(trials))
    return [
        {str(key): value for key, value in row.items() if not pd.isna(value)}
        for row in named[[*keys]].to_dict("records")
    ]


def lines_of(members: pd.DataFrame, reference: pd.DataFrame, wording: Wording) -> list[Line]:
    """The lines of a column in the order of its legend: reference, baselines, then by colour."""
    rest = members[~members["cell_id"].isin(reference["cell_id"])]
    bright = coloured(members, wording).reindex(rest.index)
    baselines, others, varied = rest[~bright], rest[bright], wording.varied(rest)
    many = len({*members["method"], *reference["method"]}) > 2
    return [
        *_reference(reference, wording),
        *_baselines(baselines, varied, wording),
        *_others(others, varied, wording, many),
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
    lines = []
    for group in _groups(cells, wording):
        label = _named(group, wording.keys, wording)
        lines.append(Line(cells=group, label=label, colour=style.REFERENCE, dash=DASHED, on_top=True))
    return lines


def _baselines(cells: pd.DataFrame, varied: list[str], wording: Wording) -> list[Line]:
    """Black; those that there are no dashes left for in greys."""
    groups = _groups(cells, wording)
    return [
        Line(
            cells=group,
            label=_named(group, [*wording.hyper, *varied], wording),
            colour=style.BASELINE if at < len(DASHES) else f"{LIGHTEST * at / len(groups):.2f}",
            dash=DASHES[at % len(DASHES)],
            on_top=True,
        )
        for at, group in enumerate(groups)
    ]


def _others(cells: pd.DataFrame, around: list[str], wording: Wording, many: bool) -> list[Line]:
    """Colours along the values that vary; dashes for the methods, if there are several, and where the colours
    are too many to be told apart.

    around: what varies in the column; many: whether it has more than two methods, so that the legend names
    each. One line alone is named in full, like a baseline; several say what varies between them, and the
    column's head has the rest.
    """
    groups, varied = _groups(cells, wording), wording.varied(cells)
    if len(groups) == 1:
        label = _named(cells, [*wording.hyper, *around], wording)
        (colour,) = style.sequence(1)
        return [Line(cells=cells, label=label, colour=colour, dash=DASHES[0], on_top=False)]
    methods = list(dict.fromkeys(group["method"].iloc[0] for group in groups))
    places = {key: sorted(cells[key].dropna().unique()) for key in varied}
    own = [methods.index(group["method"].iloc[0]) for group in groups]
    crowded = len(methods) > len(DASHES)  # then a method has colours of its own
    ranks = [
        (own[at] * crowded, *(_rank(group[key].iloc[0], places[key]) for key in varied))
        for at, group in enumerate(groups)
    ]
    steps = {rank: step for step, rank in enumerate(sorted(set(ranks)))}
    colours, dashes = style.sequence(len(steps)), _dashes([steps[rank] for rank in ranks], own)
    named = many or len(methods) > 1
    return [
        Line(
            cells=group,
            label=_label(group, [*[_method(group)] * named, *_values(group, varied, wording)]),
            colour=colours[steps[rank]],
            dash=dash,
            on_top=False,
        )
        for group, rank, dash in zip(groups, ranks, dashes, strict=True)
    ]


def _dashes(steps: list[int], methods: list[int]) -> list[Any]:
    """For lines with these steps along the colours: the dashes of its method, or the next that no line has
    whose colour cannot be told from its own."""
    near = (max(steps, default=0) or 1) / (style.TOLD_APART - 1)
    chosen: list[int] = []
    for step, method in zip(steps, methods, strict=True):
        taken = [dash for other, dash in zip(steps, chosen, strict=False) if abs(other - step) < near - 1e-9]
        order = [(method + k) % len(DASHES) for k in range(len(DASHES))]
        chosen.append(min(order, key=taken.count))
    return [DASHES[at] for at in chosen]


def _rank(value: Any, values: list[Any]) -> int:
    """The place of a value among all of its column; null is the last."""
    return len(values) if pd.isna(value) else values.index(value)


def _method(group: pd.DataFrame) -> str:
    return texts.method(group["method"].iloc[0])


def _values(group: pd.DataFrame, keys: Sequence[str], wording: Wording) -> list[str]:
    return wording.texts(group.iloc[0], list(dict.fromkeys(keys)))


def _named(group: pd.DataFrame, keys: Sequence[str], wording: Wording) -> str:
    """The method, the protocol if it is among the keys, and the values of its hyper-parameters."""
    first = sorted(keys, key=lambda key: key != POSITION)
    return _label(group, [_method(group), *_values(group, first, wording)])


def _label(group: pd.DataFrame, words: list[str]) -> str:
    """The words, and what a reader cannot see in the figure."""
    failed = int((group["outcome"] == "failed").sum())
    missing = "not run" if group["outcome"].isna().all() else f"{failed} failed" if failed else ""
    return ", ".join(words) + f" ({missing})" * bool(missing)
