"""LSLR, of MAML++ (Antoniou, Edwards and Storkey 2019): a learned rate for each tensor and inner step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.methods import base, maml

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.base import Batch
    from harness.problems.networks import Layout

EPOCH = 500
"""Iterations in which the weights of the steps stay the same."""
EPOCHS, LEAST = 10, 0.03
"""Epochs until all but the last step have lost their weight, but for LEAST / steps."""


class Hyper(maml.Hyper):
    """Where all inner rates start, the outer rate, which moves weights and inner rates alike, and the
    loss."""

    msl: bool = Field(False, description="multi-step loss: the update follows the query losses of all steps")


class LSLR(base.Method):
    """theta' = theta - alpha_(tensor, step) grad L_support; weights and rates follow the meta-gradient, as in
    MAML++, section 4 (LSLR). With `msl` (MSL, Eq. 4) the update follows sum_k v_k L_query(theta_k) over the
    inner steps k = 1 ... S, in epoch e v_k = max(1/S - e/(10 S), .03/S) but for the last, which has the rest.
    The recorded training loss stays the last step's. With one step there is nothing to weigh."""

    name = "lslr"
    title = "MAML, LSLR"
    Hyper = Hyper
    rates_by_step = True

    def gradients(self, hyper: base.Values, protocol: Any) -> int:
        """With `msl` each of the losses is differentiated."""
        steps = self.steps(hyper, protocol)
        counts = range(1, steps + 1) if hyper["msl"] else (steps,)
        return sum(k + 1 + (0 if protocol.first_order else k) for k in counts)

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        """The meta-optimizer moves weights and rates as one vector. The memory: iterations made."""
        shape = protocol.inner_steps, len(layout.adapted)
        alpha = hyper["alpha0"][..., None].expand(-1, *shape).contiguous()
        moved = optimizer.start(base.joined(weights, alpha))
        return base.State(weights, alpha, hyper["beta0"], moved, (hyper["beta0"] * 0,))

    def meta_gradient(
        self, engine: base.Engine, state: base.State, batch: Batch, hyper: base.Values, protocol: Any
    ) -> base.MetaGradient:
        """With `msl`, the sum over the steps: that of k steps differentiates the first k rates."""
        whole = super().meta_gradient(engine, state, batch, hyper, protocol)
        if not hyper["msl"]:
            return whole
        (made,) = state.memory
        weights = step_weights(made, protocol.inner_steps)
        gradient = weights[-1].to(whole.gradient.dtype) * whole.gradient
        by_rates = weights[-1][..., None] * whole.by_rates
        for k, weight in enumerate(weights[:-1], 1):
            part = engine.meta_gradient(
                state.weights, state.alpha[:, :k], batch, k, self.first_order or protocol.first_order
            )
            gradient = gradient + weight.to(gradient.dtype) * part.gradient
            rest = by_rates.new_zeros(len(by_rates), protocol.inner_steps - k, by_rates.shape[2])
            by_rates = by_rates + weight[..., None] * base.stacked(part.by_rates, rest)
        return whole._replace(gradient=gradient, by_rates=by_rates)

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        """Both move by the same rule and the same rate, as in MAML++'s code."""
        (made,) = state.memory
        optimizer, direction = optimize(state.optimizer, base.joined(meta.gradient, meta.by_rates))
        of_weights, of_rates = direction.tensor_split([state.weights.shape[1]], 1)
        return base.State(
            base.descend(state.weights, state.beta, of_weights),
            (state.alpha.flatten(1) - state.beta * of_rates).view_as(state.alpha),
            state.beta,
            optimizer,
            (made + 1,),
        )


def step_weights(made: Tensor, steps: int) -> list[Tensor]:
    """v_1 ... v_S: [cells, 1] each, together 1. `made`: iterations made so far."""
    epoch = (made / EPOCH).floor()
    others = (1 / steps - epoch / (EPOCHS * steps)).clamp(min=LEAST / steps)
    return [*[others] * (steps - 1), 1 - (steps - 1) * others]
