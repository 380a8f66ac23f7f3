"""Numbers, names and tables as a person reads them, and the measures by their keys."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.analysis.sensitivity.measure import Measures
from harness.analysis.sensitivity.resamples import EXACT, FEW, LEVEL, NOISE
from harness.analysis.sensitivity.runs import Runs, Settings

DIGITS = 3
"""Significant digits of a number."""
MOST_DIGITS = 5
"""Where an interval would else look like one point."""
NEVER = "never"
DRAWN = 4
"""Settings of the expected best that a table shows."""
PART = ", "
"""Between the parts of an environment's name: `paper-adam, k_shot=5`."""


def number(value: float, digits: int = DIGITS) -> str:
    """With that many significant digits, whole from there on: `0.220`, `7.76`, `1170`, `12,400`. Infinite is
    `never`; NaN is empty."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return NEVER
    rounded = float(f"{value:.{digits - 1}e}")
    if rounded == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    if decimals > digits + 3:
        return f"{rounded:.{digits}g}"
    return f"{rounded:{',' if abs(rounded) >= 1e4 else ''}.{decimals}f}"


def interval(value: float, low: float, high: float) -> str:
    """`258 (252 to 263)`, in so many digits that three different numbers look different; without an interval
    the number alone. What is 0 but for rounding, beside the others, is 0."""
    if math.isnan(low) or math.isnan(high) or not math.isfinite(value):
        return number(value)
    noise = NOISE * max(abs(end) for end in (value, low, high) if math.isfinite(end))
    value, low, high = (0.0 if abs(one) <= noise else one for one in (value, low, high))
    different = len({float(f"{one:.9g}") for one in (value, low, high)})  # sums of floats differ by a hair
    for digits in range(DIGITS, MOST_DIGITS + 1):
        shown, *ends = (number(one, digits) for one in (value, low, high))
        if len({shown, *ends}) == different:
            break
    return f"{shown} ({ends[0]} to {ends[1]})"


def share(value: float) -> str:
    """A share of a whole, in three decimals: shares are read beside each other."""
    return "" if math.isnan(value) else "0" if value == 0 else f"{value:.3f}"


def percent(share: float) -> str:
    """`36 %`; empty for NaN; never `-0 %`."""
    return "" if math.isnan(share) else f"{abs(round(100 * share))} %"


def resampled(seeds: Iterable[int]) -> str:
    """What an interval is, over so many seeds (several counts: of several intervals): `the middle 95 % of all
    126 resamples of 5 seeds (too narrow, with so few seeds)`. One seed: there is none."""
    counts = sorted({*seeds} - {1})
    if not counts:
        return "one seed: no intervals"
    least, most = counts[0], counts[-1]
    exact = least == most <= EXACT
    resamples = f"all {math.comb(2 * most - 1, most)} resamples" if exact else "resamples"
    several = f"{least}" if least == most else f"{least} to {most}"
    few = "" if least > FEW else f" (too narrow, with {'so few' if most <= FEW else f'{FEW} or fewer'} seeds)"
    return f"the middle {percent(LEVEL)} of {resamples} of {several} seeds{few}"


def short_names(environments: Sequence[str]) -> tuple[dict[str, str], str]:
    """Names without the parts that all of them have, and these parts: `paper-adam`, `k_shot=5`; `target 2.5`.

    One that would be empty keeps its first part.
    """
    parts = {name: name.split(PART) for name in environments}
    common = set.intersection(*(set(own) for own in parts.values())) if len(parts) > 1 else set()
    left = {name: PART.join(one for one in own if one not in common) for name, own in parts.items()}
    if len(set(left.values())) < len(left):
        return dict(zip(environments, environments, strict=True)), ""
    left = {name: text or parts[name][0] for name, text in left.items()}
    first = parts[environments[0]]
    return left, PART.join(one for one in first if one in common)


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """One table of text."""

    key: str
    """A short name, of letters alone."""
    title: str
    frame: pd.DataFrame
    """Ready to print: its columns are the heads, its cells are text. Without rows where nothing is known."""
    words: tuple[str, ...] = ("environment", "method")
    """Columns that are no numbers."""
    notes: tuple[str, ...] = ()
    """What its numbers are, and why some are missing; a line each."""
    at_length: bool = False
    """Whether it is for the files: a terminal has no room for everything."""


def frame_of(rows: Sequence[dict[str, str]]) -> pd.DataFrame:
    """Without columns that are empty everywhere."""
    frame = pd.DataFrame(rows, dtype=object).fillna("")
    return frame[[name for name in frame if (frame[name] != "").any()]]


class Numbers:
    """The rows of Measures.values by their keys."""

    def __init__(self, measured: Measures) -> None:
        self.runs: Runs = measured.runs
        values = measured.values
        keys = values[["measure", "method", "of", "environment", "other"]].astype(object)
        keys = keys.where(keys.notna(), None)  # of the kinds of null, one
        rows = zip(keys.itertuples(index=False, name=None), values.itertuples(), strict=True)
        self._rows: dict[tuple[Any, ...], Any] = dict(rows)
        self.names, self.common = short_names(self.runs.environments)
        curves = measured.curves
        best = curves[(curves["curve"] == "budget") & (curves["x"] == DRAWN)]
        self.best = {(row.method, row.environment): row for row in best.itertuples(index=False)}

    def find(
        self,
        measure: str,
        method: str,
        environment: str | None = None,
        of: str = "",
        other: str | None = None,
    ) -> Any:
        """The row of a number; None: there is none."""
        return self._rows.get((measure, method, of, environment, other))

    def value(self, measure: str, method: str, environment: str | None = None, of: str = "") -> float:
        """A number; NaN: there is none."""
        row = self.find(measure, method, environment, of)
        return math.nan if row is None else float(row.value)

    def text(self, measure: str, method: str, environment: str | None = None, of: str = "") -> str:
        """A number with its interval; empty: there is none."""
        return with_interval(self.find(measure, method, environment, of))

    def effects(self, measure: str, method: str, environment: str) -> dict[str, float]:
        """Effect -> its share of the variance."""
        return {
            key[2]: float(row.value)
            for key, row in self._rows.items()
            if (key[0], key[1], key[3], key[4]) == (measure, method, environment, None) and key[2]
        }

    def units(self, measure: str, of: str) -> list[str]:
        """The units of a measure's numbers, each once."""
        found = {row.unit: None for key, row in self._rows.items() if (key[0], key[2]) == (measure, of)}
        return [unit for unit in found if unit]

    def present(self) -> Iterator[tuple[str, Settings]]:
        """Each environment with each method that was run there."""
        for place, name in enumerate(self.runs.environments):
            yield from ((name, one) for one in self.runs.methods if one.ran[place].any())

    def place(self, environment: str) -> dict[str, str]:
        """The column of the environment, where there are several."""
        return {"environment": self.names[environment]} if len(self.names) > 1 else {}

    def why(self, measures: Sequence[str], environments: bool = False) -> tuple[str, ...]:
        """Why measures are null, a line for each reason; of whom, and where, unless it is of all."""
        found: dict[str, dict[str, dict[str, None]]] = {}
        everybody = set()
        for (measure, method, _, environment, other), row in self._rows.items():
            if measure in measures and other is None and (environment is not None) == environments:
                place = self.names[environment] if environments and len(self.names) > 1 else ""
                everybody.add((method, place))
                if math.isnan(row.value) and row.why:
                    found.setdefault(row.why, {}).setdefault(method, {})[place] = None
        lines = []
        for why, by_method in found.items():
            who = "; ".join(method + f" in {'; '.join(at)}" * any(at) for method, at in by_method.items())
            alike = sum(map(len, by_method.values())) == len(everybody)
            lines.append(why if alike else f"{why}: {who}")
        return tuple(lines)


def with_interval(row: Any) -> str:
    """A row's number with its interval; empty: there is none."""
    return "" if row is None else interval(row.value, row.low, row.high)
