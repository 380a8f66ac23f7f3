"""Intervals at 95 %. scipy.special is enough for them: scipy.stats takes more than half a second to load."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

_UPPER = 0.975


def standard_error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[..., n] -> [...]: of the mean of n values; NaN where one is infinite, or n is 1."""
    count = values.shape[-1]
    if count == 1:
        return np.full(values.shape[:-1], np.nan)
    with np.errstate(invalid="ignore"):
        return np.asarray(values.std(-1, ddof=1) / np.sqrt(count))


def student(count: int) -> float:
    """How many standard errors to either side of the mean of `count` values the interval reaches, by
    Student's t; NaN: of one value."""
    return float(stdtrit(count - 1, _UPPER)) if count > 1 else np.nan


def wilson(count: int, total: int) -> tuple[float, float]:
    """The lower and the upper end of the interval of a share, `count` of `total`, total > 0 (Wilson 1927; as
    in Newcombe 1998, method 3)."""
    share, z = count / total, ndtri(_UPPER)
    scale = 2 * (total + z**2)
    middle = (2 * total * share + z**2) / scale
    half = z / scale * sqrt(4 * total * share * (1 - share) + z**2)
    return (0.0 if count == 0 else float(middle - half), 1.0 if count == total else float(middle + half))
