"""Numbers, names and the users' own words as the figures write them, in lines that fit."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from harness.common.symbols import GREEK, name, numbers
from harness.common.symbols import number as number
from harness.common.text import written
from harness.methods import METHODS, titled
from harness.plots import fonts, style

Value = float | int | bool | str
"""Of a hyper-parameter."""
Numbers = Mapping[str, Mapping[Any, str]]
"""Hyper-parameter -> value -> its text, see `numbers` and `word`."""


def at_iteration(rate: str) -> str:
    """A rate as it moves: alpha as an alpha with the subscript i."""
    return rf"$\{GREEK[rate]}_i$" if rate in GREEK else name(rate)


def method(name: str) -> str:
    """A method as the figures write it."""
    return titled(name)


def word(value: Value) -> str:
    """A value that is no number with a fraction: `5`, `true`, `raw`."""
    return literal(written(value))


def numbers_of(trials: pd.DataFrame, hyper_parameters: Iterable[str]) -> Numbers:
    """The texts of all values in these columns."""
    texts: dict[str, Mapping[Any, str]] = {}
    for key in hyper_parameters:
        found = trials[key].dropna().unique().tolist()
        rates = [value for value in found if isinstance(value, float)]
        texts[key] = {value: word(value) for value in found} | numbers(rates)
    return texts


def values(row: pd.Series, hyper_parameters: Iterable[str], texts: Numbers) -> list[str]:
    """A row's values of these hyper-parameters: alpha0 = 10^-1, rule: raw. What its method lacks is left
    out."""
    own = [key for key in hyper_parameters if not pd.isna(row[key])]
    return [f"{name(key)}{_link(row[key])}{texts[key][row[key]]}" for key in own]


def _link(value: Value) -> str:
    """Between a hyper-parameter's name and its value: a choice or a flag is no quantity."""
    return ": " if isinstance(value, str | bool | np.bool_) else " = "


@lru_cache(maxsize=4096)
def size(text: str, points: float, bold: bool = False) -> tuple[float, float]:
    """Width and height in inches of a text as it is drawn."""
    with style.applied():
        weight = "bold" if bold else "normal"
        drawn = _sheet().text(0, 0, text, size=points, weight=weight, family=fonts.families(text))
        box = drawn.get_window_extent()
        drawn.remove()
    return box.width / style.DPI, box.height / style.DPI


@cache
def _sheet() -> Figure:
    """Where texts are measured: small, as nothing is drawn there."""
    fig = Figure(figsize=(1, 1), dpi=style.DPI)
    FigureCanvasAgg(fig)
    return fig


def widest(texts: Iterable[str], points: float) -> float:
    """The width in inches of the widest of these texts; 0 if there are none."""
    return max((size(text, points)[0] for text in texts), default=0.0)


def iterations(count: int) -> str:
    """1 iteration; 500 iterations."""
    return f"{count} iteration{'' if count == 1 else 's'}"


def literal(text: str) -> str:
    """A text in which no dollar sign starts a formula."""
    return text.replace("$", r"\$")


def spaced(labels: Mapping[float, str], points: float) -> list[float]:
    """Where in a line of labels (middle in inches -> text) those are that can stand there: the last, and from
    right to left each that runs into no other."""
    kept: list[float] = []
    left = math.inf
    for middle in sorted(labels, reverse=True):
        half = size(labels[middle], points)[0] / 2
        if middle + half + 0.03 < left:
            kept, left = [middle, *kept], middle - half
    return kept


def wrapped(text: str, inches: float, points: float, bold: bool = False) -> str:
    """A user's text broken into lines that fit in this width, long words too.

    It is drawn as it is: no sign in it starts a formula. Only the names of hyper-parameters
    (`beta_hyperlr`) are written as symbols.
    """
    known = dict.fromkeys(key for one in METHODS.values() for key in one.Hyper.model_fields)
    # While the lines are broken, code points of no character stand for a symbol, as many as it is wide.
    symbols = {key: name(key) for key in known if name(key) != key and fonts.formulas(text)}
    stand_ins = {key: chr(0xFDD0 + at) * min(len(key) // 2, 8) for at, key in enumerate(symbols)}
    for key, stand_in in stand_ins.items():
        text = re.sub(rf"(?<!\\)\b{key}\b", stand_in, text)  # a backslash would escape the symbol's dollar

    def broken(letters: int) -> str:
        lines = literal("\n".join(textwrap.fill(line, letters) for line in text.splitlines()))
        for key, stand_in in stand_ins.items():
            lines = lines.replace(stand_in, symbols[key])
        return lines

    letters = max(int(inches * 72 / ((0.616 if bold else 0.56) * points)), 12)  # of a mean width in em
    while letters > 1 and size(broken(letters), points, bold)[0] > inches:
        letters -= 1
    return broken(letters)


def flow(parts: Sequence[str], inches: float, points: float, most: int | None = None) -> str:
    """Texts in lines that fit in this width, at most `most` of them in a line; a text is never broken."""
    lines: list[list[str]] = []
    for part in parts:
        full = not lines or len(lines[-1]) == most
        if full or size(", ".join([*lines[-1], part]), points)[0] > inches:
            lines.append([])
        lines[-1].append(part)
    return "\n".join(map(", ".join, lines))
