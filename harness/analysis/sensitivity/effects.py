"""The effects of an analysis of variance, grouped as they are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from harness.analysis.sensitivity.shares import JOINT, SEED


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """Shares of the variance that add up to 1."""

    factors: dict[str, float]
    """The main effect of each factor."""
    joint: dict[tuple[str, ...], float]
    """The interactions of factors with each other, such as alpha0 and beta0."""
    of_seed: dict[str, float]
    """All that involves the seed: `seed`, `alpha0:seed`. Empty where there is one seed."""

    @property
    def interactions(self) -> float:
        """All of them together."""
        return sum(self.joint.values())

    @property
    def seed(self) -> float:
        """All that involves the seed."""
        return sum(self.of_seed.values())

    @property
    def largest(self) -> tuple[tuple[str, ...], float] | None:
        """The factors of the largest interaction, and its share; None: there is none, or all are 0."""
        names = max(self.joint, key=lambda some: self.joint[some], default=())
        return (names, self.joint[names]) if names and self.joint[names] > 0 else None


def grouped(effects: Mapping[str, float], factors: Collection[str]) -> Grouped:
    """Effect -> share, as `shares.variance_shares` names them, by what takes part: a single one of the
    `factors`, several of them, or the seed."""
    # The seed is the last in the name of an effect; what stands before may have a colon of its own.
    of_seed = {
        name: share
        for name, share in effects.items()
        if name not in factors and name.split(JOINT)[-1] == SEED
    }
    rest = {name: share for name, share in effects.items() if name not in of_seed}
    return Grouped(
        factors={name: rest[name] for name in factors if name in rest},
        joint={_parts(name, factors): share for name, share in rest.items() if name not in factors},
        of_seed=of_seed,
    )


def _parts(interaction: str, factors: Collection[str]) -> tuple[str, ...]:
    """`alpha0:beta0` -> alpha0, beta0."""
    parts: list[str] = []
    for part in interaction.split(JOINT):
        if parts and parts[-1] not in factors:
            parts[-1] += JOINT + part  # the colon is in the factor's own name
        else:
            parts.append(part)
    return tuple(parts)
