"""What surrounds a problem in every protocol: the two loops, and how a run is measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.common.frozen import Frozen

MAX_TASKS, MAX_STEPS = 100_000, 10_000
MAX_ITERATIONS = 10_000_000
"""A cell of more would take more memory for its rows alone than for anything else: about 2 GB."""
MAX_BYTES = 10**12
"""Of memory for one cell: no machine that one trains such networks on has more."""


class Loops(Frozen):
    """The inner and the outer loop. The defaults are those of `paper-adam`."""

    meta_batch: int = Field(16, ge=1, le=MAX_TASKS, description="tasks of a meta-batch")
    inner_steps: int = Field(1, ge=1, le=MAX_STEPS, description="gradient steps of the inner loop")
    first_order: bool = Field(False, description="leave the second derivatives out (FOMAML)")
    task_reduction: Literal["mean", "sum"] = Field("mean", description="of the meta-loss over tasks")
    meta_optimizer: Literal["adam", "sgd"] = "adam"


class Measuring(Frozen):
    """How a run is measured and computed."""

    validation_tasks: int = Field(
        32, ge=1, le=MAX_TASKS, description="fixed tasks that are not trained on, the same for all cells"
    )
    validation_every: int = Field(
        25, ge=1, le=MAX_ITERATIONS, description="iterations from one validation to the next"
    )
    precision: Literal["float32", "tf32", "tf32x3", "float64"] = Field(
        "float32", description="of weights and products; tf32 and tf32x3: float32 multiplied by tensor cores"
    )

    @property
    def number_bytes(self) -> int:
        """Bytes of a number on the device."""
        return 8 if self.precision == "float64" else 4
