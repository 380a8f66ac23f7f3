"""Where the panels of a heatmap stand, and what is written above them.

Panels that fill a table, every row with every column, have a header for each row and each column; others have
a title each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.labels import positions
from harness.analysis.labels import words as in_words
from harness.analysis.summary import equal, hyper_columns, setting_columns
from harness.plots import style, texts

# Inches.
LEFT, BOTTOM, GAP, TITLE_LINE, BOX_GAP, BAND_GAP = 0.68, 0.5, 0.22, 0.19, 0.13, 0.08
SIDES, SQUEEZED = (0.285, 0.45), 0.385
HIGHEST = 9.0  # of a table of panels, if squares of SIDES' least allow it

PROTOCOL = "protocol"
"""The key that stands for preset and changes."""


@dataclass(frozen=True, kw_only=True)
class Headers:
    """What tells the rows of a table of panels apart, and what its columns: keys of Arrangement.said."""

    rows: Sequence[str]
    columns: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """What is drawn where. Lengths in inches."""

    x: str
    y: str
    shared: list[str]
    """The hyper-parameters that are the same all over a panel, as are its method and its protocol."""
    protocols: Mapping[tuple[str, str], str]
    """(preset, changes) -> words."""
    xs: list[float]
    ys: list[float]
    """From top to bottom: the largest first."""
    numbers: texts.Numbers
    """The texts of all values."""
    several: bool
    """Whether more than one method has panels, so that what stands above them has to name it."""
    rows: list[list[pd.DataFrame]]
    """The panels, row by row."""
    headers: Headers | None
    """None: each panel has a title."""
    beside: pd.DataFrame
    """The baselines: cells of the methods that lack x or y."""
    tuned: pd.Index
    """Those of MAML that are its fastest under their protocol: labels of `beside`."""
    words: float
    """Width of the widest name or value above a panel."""
    side: float
    """Side of a cell."""

    @property
    def panel(self) -> tuple[float, float]:
        """Width and height of a panel."""
        return len(self.xs) * self.side, len(self.ys) * self.side

    @property
    def box(self) -> float:
        """From the left of a panel to the box beside it; beside a flat panel the box clears its title too."""
        titled = self.flat and self.headers is None
        return BOX_GAP + (max(self.panel[0], 1.6, self.words) if titled else self.panel[0])

    @property
    def flat(self) -> bool:
        """Whether the box beside a panel reaches up to what stands above the panel."""
        return len(self.ys) == 1 and len(self.beside) > 0

    @property
    def slot(self) -> float:
        """From the left of one panel to the left of the next: cells, the box beside them, a gap."""
        across = self.box + max(self.side, 0.4) if len(self.beside) else self.panel[0]
        return GAP + max(across, 1.7, self.words)

    @property
    def across(self) -> float:
        """From the left of the figure to the end of the longest row."""
        return self.left + max(map(len, self.rows)) * self.slot

    @property
    def height(self) -> float:
        """Of all rows and what stands above them."""
        return self.above + len(self.rows) * (self.head + self.panel[1] + GAP)

    @property
    def left(self) -> float:
        """From the left of the figure to the first panel: the name and the labels of y."""
        return max(LEFT, 0.33 + texts.widest(self.numbers[self.y].values(), style.TICK))

    @property
    def upright(self) -> bool:
        """Whether the labels of x are rotated: side by side they would overlap."""
        pitch = self.side if len(self.xs) > 1 else 1.0
        return texts.widest(self.numbers[self.x].values(), style.TICK) > pitch - 0.02

    @property
    def bottom(self) -> float:
        """Below the last row of panels: the labels and the name of x."""
        labels = texts.widest(self.numbers[self.x].values(), style.TICK) if self.upright else 0.0
        return BOTTOM + max(labels - style.TICK / 72, 0.0)

    def title(self, first: pd.Series) -> str:
        """The title of the panel that `first` is a cell of; empty if it has headers."""
        if self.headers:
            return ""
        room = self.box - BOX_GAP / 2 if self.flat else self.slot - GAP / 2
        return self._lines(first, ["method", *self.shared, PROTOCOL], room)

    @property
    def column_headers(self) -> list[str]:
        """Of each column of a table."""
        assert self.headers
        room = self.slot - GAP / 2
        return [self._lines(panel.iloc[0], self.headers.columns, room) for panel in self.rows[0]]

    @property
    def row_headers(self) -> list[str]:
        """Of each row of a table, as wide as the row."""
        assert self.headers
        room, keys = self.across - GAP - style.MARGIN, self.headers.rows
        parts = (self._parts(row[0].iloc[0], keys, room) for row in self.rows)
        return [texts.flow([part for line in lines for part in line], room, style.LABEL) for lines in parts]

    def _lines(self, first: pd.Series, keys: Sequence[str], room: float) -> str:
        lines = self._parts(first, keys, room)
        return "\n".join(texts.flow(line, room, style.LABEL, most=2) for line in lines)

    def _parts(self, first: pd.Series, keys: Sequence[str], room: float) -> Iterator[list[str]]:
        """The method, the values and the protocol of a panel, as far as the keys tell them."""
        if "method" in keys and self.several:
            yield [texts.literal(texts.method(first["method"]))]
        if values := texts.values(first, [key for key in self.shared if key in keys], self.numbers):
            yield values
        if PROTOCOL in keys and len(self.protocols) > 1:
            protocol = self.protocols[first["preset"], first["changes"]]
            yield [texts.wrapped(protocol, room, style.LABEL)]

    @property
    def above(self) -> float:
        """Height of the headers of the columns."""
        return TITLE_LINE * most_lines(self.column_headers) if self.headers else 0.0

    @property
    def head(self) -> float:
        """Height of the panels' titles, or of a row's header."""
        if self.headers:  # the name of a box beside a flat panel is higher than the panel
            return TITLE_LINE * (most_lines(self.row_headers) + self.flat) + BAND_GAP
        return TITLE_LINE * most_lines(self.title(panel.iloc[0]) for row in self.rows for panel in row)

    def baselines(self, first: pd.Series) -> pd.DataFrame:
        """Those of the panel that `first` is a cell of: they share every setting they have with it."""
        keys = [*self.shared, "preset", "changes"]
        same = [self.beside[key].isna() | equal(self.beside[key], first[key]) for key in keys]
        return self.beside[np.logical_and.reduce(same)]


def most_lines(headers: Iterator[str] | Sequence[str]) -> int:
    """Of the longest of these texts."""
    return max(text.count("\n") + 1 for text in headers)


def arrange(trials: pd.DataFrame, summed: pd.DataFrame, figure: dict[str, Any], room: float) -> Arrangement:
    """Where everything goes; `summed` as from cells_over_seeds, `room`: inches that a square needs."""
    x, y = figure["x"], figure["y"]
    inside = summed[summed[x].notna() & summed[y].notna()]
    keys = ["method", *(key for key in setting_columns(trials) if key not in (x, y))]
    panels = [panel for _, panel in inside.groupby(keys, sort=False, dropna=False)]
    xs, ys = sorted(inside[x].unique()), sorted(inside[y].unique(), reverse=True)
    shared = [key for key in hyper_columns(trials) if key not in (x, y)]
    beside = summed.drop(inside.index)
    natural = max(float(np.clip(1.7 / max(len(xs), len(ys)), *SIDES)), room)  # larger in a small panel
    loose = Arrangement(
        x=x,
        y=y,
        shared=shared,
        protocols=in_words(trials),
        xs=xs,
        ys=ys,
        numbers=texts.numbers_of(trials, [x, y, *shared]),
        several=inside["method"].nunique() > 1,
        rows=[],
        headers=None,
        beside=beside,
        tuned=fastest(beside, x, y),
        words=0.0,
        side=natural,
    )
    sides = [natural, *(min(natural, max(side, room)) for side in (SQUEEZED, SIDES[0]))]
    lead = [*figure.get("panels", ())][:1]
    for headers, rows in _tables(panels, shared, list(dict.fromkeys((*lead, "method")))):
        table = replace(loose, headers=headers, rows=rows, words=_widest(loose, panels, headers.columns))
        fit = [one for side in sides if (one := replace(table, side=side)).across <= style.page().widest]
        if fit:
            return next((one for one in fit if one.height <= HIGHEST), fit[-1])
    titled = replace(loose, words=_widest(loose, panels, ["method", *shared]))
    blocks = _blocks(panels, ["preset", "changes"] if lead == [PROTOCOL] else lead)
    both = [replace(titled, side=side) for side in sides[:2]]
    widest = style.page().widest
    both = [replace(one, rows=_rows(blocks, int((widest - one.left) / one.slot))) for one in both]
    return min(both, key=lambda one: len(one.rows))  # smaller cells only if that saves rows


def fastest(beside: pd.DataFrame, x: str, y: str) -> pd.Index:
    """The cells of MAML beside the panels from whose rates it reaches the target first, under each protocol;
    more than one in a tie. A cell that has x or y is left out: its rates are not those of a whole panel."""
    maml = beside[(beside["method"] == "maml") & beside[x].isna() & beside[y].isna()]
    maml = maml[maml["state"] == "reached"]
    counts = maml["iterations_to_target"]
    return maml.index[counts == counts.groupby([maml["preset"], maml["changes"]]).transform("min")]


def _widest(placed: Arrangement, panels: Sequence[pd.DataFrame], keys: Sequence[str]) -> float:
    """Of the names of methods and of the values that these keys tell."""
    shared = [key for key in placed.shared if key in keys]
    firsts = [panel.iloc[0] for panel in panels]
    words = [texts.literal(texts.method(first["method"])) for first in firsts if "method" in keys]
    words += [text for first in firsts for text in texts.values(first, shared, placed.numbers)]
    return texts.widest(dict.fromkeys(words), style.LABEL)


def _tables(
    panels: Sequence[pd.DataFrame], shared: Sequence[str], leads: Sequence[str]
) -> Iterator[tuple[Headers, list[list[pd.DataFrame]]]]:
    """Tables that the panels fill, of two rows and columns at least: a row for each value of one of `leads`
    and of what follows from it; or a column."""
    firsts = pd.concat([panel.iloc[:1] for panel in panels])
    firsts = firsts.assign(**{PROTOCOL: positions(firsts)})
    keys = ["method", *shared, PROTOCOL]

    def numbered(by: Sequence[str]) -> pd.Series:
        return firsts.groupby([*by], sort=False, dropna=False).ngroup()

    def follows(key: str, lead: str) -> bool:
        return bool(
            firsts[key].nunique(dropna=False) > 1 and numbered([lead, key]).max() == numbered([lead]).max()
        )

    for lead in leads:
        own = [key for key in keys if key == lead or follows(key, lead)]
        rest = [key for key in keys if key not in own]
        if not rest:
            continue
        for down, along in ((own, rest), (rest, own)):
            rows, columns = numbered(down), numbered(along)
            high, wide = int(rows.max()) + 1, int(columns.max()) + 1
            if min(high, wide) > 1 and high * wide == len(panels):
                at = dict(zip(zip(rows, columns, strict=True), panels, strict=True))
                table = [[at[row, column] for column in range(wide)] for row in range(high)]
                yield Headers(rows=down, columns=along), table


def _blocks(panels: list[pd.DataFrame], lead: list[str]) -> list[list[pd.DataFrame]]:
    """Panels that share rows: those of one value of `lead`, the first column that the grid names for panels;
    if each of these had a single panel, those of one method; else all of them."""
    for keys in (["method", *lead], ["method"]):
        blocks: dict[tuple, list[pd.DataFrame]] = {}
        for panel in panels:
            blocks.setdefault(tuple(panel[key].iloc[0] for key in keys), []).append(panel)
        if any(len(block) > 1 for block in blocks.values()):
            return list(blocks.values())
    return [panels]


def _rows(blocks: list[list[pd.DataFrame]], fit: int) -> list[list[pd.DataFrame]]:
    """Each block in even rows of at most `fit` panels, at least one."""
    rows, fit = [], max(fit, 1)
    for block in blocks:
        columns = math.ceil(len(block) / math.ceil(len(block) / fit))
        rows += [block[k : k + columns] for k in range(0, len(block), columns)]
    return rows
