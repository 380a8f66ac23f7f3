"""Performance against sensitivity: Adkins et al. 2024, section 4."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from harness.analysis.sensitivity import Measures
from harness.plots import style, texts
from harness.plots.measures import page
from harness.plots.measures.labels import Mark, Point, ambiguous, placed
from harness.plots.measures.tuned import known, tuned

# Inches.
PLANE, LEFT, RIGHT, ABOVE, BELOW = (5.4, 3.9), 0.62, 1.0, 0.24, 0.44
FAR = 0.2
"""From where on a name needs a line to its mark."""
SCORES = ("tuned", "sensitivity", "default")
LEAST = 0.1
"""To which sensitivity the axis goes at least."""
MARK = 5.5  # points
WHAT = (
    "Tuned: the best setting of each environment. Default: the one setting that is best for all of them. "
    "Sensitivity: what tuning gains over it. On a grey line all defaults are worth the same: "
    "the lower right is worse"
)


def has(measures: Measures) -> bool:
    """Whether any performance is known."""
    return not _points(measures).empty or not known(measures).empty


def performance(measures: Measures, title: str = "") -> Figure:
    """The plane of sensitivity and tuned score, or the best setting beside the mean of all."""
    return tuned(measures, title) if _points(measures).empty else plane(measures, title)


def _points(measures: Measures) -> pd.DataFrame:
    """[methods] sensitivity and tuned score, with their ends: columns such as `tuned_low`."""
    rows = page.numbers(measures, *SCORES)
    found: dict[str, dict[str, float]] = {name: {} for name in page.methods(rows, measures)}
    for _, row in rows.iterrows():
        for end in ("value", "low", "high"):
            found[row["method"]][f"{row['measure']}_{end}"] = float(row[end])
    wanted = [f"{name}_{end}" for name in SCORES for end in ("value", "low", "high")]
    points = pd.DataFrame.from_dict(found, orient="index", columns=wanted, dtype=float)
    return points[np.isfinite(points[["sensitivity_value", "tuned_value"]].to_numpy()).all(axis=1)]


def plane(measures: Measures, title: str = "") -> Figure:
    """Sensitivity along x, tuned score along y, a mark for each method."""
    points, rows = _points(measures), page.numbers(measures, "sensitivity")
    nulls = rows[rows["value"].isna()]
    notes = page.missing([(name, "", why) for name, why in zip(nulls["method"], nulls["why"], strict=True)])
    title, spread = page.titled(title, "performance against sensitivity"), page.intervals(rows, "bars")
    sheet = page.Page.of(measures, title, [WHAT], notes, spread, LEFT + PLANE[0] + RIGHT)
    fig = sheet.figure(ABOVE + PLANE[1] + BELOW)
    ax = style.axes_at(fig, LEFT, sheet.top + ABOVE, *PLANE, label="plane")
    across, up = ([f"{name}_{end}" for end in ("value", "low", "high")] for name in ("sensitivity", "tuned"))
    # Never below 0. Where all are 0, the axis needs some length.
    most = max(float(np.nanmax(points[across].to_numpy())), LEAST)
    ax.set_xlim(-0.05 * most, 1.07 * most)
    ax.set_ylim(page.limits(points[up].to_numpy().ravel(), log=False, pad=0.12))
    _defaults(ax)
    looks = page.looks(measures)
    for name, row in points.iterrows():
        _cross(ax, row, looks[str(name)])
    _names(ax, points, looks)
    ax.set_xlabel("sensitivity Φ = tuned − default score", labelpad=2)
    ax.set_ylabel("tuned score (normalised, mean over environments)", labelpad=3)
    ax.tick_params(pad=2, length=2.5)
    return fig


def _cross(ax: Axes, row: pd.Series, look: page.Look) -> None:
    x, y = row["sensitivity_value"], row["tuned_value"]
    bars: dict[str, Any] = {"color": look.colour, "lw": 1.0, "zorder": 3, "alpha": 0.8}
    ax.plot([row["sensitivity_low"], row["sensitivity_high"]], [y, y], **bars)
    ax.plot([x, x], [row["tuned_low"], row["tuned_high"]], **bars)
    ax.plot([x], [y], look.marker, ms=MARK, color=look.colour, mec="white", mew=0.5, zorder=4, label="method")


def _defaults(ax: Axes) -> None:
    """Lines of equal default score, y = x + c, each with its c where it leaves the plane."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    line: dict[str, Any] = {"color": "0.85", "lw": 0.7, "zorder": 0, "scalex": False, "scaley": False}
    words: dict[str, Any] = {"textcoords": "offset points", "size": style.SMALL, "color": page.PALE}
    corner = 0.25 / PLANE[0] * (right - left), 0.1 / PLANE[1] * (high - low)  # kept free of numbers
    for c in MaxNLocator(7).tick_values(low - right, high - left):
        ax.plot([left, right], [left + c, right + c], label="default", **line)
        text = f"{c:.6g}".replace("-", "−")
        if low <= right + c <= high - corner[1]:
            ax.annotate(text, (right, right + c), (3, 0), va="center", annotation_clip=False, **words)
        elif left <= high - c <= right - corner[0]:
            ax.annotate(text, (high - c, high), (0, 2), ha="center", annotation_clip=False, **words)
    ax.annotate("equal default\nscore:", (1, 1), (3, 4), xycoords="axes fraction", va="center", **words)


def _names(ax: Axes, points: pd.DataFrame, looks: Mapping[str, page.Look]) -> None:
    """Each method's name beside its mark, with a line of its colour where it had to stand farther off, or as
    near to another."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    origin, scale = np.array([left, low]), np.array([PLANE[0] / (right - left), PLANE[1] / (high - low)])
    named = page.named(map(str, points.index))
    marks = [_mark(named[str(name)], row, origin, scale) for name, row in points.iterrows()]
    for name, mark, middle in zip(points.index, marks, placed(marks, PLANE), strict=True):
        half = np.array(mark.size) / 2
        end = np.clip(mark.at, middle - half, middle + half)
        others = [other.at for other in marks if other is not mark]
        if np.hypot(*(end - mark.at)) > FAR or ambiguous(mark, middle, others):
            line = np.array([mark.at, end]) / scale + origin
            ax.plot(*line.T, ":", color=looks[str(name)].colour, lw=0.9, zorder=1)
        x, y = np.array(middle) / scale + origin
        text = ax.text(x, y, mark.text, size=style.TICK, color=page.INK, zorder=5)
        text.set(ha="center", va="center_baseline")
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])  # over the grey lines


def _mark(text: str, row: pd.Series, origin: np.ndarray, scale: np.ndarray) -> Mark:
    """In inches."""
    x, y = row["sensitivity_value"], row["tuned_value"]
    ends = [(row[f"sensitivity_{end}"], y) for end in ("low", "high")]
    ends += [(x, row[f"tuned_{end}"]) for end in ("low", "high")]
    at, *bars = (_inches(point, origin, scale) for point in ((x, y), *ends))
    bars = [bar for bar in bars if isfinite(sum(bar))]
    return Mark(at=at, text=text, size=texts.size(text, style.TICK), bars=bars)


def _inches(point: Point, origin: np.ndarray, scale: np.ndarray) -> Point:
    x, y = (np.array(point) - origin) * scale
    return float(x), float(y)
