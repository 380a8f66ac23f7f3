"""What the figures of `harness sensitivity` share: the looks of methods, headings, notes, scales."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, log10

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.analysis.sensitivity import Measures
from harness.analysis.sensitivity.runs import EVERYWHERE
from harness.analysis.sensitivity.summary import heading
from harness.analysis.sensitivity.texts import resampled, short_names
from harness.plots import style, texts
from harness.plots.heading import Heading, seeds_text

# Okabe and Ito's, without the yellow, which a thin line on white does not show.
COLOURS = (style.BASELINE, "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (4, 1.2)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d", "8")
INK, PALE = "0.15", "0.45"
WIDTH = 7.4  # inches: a page's, and what a README shows without making it smaller
NAME = 1.7  # inches: a longer name of a method is cut
NOTED = 4
"""More lines of notes are counted."""
CUTS = (0.5, 0.75, 0.25, 1.0, 0.0)
"""Shares of a name that is too wide that may stand before the cut; the first that keeps names apart."""


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


def named(names: Iterable[str], inches: float = NAME, points: float = style.TICK) -> dict[str, str]:
    """Method -> its title, or its name where this installation does not have it. What is wider is cut, so
    that no two become the same if that can be."""
    titles = {name: texts.method(name) for name in names}
    ways = [{name: fitted(title, inches, points, at) for name, title in titles.items()} for at in CUTS]
    return next((found for found in ways if len(set(found.values())) == len(found)), ways[0])


@lru_cache(maxsize=1024)
def fitted(text: str, inches: float, points: float, at: float = CUTS[0]) -> str:
    """A text in one line, as it is; cut where it is wider than this: in the middle, or where `at` says."""
    text, letters = " ".join(text.split()), len(text)
    while letters > 1 and texts.size(texts.literal(_cut(text, letters, at)), points)[0] > inches:
        letters -= 1
    return texts.literal(_cut(text, letters, at))


def _cut(text: str, letters: int, at: float) -> str:
    if letters >= len(text):
        return text
    head = round(letters * at)
    return f"{text[:head].rstrip(' ,')}…{text[len(text) - letters + head :].lstrip(' ,')}"


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
    return short_names(names)[0] if len(names) > 1 else {names[0]: ""}


def score(measures: Measures, wanted: str = "") -> str:
    """`expected best validation loss (nats)`: what the score is and its unit, after some words."""
    runs = measures.runs
    unit = f" ({runs.unit})" if runs.unit and runs.unit != runs.score else ""
    return f"{wanted} {runs.score or 'score'}{unit}".strip()


def intervals(rows: pd.DataFrame, drawn: str) -> str:
    """What the `drawn` (bands, bars) of these rows are; the rows have a column `seeds`."""
    seeds = {int(n) for n in rows["seeds"][rows["value"].notna()]} - {0}
    if not seeds - {1}:
        return resampled(seeds) if seeds else ""
    return f"{drawn}: {resampled(seeds)}" + "; none where there is one seed" * (1 in seeds)


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
                subtitle=_wrapped(lines, inches, style.TICK),
            ),
            notes=_wrapped(_few([*notes, *measures.runs.notes], measures), inches, style.SMALL),
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
    known = len(runs.environments) > 1 or runs.environments[0] != EVERYWHERE
    return [heading(measures)] * known + words


def _wrapped(lines: Iterable[str], inches: float, points: float) -> str:
    """In this width; no line begins with a per cent sign."""
    return texts.wrapped("\n".join(lines).replace(" %", "\N{NO-BREAK SPACE}%"), inches, points)


def _few(lines: Iterable[str], measures: Measures) -> list[str]:
    """Each once, as sentences; those beyond NOTED are counted."""
    names = measures.runs.environments
    found = list(dict.fromkeys(_sentence(line, names) for line in lines if line))
    more = len(found) - NOTED
    return found if more < 2 else [*found[:NOTED], f"And {more} more notes."]


def _sentence(line: str, names: Sequence[str]) -> str:
    """With a capital and a full stop; a name before a colon is left as it is."""
    named = any(line.startswith(f"{name}:") for name in names)
    if not named and line.split(maxsplit=1)[0].isalpha():
        line = line[:1].upper() + line[1:]
    return line if line.endswith((".", "!", "?")) else f"{line}."


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


def left_out(known: Collection[str], drawn: Collection[str]) -> list[str]:
    """A note, if not all environments are drawn."""
    lacking = len(known) - len(drawn)
    return [f"Not drawn, for want of room: {lacking} of {len(known)} environments."] * (lacking > 0)


def not_run(measures: Measures) -> list[str]:
    """A note, if some method was not run in some environment."""
    lacking = [
        (one.name, place, "not run there")
        for e, place in enumerate(shown(measures).values())
        for one in measures.runs.methods
        if not one.ran[e].any()
    ]
    return missing(lacking)


def log_scale(ax: Axes, low: float, high: float, inches: float) -> None:
    """A logarithmic x axis from low to high with labels that have room, at 1, 2, 5, 10, ... or at powers."""
    ax.set(xscale="log", xlim=(low, high))
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
    ax.xaxis.set_ticks([places[at] for at in kept], [words[at] for at in kept])
    minor = [m * 10.0**k for k in range(first, last + 1) for m in range(1, 10)]
    ax.xaxis.set_ticks([m for m in minor if low <= m <= high] if per_inch < 3 else [], minor=True)
    ax.xaxis.set_minor_formatter("")


def _tick(value: float, large: bool) -> str:
    """As `sensitivity.texts.number` writes it, without noughts at the end: 0.5, 1000, 10,000."""
    if large or value < 100:
        return texts.number(value) if large else f"{value:.3g}"
    return f"{value:{',' if value >= 1e4 else ''}.0f}"


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
