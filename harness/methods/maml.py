"""MAML (Finn et al. 2017), Algorithm 1 of the Alpha-MAML paper: both rates stay where they start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.methods import base

if TYPE_CHECKING:
    from torch import Tensor


class MAML:
    """theta <- theta - beta * direction(meta-gradient), Eq. 3."""

    name = "maml"
    title = "MAML"
    Hyper = base.Hyper

    def start(self, state: base.State, hyper: dict[str, Tensor]) -> base.State:
        """MAML keeps nothing besides its weights and its meta-optimizer's state."""
        return state

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: dict[str, Tensor],
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """Algorithm 1, last line."""
        optimizer, direction = optimize(state.optimizer, meta.gradient)
        return state._replace(
            weights=base.descend(state.weights, state.beta, direction),  # Eq. 3
            optimizer=optimizer,
        )
