"""Reptile (Nichol, Achiam and Schulman 2018): towards the mean of the adapted weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from harness.methods import base

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.base import Batch
    from harness.problems.networks import Layout


class Hyper(base.Hyper):
    """The inner loop is Reptile's own; the protocol's inner_steps is left alone."""

    alpha0: base.Rate = Field(description="learning rate of the inner loop")
    eps0: base.Rate = Field(description="step size of the outer loop")
    steps: int = Field(5, ge=1, le=10_000, description="steps of SGD on the support set of a task")


class Reptile(base.Method):
    """theta <- theta + eps * (mean over tasks of theta' - theta), Algorithm 2 of the paper (batched), with
    theta' after `steps` steps of SGD on the support set. The query set takes no part in the update: the
    training loss is that of theta' on it. What the network keeps from the inner loop (Conv-4's norms, but for
    `norm_adapted`) never moves."""

    name = "reptile"
    title = "Reptile"
    Hyper = Hyper
    first_order = own_update = True
    decides: ClassVar = {"task_reduction": "moves to the mean over tasks"}
    columns: ClassVar = {
        "alpha": base.ALPHA,
        "eps": base.Column(
            meaning="outer step size that this iteration's update used; null in a last row without one",
            of_update=True,
        ),
    }

    def steps(self, hyper: base.Values, protocol: Any) -> int:
        """Its own, in training and in validation."""
        return hyper["steps"]

    def gradients(self, hyper: base.Values, protocol: Any) -> int:
        """One for each of its steps: the query loss is not differentiated."""
        return self.steps(hyper, protocol)

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        """Nothing but the weights moves; `beta` holds eps."""
        return base.State(weights, hyper["alpha0"], hyper["eps0"], ())

    def meta_gradient(
        self, engine: base.Engine, state: base.State, batch: Batch, hyper: base.Values, protocol: Any
    ) -> base.MetaGradient:
        """theta - mean theta' stands in for the meta-gradient."""
        adapted = engine.adapted(state.weights, state.alpha, batch, self.steps(hyper, protocol))
        gradient = state.weights - adapted.weights
        return base.MetaGradient(
            adapted.loss, adapted.metrics, gradient, gradient.new_zeros(len(gradient), 1)
        )

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """Plain steps: a protocol that chooses a meta-optimizer is refused."""
        return state._replace(weights=base.descend(state.weights, state.beta, meta.gradient))
