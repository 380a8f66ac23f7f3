"""What colours and lines mean, above a figure's panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.plots import style, texts

LINE, APART, BESIDE = 0.19, 0.2, 0.07  # inches


@dataclass(frozen=True, kw_only=True)
class Key:
    """Names beside samples of how they are drawn, in as many lines as they need."""

    words: Mapping[str, str]
    """Name -> what is written."""
    lines: list[list[tuple[float, str]]]
    """The names line by line, each with where it begins, in inches."""
    sample: float
    """Inches of a sample."""
    width: float
    """Inches of the figure."""

    @classmethod
    def of(cls, words: Mapping[str, str], sample: float, width: float) -> Key:
        """Laid out in a figure of this width, with samples of this width."""
        lines: list[list[tuple[float, str]]] = [[]]
        at, room = 0.0, width - 2 * style.MARGIN
        for name, text in words.items():
            needed = sample + BESIDE + texts.size(text, style.TICK)[0]
            if lines[-1] and at + needed > room:
                lines.append([])
                at = 0.0
            lines[-1].append((at, name))
            at += needed + APART
        return cls(words=words, lines=lines, sample=sample, width=width)

    @property
    def height(self) -> float:
        """Inches."""
        return LINE * len(self.lines)

    def draw(self, fig: Figure, top: float, draw: Callable[[Axes, float, float, str], None]) -> None:
        """`top`: inches; `draw` draws the sample of a name from (left, row) on, a row being 1 high."""
        room = self.width - 2 * style.MARGIN
        ax = style.axes_at(fig, style.MARGIN, top, room, self.height, label="key")
        ax.set(xlim=(0, room), ylim=(len(self.lines), 0))
        ax.axis("off")
        for row, line in enumerate(self.lines):
            for at, name in line:
                draw(ax, at, row, name)
                left = at + self.sample + BESIDE
                ax.text(left, row + 0.5, self.words[name], size=style.TICK, va="center_baseline")
