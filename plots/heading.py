"""What stands above a figure: its title, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from harness.analysis import labels
from harness.analysis.learned import Learned
from harness.plots import style, texts

LISTED = 12
"""More seeds with gaps between them are counted."""


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Title and subtitle, wrapped to the width of their figure."""

    title: str
    subtitle: str = ""

    @classmethod
    def of(cls, trials: pd.DataFrame, learned: Learned, title: str, what: str, width: float) -> Heading:
        """The grid's title; what is learned, protocols and seeds; then `what` the figure shows. `width`:
        inches."""
        inches = width - 2 * style.MARGIN
        measured = "  \N{MIDDLE DOT}  ".join(
            (
                learned.title,
                labels.one_line(labels.of_trials(trials)),
                seeds_text(trials["seed"].unique().tolist()),
            )
        )
        return cls(
            title=texts.wrapped(title, inches, style.TITLE, bold=True),
            subtitle=texts.wrapped(f"{measured}\n{what}", inches, style.TICK),
        )

    @property
    def height(self) -> float:
        """Inches from the top of the figure to the end of the subtitle."""
        title, subtitle = (text.count("\n") + 1 for text in (self.title, self.subtitle))
        return 0.18 + (title * style.TITLE * 1.35 + subtitle * style.TICK * 1.5) / 72

    def draw(self, fig: Figure) -> None:
        """Write both at the upper left."""
        w, h = fig.get_size_inches()
        below = 0.15 + (self.title.count("\n") + 1) * style.TITLE * 1.35 / 72
        title = fig.text(style.MARGIN / w, 1 - 0.12 / h, self.title, size=style.TITLE, va="top")
        title.set(weight="bold", linespacing=1.2)
        subtitle = fig.text(style.MARGIN / w, 1 - below / h, self.subtitle, size=style.TICK, va="top")
        subtitle.set(color="0.25", linespacing=1.3)


def seeds_text(seeds: Sequence[int]) -> str:
    """seed 0; seeds 0 to 4; seeds 0, 3, 7; 20 seeds between 0 and 99."""
    s = sorted(seeds)
    if len(s) == 1:
        return f"seed {s[0]}"
    if len(s) > 2 and s == list(range(s[0], s[-1] + 1)):
        return f"seeds {s[0]} to {s[-1]}"
    if len(s) > LISTED:
        return f"{len(s)} seeds between {s[0]} and {s[-1]}"
    return "seeds " + ", ".join(map(str, s))
