"""The protocol's field for the yardstick: initial weights changed by 1e-7, to see how far counts move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from harness.common.frozen import Frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RELATIVE_NOISE = 1e-7
"""About the resolution of float32, so that it stands for rounding alone."""


class Perturbation(Frozen):
    """Which draw of the noise, if any."""

    perturbation: int = Field(
        0,
        ge=0,
        lt=2**32,
        description="which draw of a relative noise of 1e-7 on the initial weights; 0: none",
    )


def perturbed(parts: Sequence[NDArray[np.float64]], draw: int, seed: int) -> list[NDArray[np.float64]]:
    """The weights, part by part, each times 1 + 1e-7 u, u uniform in (-1, 1); draw 0: as they are.

    The factors of each part, draw and seed are independent of all others.
    """
    from harness.problems.streams import Purpose, uniform  # late: it loads numpy

    if draw == 0:
        return list(parts)
    places = (draw << 16 | at for at in range(len(parts)))  # no network has 2^16 parts
    return [
        values * (1 + RELATIVE_NOISE * (2 * uniform(seed, Purpose.PERTURBATION, place, *values.shape) - 1))
        for place, values in zip(places, parts, strict=True)
    ]
