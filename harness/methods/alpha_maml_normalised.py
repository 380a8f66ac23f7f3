"""Alpha-MAML with cosines in place of products: one method adds them to the rates, one multiplies by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.methods import alpha_maml, base, maml

if TYPE_CHECKING:
    from torch import Tensor


class Cosines(alpha_maml.Hypergradient):
    """What both have in common: Alpha-MAML's products, Eq. 4 to 7, over the norms of their factors; those of
    alpha summed over tasks and inner steps before the division."""

    squares = True

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """As Alpha-MAML's: beta moves before it is used, alpha for the next iteration."""
        (previous,) = state.memory
        beta = self.moved(state.beta, hyper, "beta", _cosine(meta.gradient, previous))
        optimizer, direction = optimize(state.optimizer, meta.gradient)
        weights = base.descend(state.weights, beta, direction)
        q, g = meta.squares
        alpha = self.moved(state.alpha, hyper, "alpha", _over(-meta.by_rates, (q * g).sqrt()))
        last = direction if protocol.beta_rule == "update" else meta.gradient
        return base.State(weights, alpha, beta, optimizer, (last,))

    def moved(self, rate: Tensor, hyper: base.Values, name: str, cosine: Tensor) -> Tensor:
        """[cells, 1] the rate of that name, after an iteration."""
        raise NotImplementedError


class AddedHyper(maml.Hyper):
    """The rates that it starts from, and the most by which each moves in an iteration."""

    eta_alpha: base.Rate = Field(description="step of alpha along its cosine")
    eta_beta: base.Rate = Field(description="step of beta along its cosine")


class AlphaMAMLNormalised(Cosines):
    """alpha <- alpha + eta_alpha cos(q, g), beta <- beta + eta_beta cos(G, previous direction).

    A rate has the unit of 1 / loss, and so have the etas: with a loss multiplied by c, alpha0 / c and
    eta_alpha / c train the same weights (under SGD beta0 / c and eta_beta / c too).
    """

    name = "alpha-maml-normalised"
    title = "Alpha-MAML, normalised"
    Hyper = AddedHyper

    def moved(self, rate: Tensor, hyper: base.Values, name: str, cosine: Tensor) -> Tensor:
        """Added to."""
        return rate + hyper[f"eta_{name}"] * cosine


class MultipliedHyper(maml.Hyper):
    """The rates that it starts from, and the largest share by which each moves in an iteration."""

    kappa_alpha: float = Field(ge=0, lt=1, description="share by which alpha moves along its cosine")
    kappa_beta: float = Field(ge=0, lt=1, description="share by which beta moves along its cosine")


class AlphaMAMLMultiplicative(Cosines):
    """alpha <- alpha (1 + kappa_alpha cos), beta <- beta (1 + kappa_beta cos). Rates stay positive. A loss
    multiplied by c, with alpha0 / c (under SGD beta0 / c too), trains the same weights with the same
    kappas."""

    name = "alpha-maml-multiplicative"
    title = "Alpha-MAML, multiplicative"
    Hyper = MultipliedHyper

    def moved(self, rate: Tensor, hyper: base.Values, name: str, cosine: Tensor) -> Tensor:
        """Multiplied."""
        return rate * (1 + hyper[f"kappa_{name}"] * cosine)


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    """[cells, P] each -> [cells, 1]; 0 where one of them is 0."""
    return _over(base.dot(one, other), (base.dot(one, one) * base.dot(other, other)).sqrt())


def _over(product: Tensor, norms: Tensor) -> Tensor:
    """product / norms; 0 where there is no norm."""
    return (product / norms).where(norms > 0, product.new_zeros(()))
