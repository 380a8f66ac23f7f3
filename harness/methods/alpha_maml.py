"""Alpha-MAML (Behl, Baydin and Torr 2019), Algorithm 2: both rates move by hypergradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from harness.common.frozen import Frozen
from harness.methods import base, maml

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.networks import Layout


class Hyper(maml.Hyper):
    """The rates that Alpha-MAML starts from, and their hyper-rates. With both hyper-rates 0 it is MAML."""

    alpha_hyperlr: base.Rate = Field(description="hypergradient learning rate of alpha (Eq. 5)")
    beta_hyperlr: base.Rate = Field(description="hypergradient learning rate of beta (Eq. 7)")

    def pace(self) -> float:
        """The larger the hyper-rates, the sooner a run ends."""
        return base.decades(self.alpha0, self.beta0, self.alpha_hyperlr, self.beta_hyperlr)


class Options(Frozen):
    """What it adds to a protocol: a reading of the paper, not swept like a hyper-parameter."""

    beta_rule: Literal["update", "raw"] = Field(
        "update", description="beta's hypergradient: current meta-gradient . previous update, or . gradient"
    )


class Hypergradient(base.Method):
    """A method that needs the direction of its last update: its memory begins with that."""

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        """The memory is the direction of the last update: none yet, so the first product is 0."""
        state = super().start(weights, hyper, optimizer, layout, protocol)
        return state._replace(memory=(weights.new_zeros(weights.shape),))


class AlphaMAML(Hypergradient):
    """The four update equations, Eq. 8 (Eq. 9 with several tasks). No clipping: the paper has none."""

    name = "alpha-maml"
    title = "Alpha-MAML"
    Hyper = Hyper

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """Algorithm 2, last three lines: beta moves before it is used, alpha for the next iteration.

        -dL/dbeta is the current meta-gradient times what beta last multiplied: the previous meta-gradient
        for SGD (Eq. 6), the previous Adam direction for Adam (Baydin et al. 2018, Algorithm 6). The
        protocol's `beta_rule: raw` takes the previous meta-gradient whatever the meta-optimizer.
        """
        (previous,) = state.memory
        beta = state.beta + hyper["beta_hyperlr"] * base.dot(meta.gradient, previous)  # Eq. 7
        optimizer, direction = optimize(state.optimizer, meta.gradient)
        weights = base.descend(state.weights, beta, direction)  # Eq. 3
        alpha = state.alpha - hyper["alpha_hyperlr"] * meta.by_rates  # Eq. 4 and 5
        last_direction = direction if protocol.beta_rule == "update" else meta.gradient
        return base.State(weights, alpha, beta, optimizer, (last_direction,))
