"""Where each setting of a grid stands on the page: panels of squares over two hyper-parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from harness.analysis.summary import hyper_columns

PROTOCOL = ("preset", "changes")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Settings of one method, under one protocol, that differ in two hyper-parameters at most."""

    method: str
    protocol: tuple[str, str]
    """Its preset, and the fields that differ from that."""
    x: str | None
    """None: there is one column."""
    y: str | None
    """None: there is one row."""
    shared: dict[str, Any]
    """The hyper-parameters that vary in the grid and have one value here."""
    squares: tuple[tuple[Any, Any, int], ...]
    """x's value, y's value and the position of the setting."""
    beside: tuple[int, ...] = ()
    """Settings of methods that lack x or y and share all others with the panel: MAML beside Alpha-MAML."""


def panels(settings: pd.DataFrame, figure: dict[str, Any]) -> list[Panel]:
    """Panels that hold every one of these settings once, in their order, but for those beside several panels.

    `settings`: a row for each, with the columns method, preset, changes and the hyper-parameters; its index
    is the positions. `figure`: the grid's, as its model dumps to JSON. The axes of a heatmap are its own;
    otherwise, for each method, those with the fewest panels.
    """
    hyper = hyper_columns(settings)
    varied = [key for key in hyper if settings[key].nunique() > 1]

    def of_method(own: pd.DataFrame, asked: tuple[str, str] | None) -> list[Panel]:
        keys = [key for key in varied if own[key].notna().any()]
        x, y = asked or _axes(own, [key for key in keys if own[key].nunique() > 1])
        return _of_method(own, x, y, keys)

    asked = (figure["x"], figure["y"]) if figure["kind"] == "heatmap" else None
    found: list[Panel] = []
    lacking: list[pd.DataFrame] = []
    for _, own in settings.groupby("method", sort=False):
        if asked and own[[*asked]].isna().all().any():
            lacking.append(own)
        else:
            found += of_method(own, asked)
    for own in lacking:
        if all(any(_shares(panel, setting) for panel in found) for _, setting in own.iterrows()):
            found = [_with(panel, own) for panel in found]
        else:
            found += of_method(own, None)
    return found


def _axes(own: pd.DataFrame, varied: Sequence[str]) -> tuple[str | None, str | None]:
    """Of the numbers of a method that vary, the two that leave the fewest panels, and then the fewest empty
    squares; the first of them goes upwards."""
    numbers = [key for key in varied if not _is_word(own[key])]
    if len(numbers) < 2:
        return (numbers[0] if numbers else None), None

    def cost(pair: tuple[str, str]) -> tuple[int, int]:
        others = [*PROTOCOL, *(key for key in varied if key not in pair)]
        groups = own.groupby(others, sort=False, dropna=False)
        return len(groups), int(sum(part[pair[0]].nunique() * part[pair[1]].nunique() for _, part in groups))

    y, x = min(combinations(numbers, 2), key=cost)
    return x, y


def _is_word(column: pd.Series) -> bool:
    """Whether it holds flags or choices."""
    return any(isinstance(value, str | bool) for value in column.dropna().unique().tolist())


def _of_method(own: pd.DataFrame, x: str | None, y: str | None, varied: Sequence[str]) -> list[Panel]:
    """`varied`: its hyper-parameters that vary in the grid."""
    rest = [key for key in varied if key not in (x, y)]
    return [
        Panel(
            method=str(part["method"].iloc[0]),
            protocol=(str(values[0]), str(values[1])),
            x=x,
            y=y,
            shared=dict(zip(rest, values[2:], strict=True)),
            squares=tuple(
                (row[x] if x else None, row[y] if y else None, int(position))  # type: ignore[call-overload]
                for position, row in part.iterrows()
            ),
        )
        for values, part in own.groupby([*PROTOCOL, *rest], sort=False, dropna=False)
    ]


def _shares(panel: Panel, setting: pd.Series) -> bool:
    """Whether a setting has all that it has in common with a panel."""
    same = (pd.isna(setting.get(key)) or setting[key] == value for key, value in panel.shared.items())
    return panel.protocol == (setting["preset"], setting["changes"]) and all(same)


def _with(panel: Panel, own: pd.DataFrame) -> Panel:
    """The panel with those of another method that stand beside it."""
    new = [int(position) for position, row in own.iterrows() if _shares(panel, row)]  # type: ignore[call-overload]
    return Panel(**{**vars(panel), "beside": (*panel.beside, *new)})
