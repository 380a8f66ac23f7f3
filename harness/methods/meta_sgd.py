"""Meta-SGD (Li et al. 2017): an inner rate for each weight, learned like the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.methods import base, maml

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.networks import Layout


class Hyper(maml.Hyper):
    """Where all inner rates start, and the outer rate, which moves weights and inner rates alike."""

    def pace(self) -> float:
        """The inner rates move by about beta in an iteration, as with hyper-rates of beta."""
        return base.decades(self.alpha0, self.beta0)


class MetaSGD(base.Method):
    """theta' = theta - A o grad L_support(theta); (theta, A) <- (theta, A) - beta * direction(grad_(theta,
    A) L), Algorithm 1 of the paper. A starts as alpha0 everywhere (in the paper it is drawn from U(0.005,
    0.1)); its entries may become negative."""

    name = "meta-sgd"
    title = "Meta-SGD"
    Hyper = Hyper
    columns: ClassVar = {
        "alpha": base.Column(
            meaning="mean over the parameters of the inner rates that produced this row's loss"
        ),
        "alpha_lowest": base.Column(meaning="the lowest of these inner rates"),
        "alpha_highest": base.Column(meaning="the highest of these inner rates"),
        "beta": base.BETA,
    }

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        """The meta-optimizer moves weights and rates as one vector."""
        alpha = hyper["alpha0"].expand(-1, layout.adapted_size).contiguous()
        return base.State(weights, alpha, hyper["beta0"], optimizer.start(base.joined(weights, alpha)))

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """Both move by the same rule and the same rate, whatever shares an inner rate."""
        optimizer, direction = optimize(state.optimizer, base.joined(meta.gradient, meta.by_rates))
        of_weights, of_rates = direction.tensor_split([state.weights.shape[1]], 1)
        return state._replace(
            weights=base.descend(state.weights, state.beta, of_weights),
            alpha=(state.alpha.flatten(1) - state.beta * of_rates).view_as(state.alpha),
            optimizer=optimizer,
        )

    def record(self, before: base.State, after: base.State) -> tuple[Tensor, ...]:
        """Mean, lowest and highest inner rate; the outer rate."""
        alpha = before.alpha.flatten(1)
        return base.mean_rate(alpha), alpha.amin(1), alpha.amax(1), base.mean_rate(after.beta)
