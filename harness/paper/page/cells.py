"""The text of single cells in the page's tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from harness.common.text import halves
from harness.paper.definitions import BUDGET, DIAGONALS
from harness.paper.words import at

NONE = "\N{EN DASH}"


def choice(row: dict[str, Any]) -> str:
    """The hyper-rates of a trial; MAML has none."""
    return NONE if row["alpha_hyperlr"] is None else at((row["alpha_hyperlr"], row["beta_hyperlr"]))


def start(row: dict[str, Any]) -> str:
    """The initial rates of a trial."""
    return at((row["alpha0"], row["beta0"]))


def named(pair: tuple[float, float], preset: str = "paper-adam") -> str:
    """A pair of initial rates, marked if it is the tuned one, the first of the preset's diagonal."""
    return at(pair) + ", tuned" * (pair == DIAGONALS[preset][0])


def over_seeds(counts: Iterable[float]) -> str:
    """`172 (164 to 189)`: median count and range; `2 of 5: 131 to 407` if the others are misses (NaN)."""
    values = np.array(list(counts), float)
    known = np.sort(values[np.isfinite(values)])
    if not len(known):
        return NONE
    ends = f"{known[0]:.0f}" if known[0] == known[-1] else f"{known[0]:.0f} to {known[-1]:.0f}"
    if len(known) < len(values):
        return f"{len(known)} of {len(values)}: {ends}"
    return f"{halves(float(np.median(known)))} ({ends})" if len(known) > 1 else ends


def middle(counts: Iterable[float]) -> str:
    """`60.5`: the median count, where a miss (NaN) is larger than any count; `over 500` if it is a miss."""
    values = np.nan_to_num(np.array(list(counts), float), nan=np.inf)
    if not len(values):
        return NONE
    median = float(np.median(values))
    return halves(median) if np.isfinite(median) else f"over {BUDGET}"


def span(values: Iterable[float], form: str) -> str:
    """`1.37 (1.36 to 1.41)`: the median and the range."""
    known = sorted(values)
    if not known:
        return NONE
    least, most = format(known[0], form), format(known[-1], form)
    return f"{np.median(known):{form}} ({least} to {most})" if least != most else least
