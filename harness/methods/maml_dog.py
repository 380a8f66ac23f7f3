"""MAML with DoG (Ivgi, Hinder and Carmon 2023): the outer rate is the distance travelled over the
gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.methods import base

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.networks import Layout


class Hyper(base.Hyper):
    """Its outer loop has no rate to tune, only a first distance, which should be small."""

    alpha0: base.Rate = Field(description="learning rate of the inner loop")
    r0: base.Rate = Field(description="how far the first update goes; its authors: 1e-6 (1 + |theta|)")


class MAMLDoG(base.Method):
    """theta <- theta - beta G, beta = max over the past of |theta - theta_0| (at least r0) / sqrt(sum of
    |G|^2): DoG, Eq. 1 and 2, over all weights together. Without the averaging of iterates that its authors
    recommend: what is measured is the last iterate."""

    name = "maml-dog"
    title = "MAML, DoG"
    Hyper = Hyper
    own_update = True

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        """The memory: the initial weights, the furthest distance so far, the sum of squared norms."""
        nothing = hyper["r0"].new_zeros(hyper["r0"].shape)
        memory = (weights.clone(), hyper["r0"], nothing)
        return base.State(weights, hyper["alpha0"], nothing, (), memory)

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """The gradient of this iteration counts in its own rate."""
        first, furthest, squares = state.memory
        moved = state.weights - first
        furthest = furthest.maximum(base.dot(moved, moved).sqrt())
        squares = squares + base.dot(meta.gradient, meta.gradient)
        beta = (furthest / squares.sqrt()).where(squares > 0, squares)
        weights = base.descend(state.weights, beta, meta.gradient)
        return state._replace(weights=weights, beta=beta, memory=(first, furthest, squares))
