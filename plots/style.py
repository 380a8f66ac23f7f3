"""The one place for colours, fonts, sizes and symbols, and for writing a figure with repeatable bytes."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis import labels
from harness.common.files import whole_files, write_whole
from harness.methods import METHODS

DPI = 200
MARGIN = 0.12  # inches, at the edges of a figure

# Okabe and Ito's colours, told apart with any colour vision; black is kept for the baseline.
BASELINE = "black"
REFERENCE = "0.5"
GUIDE = "0.35"
COUNTS = "viridis"  # lightness rises with the count, so it reads in grey too
FEW, MANY = 0.18, 0.88  # the part of viridis that stands out from white and from black, for lines

TITLE, LABEL, TICK, SMALL, SMALLEST = 10.0, 8.5, 7.5, 6.8, 5.4  # points

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same on every machine
    "mathtext.fontset": "dejavusans",
    "font.size": TICK,
    "axes.titlesize": LABEL,
    "axes.labelsize": LABEL,
    "xtick.labelsize": TICK,
    "ytick.labelsize": TICK,
    "legend.fontsize": TICK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "hatch.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "harness",  # else ids are random, and the same figure has different bytes
    "svg.fonttype": "path",
    "savefig.dpi": DPI,
}

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "rho", "tau")
"""Letters that the names of hyper-parameters may begin with."""
DATASETS = {"omniglot": "Omniglot"}


@contextmanager
def applied() -> Iterator[None]:
    """Draw and write in here: matplotlib's defaults and RC, whatever the user's own settings are."""
    with matplotlib.style.context(["default", RC]):
        yield


def name(hyper_parameter: str) -> str:
    """A hyper-parameter as the figures write it: beta0 and beta_hyperlr as a beta with a subscript."""
    parts = re.fullmatch(rf"({'|'.join(GREEK)})(\d|_[a-zA-Z]+)?", hyper_parameter)
    if parts is None:
        return hyper_parameter
    letter, subscript = parts[1], (parts[2] or "").removeprefix("_")
    if subscript.isalpha():
        return rf"$\{letter}_{{\mathrm{{{subscript}}}}}$"
    return rf"$\{letter}_{subscript}$" if subscript else rf"$\{letter}$"


def method(name: str) -> str:
    """A method as the figures write it: its title, or its name if this installation does not have it."""
    return METHODS[name].title if name in METHODS else name


def number(value: float) -> str:
    """Powers of ten as 10^-3; other numbers as 0.3, or as 3 x 10^-5 if very small or large; 0 as 0."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    factor = f"{float(mantissa):g}"
    power = rf"10^{{{int(exponent)}}}"
    if factor in ("1", "-1"):
        return f"${factor.removesuffix('1')}{power}$"
    return f"{value:g}" if 1e-3 <= abs(value) < 1e4 else rf"${factor}\times {power}$"


def pairs(texts: Sequence[str]) -> list[str]:
    """Lines of two texts each."""
    return [", ".join(texts[k : k + 2]) for k in range(0, len(texts), 2)]


def values(row: pd.Series, hyper_parameters: Iterable[str]) -> list[str]:
    """A row's values of these hyper-parameters: alpha0 = 10^-1, ... What its method lacks is left out."""
    return [f"{name(key)} = {number(row[key])}" for key in hyper_parameters if not pd.isna(row[key])]


def sequence(count: int) -> list[Any]:
    """`count` colours from dark to light, for lines that have an order."""
    cmap = mpl.colormaps[COUNTS]
    return [cmap(x) for x in (np.linspace(FEW, MANY, count) if count > 1 else [0.35])]


def wrapped(text: str, inches: float, size: float) -> str:
    """A user's text broken into lines that fit in this width, long words too.

    A dollar sign does not start a formula here; the names of hyper-parameters (`beta_hyperlr`)
    are written as symbols.
    """
    letters = max(int(inches * 72 / (0.56 * size)), 12)  # DejaVu's letters are about 0.56 em wide
    known = dict.fromkeys(key for one in METHODS.values() for key in one.Hyper.model_fields)
    # While the lines are broken, letters of no alphabet stand for a symbol, as many as it is wide.
    symbols = {key: name(key) for key in known if name(key) != key}
    stand_ins = {key: chr(0xE000 + at) * min(len(key) // 2, 8) for at, key in enumerate(symbols)}
    for key, stand_in in stand_ins.items():
        text = re.sub(rf"\b{key}\b", stand_in, text)
    text = "\n".join(textwrap.fill(line, letters) for line in text.splitlines()).replace("$", r"\$")
    for key, stand_in in stand_ins.items():
        text = text.replace(stand_in, symbols[key])
    return text


def seeds_text(seeds: Sequence[int]) -> str:
    """seed 0; seeds 0 to 4; seeds 0, 3, 7."""
    s = sorted(seeds)
    if len(s) == 1:
        return f"seed {s[0]}"
    if len(s) > 2 and s == list(range(s[0], s[-1] + 1)):
        return f"seeds {s[0]} to {s[-1]}"
    return "seeds " + ", ".join(map(str, s))


def axes_at(fig: Figure, left: float, top: float, width: float, height: float, **kwargs: Any) -> Axes:
    """Axes placed in inches, measured from the left and the top of the figure."""
    w, h = fig.get_size_inches()
    return fig.add_axes((left / w, 1 - (top + height) / h, width / w, height / h), **kwargs)


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Title and subtitle, wrapped to the width of their figure."""

    title: str
    subtitle: str = ""

    @property
    def height(self) -> float:
        """Inches from the top of the figure to the end of the subtitle."""
        title, subtitle = (text.count("\n") + 1 for text in (self.title, self.subtitle))
        return 0.18 + (title * TITLE * 1.35 + subtitle * TICK * 1.5) / 72

    def draw(self, fig: Figure) -> None:
        """Write both at the upper left."""
        w, h = fig.get_size_inches()
        below = 0.15 + (self.title.count("\n") + 1) * TITLE * 1.35 / 72
        fig.text(MARGIN / w, 1 - 0.12 / h, self.title, size=TITLE, weight="bold", va="top", linespacing=1.2)
        fig.text(MARGIN / w, 1 - below / h, self.subtitle, size=TICK, va="top", color="0.25", linespacing=1.3)


def heading(trials: pd.DataFrame, title: str, what: str, width: float) -> Heading:
    """The grid's title; data set, protocols and seeds; then `what` the figure shows."""
    first, inches = trials.iloc[0], width - 2 * MARGIN
    data = f"{DATASETS.get(first['dataset'], first['dataset'])}, {first['n_way']}-way"
    measured = "  \N{MIDDLE DOT}  ".join(
        (data, labels.one_line(labels.of_trials(trials)), seeds_text(trials["seed"].unique().tolist()))
    )
    return Heading(
        title=wrapped(title, inches, TITLE * 1.1), subtitle=wrapped(f"{measured}\n{what}", inches, TICK)
    )


def save(fig: Figure, path: Path) -> None:
    """Write a .png or .svg, whole or not at all, the same bytes from run to run. Raises NotWritten."""
    write_whole(path, lambda file: _save(fig, file, path.suffix[1:]))


def _save(fig: Figure, file: Path, kind: str) -> None:
    metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
    fig.savefig(file, format=kind, dpi=DPI, metadata=metadata)


def write(draw: Callable[[], Figure], base: Path) -> list[Path]:
    """Draw in this style and write <base>.png (200 dpi) and <base>.svg. Returns the paths.

    Raises NotWritten; older ones are then removed, so that none passes for new."""
    paths = [base.with_name(f"{base.name}.{suffix}") for suffix in ("png", "svg")]
    with applied(), whole_files(paths) as files:
        fig = draw()
        for file, path in zip(files, paths, strict=True):
            _save(fig, file, path.suffix[1:])
    return paths
