"""What is learned, and in which loops, the same for every method: few-shot classification of images."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from harness.common.frozen import LARGEST, SMALLEST, Frozen

CHARACTERS, DRAWERS = 1623, 20
"""Omniglot's characters, and drawings of each; the other data sets stand in for it and have as many."""
SIDE = 28
"""Height and width of an image, pixels."""

MAX_TASKS, MAX_STEPS, MAX_FILTERS = 100_000, 10_000, 10_000
"""One by one; MAX_BYTES bounds them together."""
MAX_ITERATIONS = 10_000_000
"""A cell of more would take more memory for its rows alone than for anything else: about 2 GB."""
MAX_BYTES = 10**12
"""Of memory for one cell: no machine that one trains such networks on has more."""


class Setting(Frozen):
    """The tasks, the network, the loss and the two loops. The defaults are those of `paper-adam`."""

    dataset: str = Field("omniglot", description="omniglot or glyphs")
    resize: Literal["lanczos", "nearest"] = Field(
        "lanczos", description="105 to 28 pixels: Lanczos on grey levels, or nearest as in the original MAML"
    )
    split_seed: int = Field(0, ge=0, lt=2**63, description="which characters train")
    train_characters: int = Field(1200, ge=1, le=CHARACTERS)
    validation_characters: int = Field(423, ge=1, le=CHARACTERS)
    rotate: bool = Field(True, description="one rotation by a multiple of 90 degrees per class and task")
    n_way: int = Field(20, ge=2, le=CHARACTERS // 2, description="classes of a task")
    k_shot: int = Field(1, ge=1, lt=DRAWERS, description="support images of a class")
    k_query: int = Field(1, ge=1, lt=DRAWERS, description="query images of a class")
    meta_batch: int = Field(16, ge=1, le=MAX_TASKS, description="tasks of a meta-batch")
    inner_steps: int = Field(1, ge=1, le=MAX_STEPS, description="gradient steps of the inner loop")
    first_order: bool = Field(False, description="leave the second derivatives out (FOMAML)")
    layers: int = Field(4, ge=1, le=6, description="convolutions, each halving height and width")
    filters: int = Field(64, ge=1, le=MAX_FILTERS, description="of each convolution")
    norm_scale: bool = Field(False, description="batch norm has a scale beside its shift")
    norm_adapted: bool = Field(False, description="the inner loop moves shift and scale too")
    norm_eps: float = Field(1e-5, ge=SMALLEST, le=LARGEST)
    head_init: Literal["linear", "xavier", "normal", "small"] = Field(
        "linear", description="torch.nn.Linear's U(+-1/sqrt(fan in)), Xavier uniform, N(0, 1), N(0, 0.01^2)"
    )
    loss_scale: Literal["mean", "sum_over_shots"] = Field(
        "mean", description="mean cross entropy, or n_way times it in both loops as in the original MAML"
    )
    task_reduction: Literal["mean", "sum"] = Field("mean", description="of the meta-loss over tasks")
    meta_optimizer: Literal["adam", "sgd"] = "adam"

    @model_validator(mode="after")
    def _consistent(self) -> Setting:
        if self.k_shot + self.k_query > DRAWERS:
            raise ValueError(
                f"k_shot + k_query is {self.k_shot + self.k_query}; a character has {DRAWERS} drawings"
            )
        if self.train_characters + self.validation_characters > CHARACTERS:
            raise ValueError(f"train_characters + validation_characters is more than {CHARACTERS}")
        if self.n_way > (smaller := min(self.train_characters, self.validation_characters)):
            raise ValueError(f"n_way is {self.n_way}; the smaller split has {smaller} characters")
        return self

    @property
    def largest_map(self) -> int:
        """Numbers in the largest map of a task's images: the first layer's."""
        images = self.n_way * max(self.k_shot, self.k_query)
        return images * (SIDE // 2) ** 2 * self.filters

    @property
    def held(self) -> int:
        """Numbers of maps that the second derivatives of a task need at a time, roughly."""
        return 32 * self.inner_steps * self.largest_map

    @property
    def chance_loss(self) -> float:
        """ln n_way, nats: no classifier has a lower expected loss before it is adapted."""
        return math.log(self.n_way)


class Measuring(Frozen):
    """How a run is measured and computed."""

    validation_tasks: int = Field(
        32, ge=1, le=MAX_TASKS, description="fixed episodes of the held-out characters"
    )
    validation_every: int = Field(
        25, ge=1, le=MAX_ITERATIONS, description="iterations from one validation to the next"
    )
    precision: Literal["float32", "tf32", "float64"] = "float32"

    @property
    def width(self) -> int:
        """Bytes of a number on the device."""
        return 8 if self.precision == "float64" else 4


def memory(setting: Setting, measuring: Measuring) -> dict[str, int]:
    """Bytes that a cell needs in training on a CPU, task by task, under the fields that they grow with.

    Estimates: the factors, what a number costs with its gradients, copies and patches, are from a few runs.
    """
    tasks = setting.meta_batch, measuring.validation_tasks
    pools = setting.train_characters, setting.validation_characters
    images = setting.n_way * (setting.k_shot + setting.k_query)
    weights = setting.filters * (9 + 9 * setting.filters * (setting.layers - 1) + setting.n_way)
    words = (many * (pool + (1 + DRAWERS) * setting.n_way) for many, pool in zip(tasks, pools, strict=True))
    return {
        "filters, inner_steps, n_way and shots": setting.held * measuring.width,
        "filters and layers": 20 * weights * measuring.width,
        "meta_batch, validation_tasks, n_way and shots": (
            3 * SIDE**2 * images * sum(tasks) * measuring.width + 3 * 8 * max(words)
        ),
    }
