"""What the figures of `harness sensitivity` share: the looks of methods, headings, notes, scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, isfinite, log10

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.analysis.sensitivity import Measures
from harness.analysis.sensitivity.resamples import EXACT, FEW, LEVEL
from harness.analysis.sensitivity.runs import EVERYWHERE
from harness.plots import style, texts
from harness.plots.heading import Heading, seeds_text

# Okabe and Ito's, without the yellow, which a thin line on white does not show.
COLOURS = (style.BASELINE, "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (4, 1.2)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
INK, PALE = "0.15", "0.45"
SEPARATOR = ", "
"""Between the parts of an environment's name."""
WIDTH = 7.4  # inches: a page's, and what a README shows without making it smaller
NAME = 1.7  # inches: a longer name of a method is cut
NOTED = 4
"""More lines of notes are counted."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a method is drawn, the same in all figures."""

    colour: str
    dash: str | tuple[int, tuple[float, ...]]
    marker: str


def looks(measures: Measures) -> dict[str, Look]:
    """By method, in the order of the table: the first is the baseline, in black. Dashes where the colours
    begin again."""
    return {
        one.name: Look(
            colour=COLOURS[at % len(COLOURS)],
            dash=DASHES[at // len(COLOURS) % len(DASHES)],
            marker=MARKERS[at % len(MARKERS)],
        )
        for at, one in enumerate(measures.runs.methods)
    }


def method(name: str, inches: float = NAME, points: float = style.TICK) -> str:
    """A method's title, or its name where this installation does not have it; cut where it is wider."""
    return fitted(texts.method(name), inches, points)


@lru_cache(maxsize=1024)
def fitted(text: str, inches: float, points: float) -> str:
    """A text in one line, as it is, cut where it is wider than this."""
    text, letters = " ".join(text.split()), len(text)
    while letters > 1 and texts.size(texts.literal(_cut(text, letters)), points)[0] > inches:
        letters -= 1
    return texts.literal(_cut(text, letters))


def _cut(text: str, letters: int) -> str:
    return text if letters >= len(text) else text[:letters].rstrip(" ,") + "…"


def numbers(measures: Measures, *names: str) -> pd.DataFrame:
    """The rows of these measures that compare no methods."""
    values = measures.values
    return values[values["measure"].isin(names) & values["other"].isna()]


def environments(rows: pd.DataFrame, measures: Measures) -> list[str]:
    """Those of the rows, in the order of the table."""
    known = set(rows["environment"].dropna())
    return [name for name in measures.runs.environments if name in known]


def methods(rows: pd.DataFrame, measures: Measures) -> list[str]:
    """Those of the rows, in the order of the table."""
    known = set(rows["method"])
    return [one.name for one in measures.runs.methods if one.name in known]


def shown(measures: Measures) -> dict[str, str]:
    """Environment -> the title of its panels: what it does not share with all others. Empty where there is
    only one: the heading names it."""
    names = measures.runs.environments
    if len(names) == 1:
        return {names[0]: ""}
    end = len(SEPARATOR + shared) if (shared := _shared(names)) else 0
    return {name: name[: len(name) - end] for name in names}


def _shared(names: Sequence[str]) -> str:
    """`target 2.5`: the words after the last commas that all have in common, unless one has no others."""
    parts = [name.split(SEPARATOR) for name in names]
    words: list[str] = []
    while all(len(some) > len(words) + 1 for some in parts):
        last = {some[-1 - len(words)] for some in parts}
        if len(last) > 1:
            break
        words.insert(0, last.pop())
    return SEPARATOR.join(words)


def score(measures: Measures, wanted: str = "") -> str:
    """`expected best validation loss (nats)`: what the score is and its unit, after some words."""
    runs = measures.runs
    unit = f" ({runs.unit})" if runs.unit and runs.unit != runs.score else ""
    return f"{wanted} {runs.score or 'score'}{unit}".strip()


def intervals(rows: pd.DataFrame, drawn: str) -> str:
    """What the `drawn` (bands, bars) of these rows are; the rows have a column `seeds`."""
    seeds = sorted({int(n) for n in rows["seeds"][rows["value"].notna()]} - {0})
    if not seeds:
        return ""
    if seeds == [1]:
        return "one seed, so no intervals"
    least, most = min(n for n in seeds if n > 1), seeds[-1]
    several = f"{least}" if least == most else f"{least} to {most}"
    resampled = f"all {comb(2 * most - 1, most)} resamples" if least == most <= EXACT else "the resamples"
    few = "; so few seeds make them narrow" * (least <= FEW)
    none = "; none where there is one seed" * (seeds[0] == 1)
    return f"{drawn}: {LEVEL:.0%} of {resampled} of {several} seeds{few}{none}"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A figure's heading and the notes below it. Width in inches."""

    width: float
    heading: Heading
    notes: str

    @classmethod
    def of(
        cls,
        measures: Measures,
        title: str,
        what: Iterable[str],
        notes: Iterable[str],
        spread: str = "",
        width: float = WIDTH,
    ) -> Page:
        """The title; environments, seeds and the `spread` that is drawn, then what else is, a line each;
        below, what is missing."""
        inches = width - 2 * style.MARGIN
        about = "  \N{MIDDLE DOT}  ".join(filter(None, (*_about(measures), spread)))
        lines = [line for line in (about, *what) if line]
        return cls(
            width=width,
            heading=Heading(
                title=texts.wrapped(title, inches, style.TITLE, bold=True),
                subtitle=texts.wrapped("\n".join(lines), inches, style.TICK),
            ),
            notes=texts.wrapped("\n".join(_few([*notes, *measures.runs.notes])), inches, style.SMALL),
        )

    @property
    def top(self) -> float:
        """Inches from the top of the figure to the end of the heading."""
        return self.heading.height

    def figure(self, body: float) -> Figure:
        """With `body` inches between the heading and the notes."""
        lines = (self.notes.count("\n") + 1) * bool(self.notes)
        room = lines * style.SMALL * 1.4 / 72 + style.MARGIN
        fig = Figure(figsize=(self.width, self.top + body + room))
        self.heading.draw(fig)
        w, h = fig.get_size_inches()
        below = fig.text(style.MARGIN / w, style.MARGIN / 2 / h, self.notes, size=style.SMALL, va="bottom")
        below.set(color="0.25", linespacing=1.25)
        return fig


def titled(title: str, figure: str) -> str:
    """The user's title and what the figure is: `Few shots: what tuning costs`."""
    return f"{title}: {figure}" if title else figure[:1].upper() + figure[1:]


def _about(measures: Measures) -> list[str]:
    """How many environments, and which seeds."""
    runs = measures.runs
    seeds = [int(s) for s in runs.seeds if isinstance(s, int | np.integer)]
    whole = len(seeds) == len(runs.seeds)
    words = [seeds_text(seeds) if whole else f"{len(runs.seeds)} seeds"] if len(runs.seeds) > 1 else []
    if len(runs.environments) > 1:
        shared = _shared(runs.environments)
        words.insert(0, SEPARATOR.join(filter(None, (f"{len(runs.environments)} environments", shared))))
    elif runs.environments[0] != EVERYWHERE:
        words.insert(0, runs.environments[0])
    return words


def _few(lines: Sequence[str]) -> list[str]:
    lines = list(dict.fromkeys(line for line in lines if line))
    more = len(lines) - NOTED
    return lines if more < 2 else [*lines[:NOTED], f"and {more} more notes"]


def missing(pairs: Sequence[tuple[str, str, str]]) -> list[str]:
    """Notes of (method, environment or nothing, why), a line for each reason."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for name, place, why in pairs:
        by_reason.setdefault(why, {}).setdefault(texts.method(name), []).append(place)
    return [f"Not drawn: {_whose(whose)} ({why})." for why, whose in by_reason.items()]


def _whose(whose: dict[str, list[str]]) -> str:
    places = {name: " and ".join(filter(None, some)) for name, some in whose.items()}
    if len(set(places.values())) == 1 and (shared := next(iter(places.values()))):
        return f"{', '.join(places)} in {shared}"
    return ", ".join(f"{name} in {place}" if place else name for name, place in places.items())


def not_run(measures: Measures) -> list[str]:
    """A note, if some method was not run in some environment."""
    places = enumerate(measures.runs.environments)
    lacking = [
        (one.name, name, "not run there")
        for e, name in places
        for one in measures.runs.methods
        if not one.ran[e].any()
    ]
    return missing(lacking)


def number(value: float) -> str:
    """As it stands beside a mark: 1,170; 48.3; 0.719."""
    if not isfinite(value):
        return "∞" if value > 0 else "?"
    if abs(value) >= 1e7:
        return texts.number(float(f"{value:.2e}"))
    text = f"{value:,.0f}" if abs(value) >= 99.95 else f"{value + 0.0:.3g}"  # no minus before 0
    return text.replace("-", "−")


def log_scale(axis: Axis, low: float, high: float, inches: float) -> None:
    """A logarithmic axis from low to high with labels that have room, at 1, 2, 5, 10, ... or at powers."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": (low, high)})  # type: ignore[attr-defined]
    first, last = int(np.floor(log10(low))), int(np.ceil(log10(high)))
    per_inch = log10(high / low) / inches
    large = high >= 1e6 or low < 1e-3
    steps = (1,) if large or per_inch > 0.9 else (1, 2, 5)
    ticks = [m * 10.0**k for k in range(first, last + 1) for m in steps if low <= m * 10.0**k <= high]
    if len(ticks) < 2:  # too short a range for round numbers
        ticks = [float(t) for t in MaxNLocator(3).tick_values(low, high) if low <= t <= high and t > 0]
    words = {inches * log10(tick / low) / log10(high / low): _tick(tick, large) for tick in ticks}
    places = dict(zip(words, ticks, strict=True))
    kept = texts.spaced({at: f"{word} " for at, word in words.items()}, style.TICK)
    axis.set_ticks([places[at] for at in kept], [words[at] for at in kept])
    minor = [m * 10.0**k for k in range(first, last + 1) for m in range(1, 10)]
    axis.set_ticks([m for m in minor if low <= m <= high] if per_inch < 3 else [], minor=True)
    axis.set_minor_formatter("")


def _tick(value: float, large: bool) -> str:
    return texts.number(value) if large else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def limits(values: Iterable[float], log: bool, pad: float = 0.05) -> tuple[float, float]:
    """A little beyond the finite ones of these values."""
    some = np.asarray([v for v in values if isfinite(v) and (v > 0 or not log)], float)
    if some.size == 0:
        return (1.0, 10.0) if log else (0.0, 1.0)
    ends = np.log10([some.min(), some.max()]) if log else np.array([some.min(), some.max()])
    room = max(float(np.ptp(ends)) * pad, 0.1 if log else 0.02 * float(np.abs(ends).max())) or 0.5
    low, high = ends[0] - room, ends[1] + room
    return (float(10**low), float(10**high)) if log else (float(low), float(high))


def bare(ax: Axes) -> None:
    """No spines but the lower one, no ticks along y."""
    ax.spines[["left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def write(fig: Figure, left: float, bottom: float, text: str, weight: str = "normal") -> None:
    """With its last line this far from the top of the figure, in inches."""
    w, h = fig.get_size_inches()
    if text:
        fig.text(left / w, 1 - bottom / h, text, size=style.TICK, weight=weight, va="bottom", linespacing=1.2)
