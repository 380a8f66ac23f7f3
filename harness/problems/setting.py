"""What is learned, and in which loops, the same for every method: few-shot classification of images."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from harness.common.frozen import Frozen

CHARACTERS, DRAWERS = 1623, 20
"""Omniglot's characters, and drawings of each; the other data sets stand in for it and have as many."""
SIDE = 28
"""Height and width of an image, pixels."""


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
    n_way: int = Field(20, ge=2, description="classes of a task")
    k_shot: int = Field(1, ge=1, lt=DRAWERS, description="support images of a class")
    k_query: int = Field(1, ge=1, lt=DRAWERS, description="query images of a class")
    meta_batch: int = Field(16, ge=1, description="tasks of a meta-batch")
    inner_steps: int = Field(1, ge=1, description="gradient steps of the inner loop")
    first_order: bool = Field(False, description="leave the second derivatives out (FOMAML)")
    layers: int = Field(4, ge=1, le=6, description="convolutions, each halving height and width")
    filters: int = Field(64, ge=1, description="of each convolution")
    norm_scale: bool = Field(False, description="batch norm has a scale beside its shift")
    norm_adapted: bool = Field(False, description="the inner loop moves shift and scale too")
    norm_eps: float = Field(1e-5, gt=0)
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
    def chance_loss(self) -> float:
        """ln n_way, nats: no classifier has a lower expected loss before it is adapted."""
        return math.log(self.n_way)


class Measuring(Frozen):
    """How a run is measured and computed."""

    validation_tasks: int = Field(32, ge=1, description="fixed episodes of the held-out characters")
    validation_every: int = Field(25, ge=1, description="iterations from one validation to the next")
    precision: Literal["float32", "tf32", "float64"] = "float32"
