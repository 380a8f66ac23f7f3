"""What every method is made of: typed hyper-parameters, a state, and pure functions from state to state.

A method says what the inner loop moves and by which rates, and how the outer loop moves weights and rates.
Every tensor has the cells of a pack as its first axis, so one call moves all of them. This file and the
methods need no torch at import: they only combine the tensors that they are given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Protocol,
    get_args,
    get_origin,
)

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic.fields import FieldInfo

from harness.common.frozen import SMALLEST
from harness.common.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from harness.problems.base import Batch
    from harness.problems.networks import Layout, Part


def _not_tiny(rate: float) -> float:
    if 0 < rate < SMALLEST:
        raise ValueError(f"{rate:g} is neither 0 nor >= {SMALLEST:g}")
    return rate


Rate = Annotated[float, Field(ge=0), AfterValidator(_not_tiny)]
"""A rate or hyper-rate: 0, or at least SMALLEST. Too large a rate is no mistake: it diverges."""


class Hyper(BaseModel):
    """Base of the hyper-parameters of a method: numbers, whole numbers, choices (Literal of texts) and
    flags."""

    # A default is checked like a value: 1 for a number becomes 1.0, or one point would be two cells.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, strict=True, validate_default=True
    )

    @field_validator("*")
    @classmethod
    def _one_zero(cls, value: Any) -> Any:
        """-0.0 becomes 0.0: otherwise one point would be two cells."""
        return value + 0.0 if isinstance(value, float) else value

    def pace(self) -> float:
        """How soon a run with these is likely to end: the smaller, the later. Cells start in this order.

        The sum of the decades of its numbers.
        """
        return decades(*(value for value in self.model_dump().values() if isinstance(value, float)))


Kind = Literal["number", "whole number", "flag", "choice"]


def kind_of(field: FieldInfo) -> Kind | None:
    """What a hyper-parameter is; None: nothing that it may be. A choice is one of some texts."""
    kinds: dict[Any, Kind] = {float: "number", int: "whole number", bool: "flag"}
    if field.annotation in kinds:
        return kinds[field.annotation]
    chosen = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return "choice" if chosen and all(isinstance(one, str) for one in chosen) else None


TAKEN = frozenset(
    (
        *("cell_id", "method", "paired", "problem", "dataset", "protocol", "preset", "changes", "n_way"),
        *("seed", "target_loss", "max_iterations", "outcome", "ending", "error", "finished"),
        *("iterations_to_target", "iterations_to_target_sustained", "iterations_run", "iteration"),
        *("wall_seconds", "device", "threads", "pack_size", "numerics", "commit", "torch"),
        *("dataset_sha256", "plugins", "state"),
    )
)
"""Names that no hyper-parameter and nothing that a method records may have: the other columns of the tables
and of the lists that commands print, and the other keys of a block of cells."""


STILL = -20.0
"""The decade of a rate that is 0."""


def decades(*rates: float) -> float:
    """The sum of their logarithms to base 10."""
    return sum(math.log10(rate) if rate > 0 else STILL for rate in rates)


Values = Mapping[str, Any]
"""The hyper-parameters of a pack by name. A number is a float64 tensor [cells, 1]. Whole numbers, choices
and flags are the same for all cells of a pack, and come as they are."""


class MetaGradient(NamedTuple):
    """What one pass over a meta-batch gives, for `cells` cells; P meta-trained, A adapted parameters.

    The gradients are of the meta-loss reduced over tasks as the protocol says (mean or sum).
    """

    loss: Tensor
    """[cells] training loss: mean over tasks of the query loss after adaptation."""
    metrics: tuple[Tensor, ...]
    """[cells] each: the problem's metrics of the same queries."""
    gradient: Tensor
    """[cells, P] the meta-gradient, Eq. 3: derivative with respect to the weights."""
    by_rates: Tensor
    """Derivative with respect to each inner rate, in the shape of the rates (Eq. 4: one rate for all
    parameters). Float64 where parameters share a rate."""
    squares: tuple[Tensor, ...] = ()
    """Of the two vectors whose products make `by_rates`, the adjoint q and the gradient g of the support
    loss: their squares, summed and reduced like `by_rates` and in its shape. Empty unless the method asks."""


class Adapted(NamedTuple):
    """What the inner loop leads to, without a derivative."""

    loss: Tensor
    """[cells] mean over tasks of the query loss after adaptation."""
    metrics: tuple[Tensor, ...]
    """[cells] each."""
    weights: Tensor
    """[cells, P] the adapted weights, mean over tasks."""


class State(NamedTuple):
    """Everything that changes while a pack trains."""

    weights: Tensor
    """[cells, P], the adapted parameters first."""
    alpha: Tensor
    """The inner rates that the next inner loop uses, float64: [cells, n] or, with rates for each step,
    [cells, steps, n]. n is 1, the number of adapted tensors (len(layout.adapted)), or that of adapted
    parameters, A (layout.adapted_size)."""
    beta: Tensor
    """[cells, 1], float64: used by the last outer update (beta0 before the first)."""
    optimizer: tuple[Tensor, ...]
    """The meta-optimizer's own state."""
    memory: tuple[Tensor, ...] = ()
    """Whatever else the method keeps: tensors [cells, ...]."""


class Optimize(Protocol):
    """The protocol's meta-optimizer: (its state, meta-gradient) -> (its state, direction [cells, P])."""

    def __call__(self, state: tuple[Tensor, ...], gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]: ...


class Optimizer(NamedTuple):
    """A meta-optimizer. It works entry by entry, so it takes anything [cells, any number]."""

    start: Callable[[Tensor], tuple[Tensor, ...]]
    """What it will move [cells, n] -> its state before the first update."""
    step: Optimize


class Engine(Protocol):
    """The inner loop and its derivatives, for the protocol's problem and network. Rates as State.alpha."""

    def meta_gradient(
        self,
        weights: Tensor,
        rates: Tensor,
        batch: Batch,
        steps: int,
        first_order: bool,
        squares: bool = False,
    ) -> MetaGradient:
        """Adapt to each task by `steps` steps, and differentiate the query loss. `squares`: also
        MetaGradient.squares."""
        ...

    def adapted(self, weights: Tensor, rates: Tensor, batch: Batch, steps: int) -> Adapted:
        """Adapt to each task, without a derivative."""
        ...


@dataclass(frozen=True, kw_only=True)
class Column:
    """What a method records in every row, beside the losses."""

    meaning: str
    unit: str = ""
    of_update: bool = False
    """Whether it belongs to the row's update: null in a last row that no update follows."""


ALPHA = Column(meaning="inner rate that produced this row's loss")
BETA = Column(
    meaning="outer rate that this iteration's update used; null in a last row without one", of_update=True
)


class Method:
    """A meta-learner. Subclass it to bring your own; see maml.py and reptile.py for the two kinds."""

    name: ClassVar[str]
    """As written in grids and columns."""
    title: ClassVar[str]
    """As written in figures; a class without one of its own has its name."""
    Hyper: ClassVar[type[Hyper]]
    """The model of its hyper-parameters: fields with types, ranges and a line of description each."""
    first_order: ClassVar[bool] = False
    """Whether it leaves the second derivatives out, whatever the protocol says."""
    squares: ClassVar[bool] = False
    """Whether it needs MetaGradient.squares."""
    own_update: ClassVar[bool] = False
    """Whether the outer update is its own: then a protocol that chooses a meta-optimizer is refused."""
    rates_by_step: ClassVar[bool] = False
    """Whether each of the protocol's inner_steps has inner rates of its own: then there are none for more
    steps, in a meta-test say."""
    decides: ClassVar[Mapping[str, str]] = {}
    """Other fields of the protocol that it decides by itself, each with how, as the message has it:
    `{"inner_steps": "takes one step"}`. A protocol that changes one is refused."""
    columns: ClassVar[Mapping[str, Column]] = {"alpha": ALPHA, "beta": BETA}
    """What it records in every row, in the order of `record`."""

    def adapts(self, part: Part, layout: Layout) -> bool:
        """Whether the inner loop moves a parameter. Of those that the network lets it move: all."""
        return True

    def steps(self, hyper: Values, protocol: Any) -> int:
        """Steps of the inner loop: the protocol's."""
        return protocol.inner_steps

    def gradients(self, hyper: Values, protocol: Any) -> int | None:
        """Backward passes of an iteration for each task, without validation: one for the support loss of each
        inner step, one for the query loss, and, where the outer gradient goes through the steps, a Hessian
        product for each. By these, costs of methods are compared.

        Each counts as one, though a product takes longer than a gradient, and a gradient by the head alone
        (ANIL) less. A method with a meta_gradient of its own says its own number; None: nobody knows.
        """
        if type(self).meta_gradient is not Method.meta_gradient:
            return None
        steps = self.steps(hyper, protocol)
        return steps + 1 + (0 if self.first_order or protocol.first_order else steps)

    def start(
        self, weights: Tensor, hyper: Values, optimizer: Optimizer, layout: Layout, protocol: Any
    ) -> State:
        """The state before iteration 1. weights: [cells, P]; layout: the named parameters in them; optimizer:
        the protocol's; protocol: as in `step`."""
        return State(weights, hyper["alpha0"], hyper["beta0"], optimizer.start(weights))

    def meta_gradient(
        self, engine: Engine, state: State, batch: Batch, hyper: Values, protocol: Any
    ) -> MetaGradient:
        """What the outer update is made of, from the tasks of an iteration."""
        first_order = self.first_order or protocol.first_order
        return engine.meta_gradient(
            state.weights, state.alpha, batch, self.steps(hyper, protocol), first_order, self.squares
        )

    def step(
        self, state: State, meta: MetaGradient, hyper: Values, optimize: Optimize, protocol: Any
    ) -> State:
        """One update of the outer loop. The returned `beta` is the one that it used.

        `protocol`: a harness.cell.Protocol, with the fields that built-in methods add, see
        alpha_maml.Options.
        """
        raise NotImplementedError

    def record(self, before: State, after: State) -> Sequence[Tensor]:
        """[cells] each: the values of `columns` of a row, from the states before and after its update."""
        return mean_rate(before.alpha), mean_rate(after.beta)


METHODS: Registry[Method] = Registry("method")


def mean_rate(rates: Tensor) -> Tensor:
    """[cells, ...] -> [cells]: the rate, or the mean of all of them."""
    return rates.flatten(1).mean(1)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product over the last axis, summed in float64: [cells, P] x [cells, P] -> [cells, 1]."""
    return (a * b).double().sum(-1, keepdim=True)


def descend(weights: Tensor, beta: Tensor, direction: Tensor) -> Tensor:
    """weights - beta * direction, in the precision of the weights (Eq. 3)."""
    return weights - beta.to(weights.dtype) * direction


def joined(*parts: Tensor) -> Tensor:
    """[cells, ...] each -> [cells, all their numbers], in the precision of the first."""
    import torch

    return torch.cat([part.flatten(1).to(parts[0].dtype) for part in parts], 1)


def stacked(first: Tensor, later: Tensor) -> Tensor:
    """Rates of some inner steps and of those after them: [cells, steps, n] each."""
    import torch

    return torch.cat([first, later], 1)
