"""MAML (Finn et al. 2017), Algorithm 1 of the Alpha-MAML paper: both rates stay where they start."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from harness.methods import base


class Hyper(base.Hyper):
    """The two rates."""

    alpha0: base.Rate = Field(description="learning rate of the inner loop at iteration 1")
    beta0: base.Rate = Field(description="learning rate of the outer loop at iteration 1")

    def pace(self) -> float:
        """As with hyper-rates that are 0."""
        return base.decades(self.alpha0, self.beta0) + 2 * base.STILL


class MAML(base.Method):
    """theta <- theta - beta * direction(meta-gradient), Eq. 3."""

    name = "maml"
    title = "MAML"
    Hyper = Hyper

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """Algorithm 1, last line."""
        optimizer, direction = optimize(state.optimizer, meta.gradient)
        return state._replace(
            weights=base.descend(state.weights, state.beta, direction),  # Eq. 3
            optimizer=optimizer,
        )
