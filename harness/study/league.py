"""The league's grids, and what is taken for granted of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.common.errors import UserError

LEAGUE = ("league-5way", "league-5way-sum", "league-sinusoid")
FINE = "-fine"
"""After a grid's name: the grid of MAML alone with more levels, for its tuners."""
TARGETS = {"league-5way": 0.9, "league-5way-sum": 0.9, "league-sinusoid": 1.0}
"""Of the sustained training loss. It is a mean over queries in all three: loss_scale changes what is
differentiated, not what is recorded."""
MAML, ALPHA_MAML, ALPHA_MAML_LOG = "maml", "alpha-maml", "alpha-maml-log"
RATES = ("alpha0", "beta0")
"""Initial rates, which every contender has; what else a method brings are its own knobs."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The initial rates of a paper."""

    alpha0: float
    beta0: float
    source: str


LITERATURE = {
    "league-5way": Pair(
        alpha0=2.0,
        beta0=1e-3,
        source="Finn et al. 2017, Omniglot 5-way: 0.4 on a loss summed over a task's 5 images is 2 on a mean",
    ),
    "league-5way-sum": Pair(
        alpha0=0.4, beta0=1e-3, source="Finn et al. 2017, Omniglot 5-way: 0.4, Adam's rate 0.001"
    ),
    "league-sinusoid": Pair(
        alpha0=0.01, beta0=1e-3, source="Finn et al. 2017, sinusoid: 0.01, Adam's rate 0.001"
    ),
}


def fine(grid: str) -> str:
    """The companion of a grid, by name or path: `league-5way-fine`, `here/mine-fine.yaml`."""
    path = Path(grid)
    return str(path.with_stem(path.stem + FINE)) if path.suffix in (".yaml", ".yml") else grid + FINE


def known_target(grid: str) -> float | None:
    """That of one of the league's grids, or of the companion of one; None: it is neither."""
    return TARGETS.get(grid.removesuffix(FINE))


def target(grid: str, asked: float | None) -> float:
    """What a run has to reach. UserError: nobody says."""
    if asked is not None:
        return asked
    if grid not in TARGETS:
        raise UserError(f"{grid}: say with --target (make: TARGET=...) which training loss is a success")
    return TARGETS[grid]


def others(grid: str) -> list[str]:
    """The league's other grids, on which a default may be chosen."""
    return [name for name in LEAGUE if name != grid]
