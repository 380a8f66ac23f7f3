"""Names beside marks, so that none lies over another, a mark or a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

# Inches.
HALF, THIN = 0.045, 0.015
NEAR = (0.03, 0.1, 0.2, 0.32, 0.46, 0.62, 0.8, 1.0, 1.3)
NEARER = 0.02
"""What it costs, in square inches, that another mark is nearer to a name than its own."""
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A mark and its name. Inches from the lower left of the axes."""

    at: Point
    text: str
    size: Point
    """Width and height of the name."""
    bars: Sequence[Point] = ()
    """The ends of its intervals."""


def placed(marks: Sequence[Mark], room: Point) -> list[Point]:
    """The middle of each name: the nearest place where it covers nothing and stays in the axes (width and
    height `room`); where there is none, that which covers the least. The crowded ones choose first."""
    taken = [box for mark in marks for box in _obstacles(mark)]
    order = sorted(range(len(marks)), key=lambda at: (-_neighbours(marks, at), at))
    found: dict[int, Point] = {}
    for at in order:
        mark = marks[at]
        places = _candidates(mark)
        others = [other.at for i, other in enumerate(marks) if i != at]
        costs = [
            _cost(mark, place, taken, room) + NEARER * ambiguous(mark, place, others) for place in places
        ]
        found[at] = places[int(np.argmin(costs))]
        taken += [_box(mark, found[at]), *_line(mark, found[at])]
    return [found[at] for at in range(len(marks))]


def ambiguous(mark: Mark, middle: Point, others: Sequence[Point]) -> bool:
    """Whether another mark, at one of `others`, is as near to a name with this middle as its own."""
    box = np.array(_box(mark, middle))

    def far(at: Point) -> float:
        return float(np.hypot(*(np.clip(at, box[:2], box[2:]) - at)))

    return any(far(other) < far(mark.at) + HALF for other in others)


def _neighbours(marks: Sequence[Mark], at: int) -> int:
    mine = np.array(marks[at].at)
    return sum(np.hypot(*(mine - other.at)) < 0.6 for other in marks)


def _obstacles(mark: Mark) -> list[Box]:
    x, y = mark.at
    bars = [(min(x, a) - THIN, min(y, b) - THIN, max(x, a) + THIN, max(y, b) + THIN) for a, b in mark.bars]
    return [(x - HALF, y - HALF, x + HALF, y + HALF), *bars]


def _candidates(mark: Mark) -> list[Point]:
    """From near to far, all around."""
    (x, y), (w, h) = mark.at, mark.size
    return [
        (x + a * (HALF + near + w / 2), y + b * (HALF + near * 0.8 + h / 2))
        for near in NEAR
        for a, b in DIRECTIONS
    ]


def _box(mark: Mark, middle: Point) -> Box:
    (x, y), (w, h) = middle, mark.size
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _line(mark: Mark, middle: Point) -> list[Box]:
    """Points of the line from a mark to a name that stands off."""
    box = _box(mark, middle)
    end = np.clip(mark.at, box[:2], box[2:])
    steps = np.linspace(mark.at, end, 12)[2:-1]
    return [(x - THIN, y - THIN, x + THIN, y + THIN) for x, y in steps.tolist()]


def _cost(mark: Mark, middle: Point, taken: Sequence[Box], room: Point) -> float:
    """The area that is covered, or lies outside; and that which its line crosses."""
    box = _box(mark, middle)
    inside = _overlap(box, (0, 0, *room))
    outside = mark.size[0] * mark.size[1] - inside
    covered = sum(_overlap(box, other) for other in taken)
    own = set(_obstacles(mark))
    crossed = sum(
        _overlap(point, other) for point in _line(mark, middle) for other in taken if other not in own
    )
    return round(10 * outside + covered + crossed, 6)


def _overlap(a: Box, b: Box) -> float:
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(across, 0.0) * max(down, 0.0)
