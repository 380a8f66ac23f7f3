"""Which hyper-parameters the results depend on: shares of their variance, a stacked bar for each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.analysis.sensitivity import Measures
from harness.analysis.sensitivity.effects import Grouped
from harness.analysis.sensitivity.effects import grouped as by_kind
from harness.analysis.sensitivity.runs import JOINED
from harness.analysis.sensitivity.summary import SPREAD_DIGITS
from harness.analysis.sensitivity.texts import number, percent
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
SPREAD = "sd: standard deviation over settings and seeds, whose square a bar shares out"
DECADES = " (of log iterations: in decades)"
PATCH, BAR = 0.22, 0.7
BELOW_KEY = 0.06  # inches
ROOMY = 0.9  # inches: a wider bar has a number at its middle, too
END = 0.3  # inches: beside a bar, of the number at its end
WIDE, NARROW = 8.4, 1.6  # inches: of the page with three columns; of a method's name there
NAMED = {1: 3.0, 2: 1.6, 3: 1.2}
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
    spread: str
    """The standard deviation; empty: not known."""
    why: str
    """Why there are no parts."""


def has(measures: Measures) -> bool:
    """Whether any share is known."""
    return bool(_rows(measures)["value"].notna().any())


def shares(measures: Measures, title: str = "") -> Figure:
    """A column for each result: the count, the hit, the score."""
    rows = _rows(measures)
    title = page.titled(title, "what the results depend on")
    known = rows[rows["value"].notna()]
    if known.empty:
        notes = _notes(rows, known, measures) or ["No shares: the table has no results that vary."]
        return page.Page.of(measures, title, ["Nothing to draw."], notes).figure(0)
    results = [name for name in RESULTS if name in set(known["measure"])]
    bars = _bars(rows[rows["measure"].isin(results)], NAMED[len(results)], measures)
    looks = fills([part for one in bars for part in one.parts])
    groups = grouped(known, measures)
    laid = _laid(groups, bars, results, measures).fitting()
    notes = [
        *_notes(rows, known, measures),
        *page.left_out(groups, laid.groups),
        *page.not_run(measures),
    ]
    spread = [SPREAD + DECADES * ("share_of_count" in results)] * bool(laid.before)
    sheet = page.Page.of(measures, title, [WHAT, *spread], notes, width=laid.width)
    key = Key.of({name: _said(name) for name in looks}, PATCH, laid.width)
    top = sheet.top + key.height + BELOW_KEY
    fig = sheet.figure(key.height + BELOW_KEY + laid.height)
    key.draw(fig, sheet.top, lambda ax, at, row, name: _patch(ax, at, row, looks[name]))
    axes = laid.axes(fig, top)
    for one in bars:
        if one.method in laid.groups.get(one.environment, ()):
            column, level = results.index(one.result), laid.groups[one.environment].index(one.method)
            _draw(axes[one.environment, column], level, one, looks, (laid.wide, laid.beside[column]))
    for ax in axes.values():
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.5, 1], ["0", percent(0.5) if laid.wide > ROOMY else "", percent(1)])
    for column, room in enumerate(laid.before):
        page.write(fig, laid.left(column) - room, top + laid.head - 0.06, "sd")
    return fig


def _laid(
    groups: Mapping[str, Sequence[str]], bars: Sequence[Bar], results: Sequence[str], measures: Measures
) -> Rows:
    """Rows and columns; with three of these, names are cut sooner."""
    of_result = [[one for one in bars if one.result == name] for name in results]
    spreads = [texts.widest([one.spread for one in some], style.SMALL) for some in of_result]
    words = [texts.widest([one.largest for one in some], style.SMALL) for some in of_result]
    many = len(results) > 2
    return Rows(
        groups=groups,
        columns=[_result(name, measures) for name in results],
        beside=[max(room + 0.2, END) for room in words],
        before=[room + 0.08 for room in spreads] if any(spreads) else [],
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


def _notes(rows: pd.DataFrame, known: pd.DataFrame, measures: Measures) -> list[str]:
    """Of the methods without any bar in an environment."""
    drawn = set(zip(known["method"], known["environment"], strict=True))
    null = rows[rows["value"].isna() & (rows["why"] != "")].drop_duplicates(["method", "environment", "why"])
    places = page.shown(measures)
    keys = zip(null["method"], null["environment"], null["why"], strict=True)
    return page.missing(
        [(name, places[place], why) for name, place, why in keys if (name, place) not in drawn]
    )


def _bars(rows: pd.DataFrame, inches: float, measures: Measures) -> list[Bar]:
    """Those of all methods, environments and results; the largest interaction in so many inches."""
    methods = {one.name: one for one in measures.runs.methods}
    spreads = (
        page.numbers(measures, "deviation").set_index(["environment", "method", "of"])["value"].to_dict()
    )
    found = []
    for _, some in rows.groupby(["environment", "method", "measure"], sort=False):
        place, name, measure = (str(some[key].iloc[0]) for key in ("environment", "method", "measure"))
        known = some[some["value"].notna()]
        factors = methods[name].factors_in(place)
        effects = by_kind(dict(zip(known["of"], known["value"], strict=True)), factors)
        spread = spreads.get((place, name, measure.removeprefix("share_of_")), nan)
        found.append(
            Bar(
                environment=place,
                method=name,
                result=measure,
                parts=parts(effects),
                largest=largest(effects, inches),
                spread=number(spread, SPREAD_DIGITS) if len(known) else "",
                why="" if len(known) else some["why"].iloc[0],
            )
        )
    return found


def parts(effects: Grouped) -> dict[str, float]:
    """Factor -> share, with all interactions as one and all that the seed takes part in as one, last."""
    rest = {INTERACTIONS: effects.interactions} if effects.joint else {}
    rest |= {OF_SEED: effects.seed} if effects.of_seed else {}
    return effects.factors | rest


def largest(effects: Grouped, inches: float) -> str:
    """The largest interaction of hyper-parameters and its share; empty: none is worth naming."""
    if effects.largest is None or effects.largest[1] < LEAST:
        return ""
    return _interaction(*effects.largest, inches)


def _interaction(names: Sequence[str], share: float, inches: float) -> str:
    """`alpha0 × beta0 21 %`."""
    said = f" {percent(share)}"
    whole = " × ".join(map(factor, names))
    if texts.size(whole + said, style.SMALL)[0] <= inches:
        return whole + said
    room = (inches - texts.size(" × " * (len(names) - 1) + said, style.SMALL)[0]) / len(names)
    return " × ".join(page.fitted(name, room, style.SMALL) for name in names) + said


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
        said = percent(share)
        if texts.size(said, style.SMALL)[0] + 0.06 <= share * wide and not hatch:
            ax.text(
                left + share / 2,
                level,
                said,
                size=style.SMALL,
                color=_ink(colour),
                ha="center",
                va="center_baseline",
            )
        left += share
    beside(ax, level, one.largest, page.PALE)
    if one.spread:
        _before(ax, level, one.spread)


def _before(ax: Axes, level: int, text: str) -> None:
    """Words to the left of a bar."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    words: dict[str, Any] = {"size": style.SMALL, "color": page.INK, "ha": "right", "va": "center_baseline"}
    ax.annotate(text, (0, level), (-3, 0), annotation_clip=False, label="sd", **place, **words)


def _ink(colour: str) -> str:
    return "white" if colour in ("#0072B2", "#009E73", "#D55E00", "0.55") else "black"


def _said(name: str) -> str:
    return name if name in REST else factor(name)


def _patch(ax: Axes, at: float, row: float, look: tuple[str, str]) -> None:
    colour, hatch = look
    ax.add_patch(Rectangle((at, row + 0.18), PATCH, 0.64, fc=colour, hatch=hatch, ec="white", lw=0))
