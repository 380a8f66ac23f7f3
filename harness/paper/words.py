"""Rates and counts as text."""

from __future__ import annotations

import math
from typing import Any

from harness.paper.judging.logic import Bounds


def rate(value: float) -> str:
    """A rate as people write it: 1e-3, 0.3, 1, 100."""
    mantissa, exponent = f"{value:e}".split("e")
    power = f"{float(mantissa):g}e{int(exponent)}"
    return power if abs(value) < 0.1 or power == "1e-1" else f"{value:g}"


def at(rates: tuple[float, float]) -> str:
    """Two rates in brackets: (1e-3, 1e-5)."""
    return f"({rate(rates[0])}, {rate(rates[1])})"


def shown(value: float) -> float | str | None:
    """A count, or a number computed from counts, for JSON; None: not known."""
    if math.isnan(value) or math.isinf(value):
        return None if math.isnan(value) else "miss"
    return int(value) if value == int(value) else round(value, 4)


def in_words(count: float, target: float, budget: int) -> str:
    """A count in words, to follow `MAML`."""
    if math.isnan(count):
        return f"was not run long enough to tell whether it reaches {target:g}"
    if math.isinf(count):
        return f"did not reach {target:g} in {budget} iterations"
    return f"took {int(count)} iterations to reach {target:g}"


def bounds_shown(bounds: Bounds) -> dict[str, Any]:
    """Bounds for JSON: inf, which means no bound, becomes None."""
    return {"least": shown(bounds.low), "most": None if math.isinf(bounds.high) else shown(bounds.high)}
