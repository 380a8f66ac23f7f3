"""What the paper's words are taken to mean, fixed before any claim is judged: in numbers and in sentences."""

from __future__ import annotations

TARGETS = (2.5, 2.99)
"""Training losses of Figures 2 and 3, nats."""
BUDGET = 500
"""Iterations that the paper gave each cell."""
PAPER_COUNT = 165
"""Iterations of MAML at (1e-4, 1e-6) to 2.99, says Figure 3."""

DIAGONALS = {
    "paper-adam": ((1e-1, 1e-3), (1e-2, 1e-4), (1e-3, 1e-5), (1e-4, 1e-6), (1e-5, 1e-7)),
    "paper-sgd": ((1.0, 1e-1), (1e-1, 1e-2), (1e-2, 1e-3), (1e-3, 1e-4), (1e-4, 1e-5)),
}
"""(alpha0, beta0) of Figure 2's panels by preset, from the tuned pair down by decades."""
TUNED = DIAGONALS["paper-adam"][0]
"""That of the original MAML."""
UNTUNED = DIAGONALS["paper-adam"][2:]
"""The pairs that the paper names."""

FAST = 2.0
AS_FAST = 1.25
VERY_SLOW = 5.0
SIMILAR = 0.1
"""Nats."""

HALF = (0.4, 0.6)
WIDE, WIDE_WEAK = 0.5, 0.25
MOST = 0.5
FEW_ITERATIONS = 15
NEARLY_ALL = 0.9
NEARLY_ALWAYS = 0.95

ENOUGH_SEEDS = 5
ENOUGH_VALUES = 3
"""Of each hyper-rate."""

SENTENCES = {
    "count": "the first iteration, counted from 1, whose training loss is at or below the target; sustained: "
    "the first at which the mean of the last 10 losses is, which lags by construction",
    "miss": f"a run of {BUDGET} iterations without a passage, or one that diverged; it is slower than any "
    "count and ties with another miss",
    "tuned": "the pair of initial rates at the top of Figure 2's diagonal: (1e-1, 1e-3) under paper-adam, "
    "that of the original MAML. The pairs that the paper names lie 2, 3 and 4 decades below it, and so they "
    "are read under paper-sgd, whose diagonal starts from MAML's fastest pair there, (1, 1e-1)",
    "fast": f"at most {FAST:g} times the count of MAML's fastest pair for that target; Alpha-MAML is fast "
    f"too if it takes at most {AS_FAST:g} times MAML's count",
    "very slow": f"at least {VERY_SLOW:g} times the count of MAML's fastest pair for that target, or a miss",
    "some": "at least one choice of the hyper-rates",
    "half": f"a share between {HALF[0]:g} and {HALF[1]:g}; weak: any share above 0",
    "wide range": f"a share of at least {WIDE:g}; weak: {WIDE_WEAK:g}",
    "most": f"a share above {MOST:g}",
    "all": f"every choice of the hyper-rates; weak: at least {NEARLY_ALL:g} of them",
    "always": f"in every cell; weak: in at least {NEARLY_ALWAYS:g} of them",
    "similar": f"smoothed final losses, means of the last 10, within {SIMILAR:g} nats",
    "advantage": "MAML's count less the median of Alpha-MAML's over the hyper-rates, a miss as the budget",
    "spread": "log10 of the largest count over the least, over the pairs of initial rates; a miss enters as "
    "the budget, or as the iterations of a run of MAML that went past it, so a spread with a miss in it is a "
    "lower bound",
    "choice of hyper-rates": f"a share is told where at least {ENOUGH_VALUES} values of each hyper-rate and "
    "half of their combinations were asked, and where it does not hang on the grid's edges: without the "
    "least or the largest decade of either the verdict does not turn into its opposite",
    "on few cells": "paper-adam judged once more, on just those cells that the readings beside it were all "
    "asked on, each run only as far as they all asked: where a reading of no more cells and no longer runs "
    "differs from it by more than rounding, the reading makes the difference, and not the choice of cells",
    "over seeds": "the predicate is judged seed by seed; it is told if all that can be told agree",
    "cannot be told": "cells not run leave bounds, and the verdict differs between them",
}
"""The same in words, for whoever reads a verdict."""


def rate(value: float) -> str:
    """A rate as one writes it: 1e-3, 0.3, 1, 100."""
    mantissa, exponent = f"{value:e}".split("e")
    power = f"{float(mantissa):g}e{int(exponent)}"
    return power if abs(value) < 0.1 or power == "1e-1" else f"{value:g}"


def at(rates: tuple[float, float]) -> str:
    """Two rates in brackets: (1e-3, 1e-5)."""
    return f"({rate(rates[0])}, {rate(rates[1])})"
