"""What a grid asks of the weights that its runs end with: a test on tasks that nobody trained on."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from harness.common.frozen import LARGEST, Frozen
from harness.grids.matching import listed
from harness.grids.mistakes import show
from harness.methods import METHODS
from harness.problems.setting import MAX_TASKS

OWN = "own"
"""In place of a rate: the inner rates that the cell ended with, learned or not."""
MOST_STEPS = 1000


def _rate(value: Any) -> float | str:
    if value == OWN:
        return OWN
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return float(value)
    raise ValueError(f"{show(value)} is neither own nor a rate >= 0")


def _once(rates: tuple[float | str, ...]) -> tuple[float | str, ...]:
    if len({*rates}) < len(rates):
        raise ValueError("a rate is listed twice")
    return rates


class MetaTest(Frozen):
    """A meta-test: `tasks` tasks, each adapted to by 0, 1, ... `steps` inner steps."""

    tasks: int = Field(600, ge=1, le=MAX_TASKS, description="tasks, the same for all cells")
    steps: int = Field(
        10, ge=0, le=MOST_STEPS, description="most inner steps; the loss after fewer is there too"
    )
    rates: Annotated[
        tuple[Annotated[float | str, PlainValidator(_rate)], ...],
        BeforeValidator(listed),
        AfterValidator(_once),
        Field(min_length=1, max_length=100),
    ] = Field(
        (OWN,), description="inner rates of the test: own, those of the cell; a number, for all weights"
    )

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """The rates; None: the cell's own."""
        return tuple(rate if isinstance(rate, float) else None for rate in self.rates)


def refusal(test: MetaTest, method: str, protocol: Any) -> str | None:
    """Why a method cannot be tested so under a protocol; None: it can."""
    if not METHODS[method].rates_by_step or None not in test.numbers or test.steps <= protocol.inner_steps:
        return None
    most = protocol.inner_steps
    text = f"{test.steps} steps; {method} has inner rates for inner_steps, {most}: write at most {most}"
    return f"{text}, or rates without {OWN}"
