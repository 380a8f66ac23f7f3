"""What every method is made of: typed hyper-parameters, a state, and one pure step.

A method says how the rates and the weights move. It is state in, state out; every tensor has the
cells of a pack as its first axis, so one call moves all of them. This file and the methods need no
torch at import: they only combine the tensors that they are given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from harness.common.frozen import SMALLEST

if TYPE_CHECKING:
    from torch import Tensor


def _not_tiny(rate: float) -> float:
    if 0 < rate < SMALLEST:
        raise ValueError(f"{rate:g} is neither 0 nor >= {SMALLEST:g}")
    return rate


Rate = Annotated[float, Field(ge=0), AfterValidator(_not_tiny)]
"""A rate or hyper-rate: 0, or at least SMALLEST. Too large a rate is no mistake: it diverges."""


class Hyper(BaseModel):
    """The hyper-parameters of every method: the rates that it starts from."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    alpha0: Rate = Field(description="learning rate of the inner loop at iteration 1")
    beta0: Rate = Field(description="learning rate of the outer loop at iteration 1")

    @field_validator("*")
    @classmethod
    def _one_zero(cls, value: Any) -> Any:
        """-0.0 becomes 0.0: otherwise one point would be two cells."""
        return value + 0.0 if isinstance(value, float) else value

    def pace(self) -> float:
        """How soon a run with these is likely to end: the smaller, the later. Cells start in this order.

        The sum of the decades of its rates and hyper-rates. Here the rates never move: both hyper-rates are
        0.
        """
        return decades(self.alpha0, self.beta0) + 2 * STILL


STILL = -20.0
"""The decade of a rate that is 0."""


def decades(*rates: float) -> float:
    """The sum of their logarithms to base 10."""
    return sum(math.log10(rate) if rate > 0 else STILL for rate in rates)


class MetaGradient(NamedTuple):
    """What one pass over a meta-batch gives, for `cells` cells; P meta-trained, A adapted parameters.

    The gradients are of the meta-loss reduced over tasks as the protocol says (mean or sum).
    """

    loss: Tensor
    """[cells] training loss: mean over tasks and query images of the post-adaptation cross entropy, nats."""
    accuracy: Tensor
    """[cells] share of the query images classified correctly after adaptation."""
    gradient: Tensor
    """[cells, P] the meta-gradient, Eq. 3: derivative with respect to the weights."""
    alpha_gradient: Tensor
    """[cells, A] derivative with respect to the inner rate of each adapted parameter, Eq. 4 before its dot
    product is summed. The derivative with respect to a scalar alpha is the sum over the last axis."""


class State(NamedTuple):
    """Everything that changes while a pack trains."""

    weights: Tensor
    """[cells, P], the adapted parameters first."""
    alpha: Tensor
    """[cells, 1] (or [cells, A], one rate per parameter), float64: used by the next inner loop."""
    beta: Tensor
    """[cells, 1], float64: used by the last outer update (beta0 before the first)."""
    optimizer: tuple[Tensor, ...]
    """The meta-optimizer's own state."""
    memory: tuple[Tensor, ...] = ()
    """Whatever else the method keeps: tensors [cells, ...]."""


class Optimize(Protocol):
    """The protocol's meta-optimizer: (its state, meta-gradient) -> (its state, direction [cells, P])."""

    def __call__(self, state: tuple[Tensor, ...], gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]: ...


class Method(Protocol):
    """The interface of a method. See alpha_maml.py for an example, README.md for how to add one."""

    name: str
    """As written in grids and columns."""
    title: str
    """As written in figures."""

    @property
    def Hyper(self) -> type[Hyper]:
        """The model of its hyper-parameters: fields with types, ranges and a line of description each."""
        ...

    def start(self, state: State, hyper: dict[str, Tensor]) -> State:
        """Complete the state before iteration 1 (rates and optimizer are set already).

        `hyper` has a float64 tensor [cells, 1] for each hyper-parameter, by its name.
        """
        ...

    def step(
        self,
        state: State,
        meta: MetaGradient,
        hyper: dict[str, Tensor],
        optimize: Optimize,
        protocol: Any,
    ) -> State:
        """One update of the outer loop. The returned `beta` is the one that it used.

        `protocol`: a harness.cell.Protocol. A method may add fields to it, see alpha_maml.Options.
        """
        ...


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product over the last axis, summed in float64: [cells, P] x [cells, P] -> [cells, 1]."""
    return (a * b).double().sum(-1, keepdim=True)


def descend(weights: Tensor, beta: Tensor, direction: Tensor) -> Tensor:
    """weights - beta * direction, in the precision of the weights (Eq. 3)."""
    return weights - beta.to(weights.dtype) * direction


def columns(hypers: list[Hyper]) -> dict[str, list[float]]:
    """The hyper-parameters of several cells of one method, as one list per name."""
    rows: list[dict[str, Any]] = [hyper.model_dump() for hyper in hypers]
    return {name: [row[name] for row in rows] for name in rows[0]}
