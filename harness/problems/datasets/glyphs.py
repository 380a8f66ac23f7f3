"""The embedded data set: letters of the DejaVu Sans fonts that matplotlib ships, drawn by 20 drawers.

A letter is reduced to its centre lines, which each drawer redraws in their own hand: a drawing moves the
lines by a random cubic map of the plane, whose constant part is a shift, whose linear part is rotation, shear
and scale, and whose rest is a smooth elastic displacement, and traces them with a pen of its own width. The
spreads below bring the mean ink, the size and the 20-way accuracy of nearest neighbours near Omniglot's. A
drawing depends on its letter, its drawer and SEED alone.

The fonts' notice is DEJAVU-LICENSE.txt beside this file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from harness.problems.datasets.base import CHARACTERS, DRAWERS, Contents, Dataset, cached

STYLES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique")
HANDS = DRAWERS // len(STYLES)
"""Drawer d has style d % 4 and hand d // 4."""

SEED = int.from_bytes(b"glyphs")
VERSION = 1
"""Of the drawings: raise it whenever a pixel changes, so that no old cache stays in use."""

SIZE = 64
"""Pixels of the em in which letters are rendered before they are thinned."""
SMALLEST = 8
"""Letters with less than this from centre to edge (of SIZE) are left out: dots and the smallest modifiers."""
ALIKE = 0.93
"""Two letters are twins if the cosine of their plain drawings at 14 x 14 pixels is above this."""

# Half-widths of the uniform spreads; a hand adds half as much, the same for every letter it draws.
REACH = 8.4  # pixels from a letter's centre to its further edge
REACH_SPREAD = 0.18  # of REACH
TURN = np.radians(15)
SHIFT, ALONG, ACROSS, BEND, WAVE = 0.12, 0.2, 0.3, 0.10, 0.14  # of REACH
PEN, PEN_SPREAD = 1.7, 0.4  # ink of a line per pixel of its length, in full pixels
NIB = 0.45  # pixels: a pen has two points, this far from its centre at most
DOT = 8.0  # ink of a dot, as a length of line in pixels of SIZE


def load(resize: str = "lanczos") -> Dataset:
    """The glyphs. `resize` is ignored: they are drawn at 28 x 28. They need no network and no files."""
    del resize
    key = f"glyphs-v{VERSION}-matplotlib{version('matplotlib')}-pillow{version('pillow')}"
    return cached("glyphs", key, build)


def build() -> Contents:
    """The first 1,623 letters by code point that are not twins of an earlier one, drawn by all drawers."""
    codes = distinct(letters())[:CHARACTERS]
    return draw(codes), tuple(f"U+{code:04X} {chr(code)}" for code in codes)


def letters() -> list[int]:
    """Code points, ascending, of the letters (Unicode categories L*) that exist in all four styles."""
    from matplotlib.ft2font import FT2Font

    have = set.intersection(*(set(FT2Font(str(_font(style))).get_charmap()) for style in STYLES))
    return [code for code in sorted(have) if unicodedata.category(chr(code)).startswith("L")]


def distinct(codes: Sequence[int]) -> list[int]:
    """Those that are large enough and not twins of an earlier one that was kept."""
    lines = centre_lines(STYLES[0], codes)
    x, y = 13.5 + REACH * lines.x, 13.5 + REACH * lines.y
    plain = _ink(len(codes), lines.letter, x, y, lines.weight * REACH * PEN)
    rows = plain.astype(float).reshape(-1, 14, 2, 14, 2).sum((2, 4)).reshape(len(codes), -1)
    dots = rows @ rows.T  # of whole numbers: exact, so the choice is the same on every machine
    norms = np.sqrt(np.diag(dots))
    twins = dots > ALIKE * np.outer(norms, norms)
    taken: list[int] = []
    for k in np.flatnonzero(lines.reach >= SMALLEST):
        if not twins[k, taken].any():
            taken.append(int(k))
    return [codes[k] for k in taken]


def draw(codes: Sequence[int]) -> np.ndarray:
    """uint8 [letters, 20 drawers, 28, 28], 255 = ink."""
    maps, nibs, pens = hands(codes)
    images = np.empty((len(codes), DRAWERS, 28, 28), np.uint8)
    for s, style in enumerate(STYLES):
        lines = centre_lines(style, codes)
        x, y = lines.x, lines.y
        terms = (np.ones_like(x), x, y, x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y)
        for drawer in range(s, DRAWERS, len(STYLES)):
            which = lines.letter
            to_x, to_y = (
                13.5 + sum(maps[:, drawer, axis, k][which] * term for k, term in enumerate(terms))
                for axis in (0, 1)
            )
            nib_x, nib_y = nibs[:, drawer].T[:, which]
            weight = lines.weight * pens[which, drawer]
            x_of_nib = np.r_[to_x - nib_x, to_x + nib_x]
            y_of_nib = np.r_[to_y - nib_y, to_y + nib_y]
            images[:, drawer] = _ink(
                len(codes), np.r_[which, which], x_of_nib, y_of_nib, np.r_[weight, weight] / 2
            )
    return images


def hands(codes: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How each drawer draws each letter: cubic maps [letters, 20, 2 axes, 10 terms] in pixels, nibs
    [letters, 20, 2 axes] in pixels, and pens [letters, 20], the ink of a line of length 1.

    One stream per letter and one for the hands, so a letter's drawings do not depend on the other letters."""
    width = 2 * 10 + 2 + 3  # map, nib, turn, reach, pen
    own = np.stack([_uniform(code, (DRAWERS, width)) for code in codes])
    shared = _uniform(0, (HANDS, width)).repeat(len(STYLES), axis=0)
    spread = own + 0.5 * shared
    maps, nibs = spread[..., :20].reshape(*own.shape[:2], 2, 10), spread[..., 20:22]
    turn, reach, pen = np.moveaxis(spread[..., 22:], -1, 0)
    bend, wave = [BEND] * 3, [WAVE] * 4
    maps = maps * [[SHIFT, ALONG, ACROSS, *bend, *wave], [SHIFT, ACROSS, ALONG, *bend, *wave]]
    maps[..., 0, 1:3] += np.stack([np.ones_like(turn), -TURN * turn], axis=-1)
    maps[..., 1, 1:3] += np.stack([TURN * turn, np.ones_like(turn)], axis=-1)
    reach = REACH * (1 + REACH_SPREAD * reach)
    return maps * reach[..., None, None], NIB * nibs, reach * (PEN + PEN_SPREAD * pen)


def _uniform(stream: int, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers in [-1, 1) from the named stream: a letter's code point, or 0 for the hands."""
    return np.random.Generator(np.random.Philox(key=[SEED, stream])).uniform(-1, 1, shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """Centre lines as points, letter by letter, for n letters; a letter reaches from -1 to 1."""

    letter: np.ndarray  # int [points], ascending: 0 ... n - 1
    x: np.ndarray  # float [points], to the right
    y: np.ndarray  # float [points], downwards
    weight: np.ndarray  # float [points]: the length of line that the point stands for
    reach: np.ndarray  # float [n]: half the longer side before it was scaled to 1, in pixels of SIZE


def centre_lines(style: str, codes: Sequence[int]) -> Lines:
    """The letters of one style, thinned to lines one pixel wide, centred and scaled."""
    line = thin(render(style, codes))
    letter, y, x = np.nonzero(line)
    first = np.searchsorted(letter, np.arange(len(codes)))
    low = np.stack([np.minimum.reduceat(v, first) for v in (x, y)])
    high = np.stack([np.maximum.reduceat(v, first) for v in (x, y)])
    middle, reach = (low + high) / 2, np.maximum((high - low).max(axis=0) / 2, 1.0)

    flat, points = line.ravel().astype(float), np.flatnonzero(line)
    offsets = _offsets(line)
    straight = sum(flat[points + o] for o in offsets[::2])
    oblique = sum(flat[points + o] for o in offsets[1::2])
    length = straight / 2 + oblique * np.sqrt(0.5)  # half of the way to each neighbour
    length = np.where(length == 0, DOT, length)
    return Lines(
        letter=letter,
        x=(x - middle[0, letter]) / reach[letter],
        y=(y - middle[1, letter]) / reach[letter],
        weight=length / reach[letter],
        reach=reach,
    )


def render(style: str, codes: Sequence[int]) -> np.ndarray:
    """bool [letters, height, width], True = ink, each in the middle of a frame with an empty border."""
    from PIL import ImageFont

    font = ImageFont.truetype(_font(style), SIZE, layout_engine=ImageFont.Layout.BASIC)
    masks = [font.getmask(chr(code), mode="L") for code in codes]
    width, height = (max(mask.size[axis] for mask in masks) + 2 for axis in (0, 1))
    frames = np.zeros((len(codes), height, width), bool)
    for frame, mask in zip(frames, masks, strict=True):
        w, h = mask.size
        top, left = (height - h) // 2, (width - w) // 2
        frame[top : top + h, left : left + w] = np.frombuffer(bytes(mask), np.uint8).reshape(h, w) > 127
    return frames


def thin(masks: np.ndarray) -> np.ndarray:
    """The lines that are left when ink is removed from all sides at once (Zhang and Suen 1984).

    bool [letters, height, width] in and out. Only ink is visited, all letters together, in about 20
    rounds."""
    flat = masks.astype(np.uint8).ravel()
    ink, before = np.flatnonzero(flat), -1
    while ink.size != before:
        before = ink.size
        for removable in _removable():
            neighbours = np.zeros(ink.size, np.uint8)
            for bit, offset in enumerate(_offsets(masks)):
                neighbours |= flat[ink + offset] << bit
            gone = removable[neighbours]
            flat[ink[gone]] = 0
            ink = ink[~gone]
    return flat.reshape(masks.shape).astype(bool)


def _offsets(frames: np.ndarray) -> tuple[int, ...]:
    """From a pixel to its 8 neighbours in flat order: north, then clockwise."""
    width = frames.shape[2]
    return (-width, -width + 1, 1, width + 1, width, width - 1, -1, -width - 1)


@cache
def _removable() -> tuple[np.ndarray, np.ndarray]:
    """Whether a pixel with these neighbours (one bit each) goes, bool [256], in the two half-rounds."""
    bits = [(np.arange(256) >> k) & 1 for k in range(8)]
    n, e, s, w = bits[::2]
    count = sum(bits)
    rises = sum((bits[k] == 0) & (bits[(k + 1) % 8] == 1) for k in range(8))
    edge = (count >= 2) & (count <= 6) & (rises == 1)
    return edge & (n * e * s == 0) & (e * s * w == 0), edge & (n * e * w == 0) & (n * s * w == 0)


def _ink(letters: int, letter: np.ndarray, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Put `weight` of ink at each point of its `letter`, shared by the four pixels around it.

    All but the first [points]. Returns uint8 [letters, 28, 28], 255 = ink.

    A line that leaves the frame (about 0.1% of their total length) continues along its border."""
    x, y = np.clip(x, 0, 26.999), np.clip(y, 0, 26.999)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, bottom = x - left, y - top
    corner = (letter * 28 + top) * 28 + left
    size = letters * 28 * 28
    ink = np.bincount(corner, weight * (1 - right) * (1 - bottom), size)
    ink += np.bincount(corner + 1, weight * right * (1 - bottom), size)
    ink += np.bincount(corner + 28, weight * (1 - right) * bottom, size)
    ink += np.bincount(corner + 29, weight * right * bottom, size)
    return np.rint(255 * np.minimum(ink, 1)).astype(np.uint8).reshape(-1, 28, 28)


def _font(style: str) -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{style}.ttf"
