"""Which hyper-parameter the results hang on: shares of their variance, a stacked bar for each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.analysis.sensitivity import Measures
from harness.analysis.sensitivity.runs import JOINED
from harness.analysis.sensitivity.shares import JOINT, SEED
from harness.plots import style, texts
from harness.plots.measures import page
from harness.plots.measures.key import Key
from harness.plots.measures.rows import Rows, beside, grouped

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
HATCHES = ("", "////", "....")
"""Where the colours begin again."""
INTERACTIONS, OF_SEED = "interactions of hyper-parameters", "seed, alone and with others"
REST = {INTERACTIONS: ("0.55", ""), OF_SEED: ("0.88", "")}
RESULTS = ("share_of_count", "share_of_hit", "share_of_score")
LEAST = 0.01
"""A smaller largest interaction is not named."""
WHAT = "Shares of the variance over each full grid (exact functional ANOVA); the largest interaction is named"
PATCH, BAR = 0.22, 0.7
WIDE, NARROW = 8.4, 1.4  # inches: of the page with three columns; of a method's name there
NAMED = {1: 3.0, 2: 1.6, 3: 1.36}
"""Columns -> inches, at most, of an interaction's name and share."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One method in one environment: what the variance of a result is made of."""

    environment: str
    method: str
    result: str
    """One of RESULTS."""
    parts: Mapping[str, float]
    """Factor, INTERACTIONS or OF_SEED -> share."""
    largest: str
    """The largest interaction and its share, in words."""
    why: str
    """Why there are no parts."""


def has(measures: Measures) -> bool:
    """Whether any share is known."""
    return bool(_rows(measures)["value"].notna().any())


def shares(measures: Measures, title: str = "") -> Figure:
    """A column for each result: the count, the hit, the score."""
    rows = _rows(measures)
    title = page.titled(title, "what the results hang on")
    known = rows[rows["value"].notna()]
    if known.empty:
        notes = page.missing(_nulls(rows)) or ["No shares: the table has no results that vary."]
        return page.Page.of(measures, title, ["Nothing to draw."], notes).figure(0)
    results = [name for name in RESULTS if name in set(known["measure"])]
    bars = _bars(rows[rows["measure"].isin(results)], NAMED[len(results)])
    looks = fills([part for one in bars for part in one.parts])
    laid = _laid(known, bars, results, measures)
    notes = [*_notes(rows, known), *page.not_run(measures)]
    sheet = page.Page.of(measures, title, [WHAT], notes, width=laid.width)
    key = Key.of({name: _said(name) for name in looks}, PATCH, laid.width)
    fig = sheet.figure(key.height + laid.height)
    key.draw(fig, sheet.top, lambda ax, at, row, name: _patch(ax, at, row, looks[name]))
    axes = laid.axes(fig, sheet.top + key.height)
    for one in bars:
        if one.method in laid.groups.get(one.environment, ()):
            column, level = results.index(one.result), laid.groups[one.environment].index(one.method)
            _draw(axes[one.environment, column], level, one, looks, (laid.wide, laid.beside[column]))
    for ax in axes.values():
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    return fig


def _laid(known: pd.DataFrame, bars: Sequence[Bar], results: Sequence[str], measures: Measures) -> Rows:
    """Rows and columns; with three of these, names are cut sooner."""
    named = [[one.largest for one in bars if one.result == name] for name in results]
    many = len(results) > 2
    return Rows(
        groups=grouped(known, measures),
        columns=[_result(name, measures) for name in results],
        beside=[texts.widest(some, style.SMALL) + 0.2 for some in named],
        titles=page.shown(measures),
        width=WIDE if many else page.WIDTH,
        name=NARROW if many else page.NAME,
    )


def _rows(measures: Measures) -> pd.DataFrame:
    return page.numbers(measures, *RESULTS)


def _result(name: str, measures: Measures) -> str:
    """What varies."""
    if name == "share_of_score":
        return measures.runs.score or "score"
    return "log iterations (a miss: budget)" if name == "share_of_count" else "target reached or not"


def _nulls(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    null = rows[rows["value"].isna() & (rows["why"] != "")]
    return list(null[["method", "environment", "why"]].itertuples(index=False, name=None))


def _notes(rows: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """Of the methods without any bar in an environment."""
    drawn = set(zip(known["method"], known["environment"], strict=True))
    return page.missing([null for null in dict.fromkeys(_nulls(rows)) if null[:2] not in drawn])


def _bars(rows: pd.DataFrame, inches: float) -> list[Bar]:
    """Those of all methods, environments and results; the largest interaction in so many inches."""
    found = []
    for _, some in rows.groupby(["environment", "method", "measure"], sort=False):
        first, known = some.iloc[0], some[some["value"].notna()]
        effects = dict(zip(known["of"], known["value"], strict=True))
        found.append(
            Bar(
                environment=first["environment"],
                method=first["method"],
                result=first["measure"],
                parts=parts(effects),
                largest=largest(effects, inches),
                why="" if effects else first["why"],
            )
        )
    return found


def parts(effects: Mapping[str, float]) -> dict[str, float]:
    """Effect -> share, with all interactions as one and all that the seed takes part in as one, last."""
    found: dict[str, float] = {}
    for effect, share in effects.items():
        factors = effect.split(JOINT)
        name = OF_SEED if SEED in factors else INTERACTIONS if len(factors) > 1 else effect
        found[name] = found.get(name, 0.0) + share
    order = [*(name for name in found if name not in REST), *(name for name in REST if name in found)]
    return {name: found[name] for name in order}


def largest(effects: Mapping[str, float], inches: float) -> str:
    """The largest interaction of hyper-parameters and its share; empty: none is worth naming."""
    among = {
        effect: share
        for effect, share in effects.items()
        if JOINT in effect and SEED not in effect.split(JOINT) and share >= LEAST
    }
    most = max(among, key=lambda effect: among[effect], default="")
    return _interaction(most, among[most], inches) if most else ""


def _interaction(effect: str, share: float, inches: float) -> str:
    """`alpha0 × beta0 21%`."""
    percent = f" {share:.0%}"
    whole = " × ".join(map(factor, effect.split(JOINT)))
    if texts.size(whole + percent, style.SMALL)[0] <= inches:
        return whole + percent
    names = effect.split(JOINT)
    room = (inches - texts.size(" × " * (len(names) - 1) + percent, style.SMALL)[0]) / len(names)
    return " × ".join(page.fitted(name, room, style.SMALL) for name in names) + percent


def factor(name: str) -> str:
    """Hyper-parameters that were varied together, as the figures write them."""
    return "+".join(_hyper(one) for one in name.split(JOINED))


def _hyper(name: str) -> str:
    written = texts.name(name)
    return written if written != name else texts.literal(name)


def fills(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Factor -> colour and hatch, the same in every bar; what is no factor in greys, last."""
    factors = [name for name in dict.fromkeys(names) if name not in REST]
    found = {
        name: (COLOURS[at % len(COLOURS)], HATCHES[at // len(COLOURS) % len(HATCHES)])
        for at, name in enumerate(factors)
    }
    return found | {name: look for name, look in REST.items() if name in names}


def _draw(
    ax: Axes,
    level: int,
    one: Bar,
    looks: Mapping[str, tuple[str, str]],
    room: tuple[float, float],
) -> None:
    """The parts from left to right, each with its per cent where there is room. `room`: inches of the bar,
    and beside it."""
    wide = room[0]
    if not one.parts:
        words = page.fitted(one.why, sum(room) - 0.1, style.SMALL)
        ax.text(0.01, level, words, size=style.SMALL, color=page.PALE, va="center_baseline")
        return
    left = 0.0
    for name, share in one.parts.items():
        colour, hatch = looks[name]
        ax.add_patch(
            Rectangle(
                (left, level - BAR / 2),
                share,
                BAR,
                facecolor=colour,
                hatch=hatch,
                edgecolor="white",
                lw=0.5,
                label=name,
            )
        )
        percent = f"{share:.0%}"
        if texts.size(percent, style.SMALL)[0] + 0.06 <= share * wide and not hatch:
            ax.text(
                left + share / 2,
                level,
                percent,
                size=style.SMALL,
                color=_ink(colour),
                ha="center",
                va="center_baseline",
            )
        left += share
    beside(ax, level, one.largest, page.PALE)


def _ink(colour: str) -> str:
    return "white" if colour in ("#0072B2", "#009E73", "#D55E00", "0.55") else "black"


def _said(name: str) -> str:
    return name if name in REST else factor(name)


def _patch(ax: Axes, at: float, row: float, look: tuple[str, str]) -> None:
    colour, hatch = look
    ax.add_patch(Rectangle((at, row + 0.18), PATCH, 0.64, fc=colour, hatch=hatch, ec="white", lw=0))
