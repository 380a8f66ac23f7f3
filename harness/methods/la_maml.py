"""La-MAML (Gupta, Yadav and Paull 2020): an inner rate for each weight, which the outer loop uses too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from harness.methods import base

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.networks import Layout


class Hyper(base.Hyper):
    """Where all rates start, how fast they move, and how long a gradient may be."""

    alpha0: base.Rate = Field(description="where the rate of every weight starts")
    eta: base.Rate = Field(description="learning rate of the rates")
    clip: float = Field(2.0, gt=0, description="largest norm of the gradients by weights and by rates")


class LaMAML(base.Method):
    """alpha <- alpha - eta grad_alpha L; theta <- theta - relu(alpha) o grad_theta L, with the new alpha,
    both gradients clipped by their norm; inner steps use relu(alpha): Eq. 6 to 8 of the paper, without its
    memory of past tasks. Weights that the inner loop does not move keep the rate alpha0."""

    name = "la-maml"
    title = "La-MAML"
    Hyper = Hyper
    own_update = True
    columns: ClassVar = {
        "alpha": base.Column(meaning="mean over the parameters of the rates that produced this row's loss"),
        "alpha_off": base.Column(meaning="share of the parameters whose rate was cut off at 0", unit="share"),
    }

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        """The memory: the rates before they are cut off at 0."""
        alpha = hyper["alpha0"].expand(-1, layout.adapted_size).contiguous()
        return base.State(weights, alpha, hyper["alpha0"], (), (alpha,))

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """Rates first, then weights by the new rates."""
        (raw,) = state.memory
        by_rates = _clipped(meta.by_rates.double() * (raw > 0), hyper["clip"])
        raw = raw - hyper["eta"] * by_rates
        alpha = raw.clamp(min=0)
        gradient = _clipped(meta.gradient, hyper["clip"])
        kept = state.weights.shape[1] - alpha.shape[1]
        rates = base.joined(alpha, hyper["alpha0"].expand(-1, kept))
        weights = state.weights - rates.to(gradient.dtype) * gradient
        return state._replace(weights=weights, alpha=alpha, memory=(raw,))

    def record(self, before: base.State, after: base.State) -> tuple[Tensor, ...]:
        """Mean rate, and the share that is off."""
        return base.mean_rate(before.alpha), (before.alpha == 0).double().mean(1)


def _clipped(gradient: Tensor, norm: Tensor) -> Tensor:
    """[cells, n]: shortened to at most `norm` [cells, 1]."""
    length = base.dot(gradient, gradient).sqrt()
    return gradient * (norm / length.maximum(norm)).to(gradient.dtype)
