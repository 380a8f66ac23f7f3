"""Alpha-MAML in log space: both rates move by their hypergradients, over the size that these have of late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from harness.methods import alpha_maml, base, maml

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.networks import Layout

DECAY = 0.9
"""Of the running mean of squares."""


class Hyper(maml.Hyper):
    """The rates that it starts from, and how fast both move."""

    eta: float = Field(0.2, ge=0, description="step of the natural logarithms of both rates")
    squares: Literal["mean", "sum"] = Field(
        "mean", description="of hypergradients, of which they are divided by the root: of late, or of all"
    )

    def pace(self) -> float:
        """The larger the step, the sooner a run ends."""
        return base.decades(self.alpha0, self.beta0, self.eta)


class AlphaMAMLLog(alpha_maml.Hypergradient):
    """log rate <- log rate + eta h / sqrt(v), for alpha and beta alike; h is the product of gradients that
    moves the rate in Alpha-MAML, Eq. 4 to 7. v is the bias-corrected running mean of h^2, or their sum: then
    the steps shrink as AdaGrad's do (Duchi, Hazan and Singer 2011). Beta moves from the second update on.

    This project's own. A loss multiplied by c, with alpha0 / c (under SGD beta0 / c too), trains the same
    weights with the same eta: nothing here has the unit of the loss. Rates stay positive.
    """

    name = "alpha-maml-log"
    title = "Alpha-MAML, log"
    Hyper = Hyper

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        """The memory: the direction of the last update, the running means of both squares, and how many
        products each has seen."""
        state = super().start(weights, hyper, optimizer, layout, protocol)
        nothing = state.beta.new_zeros(state.beta.shape)
        return state._replace(memory=(*state.memory, *[nothing] * 4))

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """As Alpha-MAML's: beta moves before it is used, alpha for the next iteration."""
        previous, of_alpha, alphas, of_beta, betas = state.memory
        product = base.dot(meta.gradient, previous)
        seen = previous.ne(0).any(1, keepdim=True)  # not before the first update
        factor, of_beta, betas = _factor(product, of_beta, betas, hyper, seen)
        beta = state.beta * factor
        optimizer, direction = optimize(state.optimizer, meta.gradient)
        weights = base.descend(state.weights, beta, direction)
        factor, of_alpha, alphas = _factor(-meta.by_rates, of_alpha, alphas, hyper, seen | True)
        last = direction if protocol.beta_rule == "update" else meta.gradient
        memory = (last, of_alpha, alphas, of_beta, betas)
        return base.State(weights, state.alpha * factor, beta, optimizer, memory)


def _factor(
    product: Tensor, squares: Tensor, count: Tensor, hyper: base.Values, seen: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """[cells, 1] each: what the rate is multiplied by, the squares so far, the count. `seen`: whether there
    is a product."""
    count = count + seen
    if hyper["squares"] == "sum":
        squares = squares + (product**2).where(seen, squares * 0)
        size = squares.sqrt()
    else:
        squares = (DECAY * squares + (1 - DECAY) * product**2).where(seen, squares)
        size = (squares / (1 - DECAY**count).where(count > 0, count + 1)).sqrt()
    move = (product / size).where(size > 0, product.new_zeros(()))
    return (hyper["eta"] * move).exp(), squares, count
