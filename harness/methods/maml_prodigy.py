"""MAML with Prodigy (Mishchenko and Defazio 2024): the outer rate estimates the distance to the solution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.methods import base

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.networks import Layout

DECAY_1, DECAY_2, EPS = 0.9, 0.999, 1e-8
DECAY_3 = DECAY_2**0.5
"""Of the sums that the estimate is made of, as the authors have it."""


class Hyper(base.Hyper):
    """Its outer loop has no rate to tune, only a first estimate, which should be too small."""

    alpha0: base.Rate = Field(description="learning rate of the inner loop")
    d0: float = Field(gt=0, description="first estimate of the distance; its authors: 1e-6")


class MAMLProdigy(base.Method):
    """Adam with the rate d, which grows with every sign that the solution is further away: Prodigy, Algorithm
    4, without weight decay, with Adam's correction of both moments. `beta` is d."""

    name = "maml-prodigy"
    title = "MAML, Prodigy"
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
        """The memory: the initial weights, both moments, the weighted sum of gradients, that of the products
        (the estimate's numerator), and the number of updates made."""
        zeros, nothing = weights.new_zeros(weights.shape), hyper["d0"].new_zeros(hyper["d0"].shape)
        memory = (weights.clone(), zeros, zeros, zeros, nothing, nothing)
        return base.State(weights, hyper["alpha0"], hyper["d0"], (), memory)

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """This update still uses the d before it; `beta` of the returned state is the one that it used."""
        first, mean, square, total, product, count = state.memory
        d0, d = hyper["d0"], self.estimate(state, hyper)
        kind, count = meta.gradient.dtype, count + 1
        rate = d * (1 - DECAY_2**count).sqrt() / (1 - DECAY_1**count)
        scaled = d.to(kind) * meta.gradient
        mean = DECAY_1 * mean + (1 - DECAY_1) * scaled
        square = DECAY_2 * square + (1 - DECAY_2) * scaled * scaled
        total = DECAY_3 * total + (rate / d0).to(kind) * scaled
        product = DECAY_3 * product + d / d0 * rate * base.dot(meta.gradient, first - state.weights)
        weights = base.descend(state.weights, rate, mean / (square.sqrt() + d.to(kind) * EPS))
        return state._replace(weights=weights, beta=d, memory=(first, mean, square, total, product, count))

    def estimate(self, state: base.State, hyper: base.Values) -> Tensor:
        """[cells, 1] the d of the next update: it never falls."""
        *_, total, product, _ = state.memory
        size = total.double().abs().sum(1, keepdim=True)
        return state.beta.maximum((product / size).where(size > 0, product))
