"""Few-shot classification of images (Lake et al. 2015; Vinyals et al. 2016): the problem of the paper."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.common.text import counted
from harness.problems import datasets
from harness.problems.base import Batch, Problem, Split, Tasks, sent
from harness.problems.datasets import DATASETS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.problems.episodes import Episodes

MOST = 1_000_000
"""Classes of a data set, or images of a class."""


class Fields(Frozen):
    """Where the images come from, and what a task is. The defaults are those of `paper-adam`."""

    dataset: str = Field("omniglot", description="omniglot, glyphs or a data set of your own")
    resize: Literal["lanczos", "nearest"] = Field(
        "lanczos", description="105 to 28 pixels: Lanczos on grey levels, or nearest as in the original MAML"
    )
    split_seed: int = Field(0, ge=0, lt=2**63, description="which characters train")
    train_characters: int = Field(1200, ge=1, le=MOST, description="classes that train")
    validation_characters: int = Field(423, ge=1, le=MOST, description="classes that are held out")
    rotate: bool = Field(True, description="one rotation by a multiple of 90 degrees per class and task")
    n_way: int = Field(20, ge=2, le=MOST, description="classes of a task")
    k_shot: int = Field(1, ge=1, lt=MOST, description="support images of a class")
    k_query: int = Field(1, ge=1, lt=MOST, description="query images of a class")
    loss_scale: Literal["mean", "sum_over_shots"] = Field(
        "mean", description="mean cross entropy, or n_way times it in both loops as in the original MAML"
    )

    @model_validator(mode="before")
    @classmethod
    def _as_its_data_set_wants(cls, data: Any) -> Any:
        """A data set of a user's own brings values for the fields that are not given."""
        name = data.get("dataset") if isinstance(data, dict) else None
        if isinstance(name, str) and name in DATASETS:
            return {**DATASETS[name].fields, **data}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Fields:
        known = DATASETS.get(self.dataset)
        if known is None:
            raise ValueError(
                f"dataset: '{self.dataset}' is not a data set; known: {', '.join(DATASETS.known())}"
            )
        for name, (beyond, most) in _limits(known).items():
            if (value := getattr(self, name)) > most:
                raise ValueError(f"{name}: {value} is not {beyond}")
        if known.images is not None and self.k_shot + self.k_query > known.images:
            raise ValueError(
                f"k_shot + k_query is {self.k_shot + self.k_query}; a character has {known.images} drawings"
            )
        if known.classes is not None and self.train_characters + self.validation_characters > known.classes:
            raise ValueError(f"train_characters + validation_characters is more than {known.classes}")
        if self.n_way > (smaller := min(self.train_characters, self.validation_characters)):
            raise ValueError(f"n_way is {self.n_way}; the smaller split has {smaller} characters")
        return self


def _limits(data: datasets.Source) -> dict[str, tuple[str, int]]:
    """What a data set of known size allows by field: in words, and the largest value."""
    classes, images = data.classes, data.images
    limits: dict[str, tuple[str, int]] = {}
    if classes is not None:
        limits |= {f"{split}_characters": (f"<= {classes}", classes) for split in ("train", "validation")}
        limits["n_way"] = (f"<= {classes // 2}", classes // 2)
    if images is not None:
        limits |= dict.fromkeys(("k_shot", "k_query"), (f"< {images}", images - 1))
    return limits


class FewShot(Problem):
    """n_way classes of a data set; k_shot images of each to adapt to, k_query of each to be judged by."""

    name = "few-shot"
    title = "Few-shot classification"
    Fields = Fields
    network = "conv4"
    unit = "nats"
    metrics = ("accuracy",)

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        self._images: Tensor | None = None
        """Those that were looked up last: a CUDA graph that looks them up reads them where they were."""

    @property
    def chance(self) -> float:
        """ln n_way, nats: no classifier has a lower expected loss before it is adapted."""
        return math.log(self.protocol.n_way)

    @property
    def scale(self) -> float:
        """See Problem."""
        return self.protocol.n_way if self.protocol.loss_scale == "sum_over_shots" else 1

    @property
    def digest(self) -> str:
        """See Problem."""
        return self._data.sha256

    @property
    def _data(self) -> datasets.Dataset:
        return datasets.load(self.protocol.dataset, self.protocol.resize)

    def check(self) -> None:
        """UserError: the data set is missing, or too small for these tasks."""
        data, of = self._data, self.protocol
        wanted = of.train_characters + of.validation_characters
        if len(data.characters) < wanted:
            raise UserError(
                f"data set '{of.dataset}': it has {counted(len(data.characters), 'class', 'classes')}; "
                f"train_characters + validation_characters are {wanted}: write fewer"
            )
        if data.split is not None:
            names = "train_characters", "validation_characters"
            for name, most in zip(names, data.split, strict=True):
                if (asked := getattr(of, name)) > most:
                    raise UserError(f"data set '{of.dataset}': {name} is {asked}; its split has {most}")
        few = int(data.sizes.argmin())
        if data.sizes[few] < of.k_shot + of.k_query:
            raise UserError(
                f"data set '{of.dataset}': class {data.characters[few]} has "
                f"{counted(int(data.sizes[few]), 'image')}; k_shot + k_query are {of.k_shot + of.k_query}"
            )
        _, height, width = data.shape
        if of.rotate and height != width:
            raise UserError(
                f"data set '{of.dataset}': images of {height} x {width} pixels cannot be rotated; write "
                "rotate: false"
            )

    def tested_on(self) -> str:
        """See Problem."""
        from harness.problems import episodes

        of, rest = self.protocol, len(episodes.left_over(self.protocol, self._data))
        if rest == 0:
            held_out = counted(of.validation_characters, "class", "classes")
            return f"the {held_out} of the validation, as no others are left"
        if rest < of.n_way:
            raise UserError(
                f"data set '{of.dataset}': {counted(rest, 'class', 'classes')} left for a meta-test of "
                f"{of.n_way} classes; write fewer train_characters or validation_characters"
            )
        return f"the {counted(rest, 'class', 'classes')} that neither train nor validate"

    def shape(self) -> tuple[tuple[int, ...], int]:
        """Images [channels, height, width]; a score for each class."""
        return self._data.shape, self.protocol.n_way

    def episodes(self, seed: int, split: Split, iteration: int) -> Episodes:
        """Which images make the tasks."""
        from harness.problems import episodes  # late: it loads torch

        if split == "train":
            return episodes.training(self.protocol, seed, iteration, self._data)
        if split == "test":
            return episodes.meta_test(self.protocol, iteration, self.count(split), self._data)
        return episodes.validation(self.protocol, self.protocol.validation_tasks, self._data)

    def tasks(self, seed: int, split: Split, iteration: int) -> Tasks:
        """See Problem. Images [tasks, n, channels, height, width] in 0 ... 1, ink 1; their classes [tasks,
        n]."""
        import torch

        batch = self.batch([seed], split, iteration, torch.device("cpu"), torch.float32)
        return Tasks(*(getattr(batch, name)[0] for name in Tasks._fields))

    def batch(
        self, seeds: Sequence[int], split: Split, iteration: int, device: torch.device, dtype: torch.dtype
    ) -> Batch:
        """See Problem. Only whole numbers go to the device, where the images are looked up."""
        (numbers,) = self._numbers(seeds, split, [iteration])
        return self.made(sent(numbers, device), dtype)

    def numbers(self, seeds: Sequence[int], split: Split, iterations: Sequence[int]) -> Tensor | None:
        """See Problem: [iterations, seeds, tasks, n_way, 2 + k_shot + k_query], see episodes.together. None:
        a subclass has a batch of its own."""
        return self._numbers(seeds, split, iterations) if type(self).batch is FewShot.batch else None

    def _numbers(self, seeds: Sequence[int], split: Split, iterations: Sequence[int]) -> Tensor:
        import torch

        from harness.problems.episodes import together

        drawn = [together(self.episodes(seed, split, at)) for at in iterations for seed in seeds]
        whole = np.stack(drawn).reshape(len(iterations), len(seeds), *drawn[0].shape)
        return torch.from_numpy(whole)

    def made(self, numbers: Tensor, dtype: torch.dtype) -> Batch:
        """See Problem."""
        from harness.problems import episodes

        of, device = self.protocol, numbers.device
        self._images = images_of(self._data, device)
        looked_up = episodes.look_up(numbers, self._images, of.k_shot, dtype, of.rotate)
        support, query = (part.movedim(-1, -3) for part in looked_up)
        return Batch(
            support,
            query,
            _targets(of.n_way, support.shape[:3], device),
            _targets(of.n_way, query.shape[:3], device),
        )

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross entropy, nats."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(outputs, targets)

    def measure(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, ...]:
        """The share of images whose true class scores highest."""
        return ((outputs.argmax(-1) == targets).double().mean(),)


def _targets(n_way: int, shape: Sequence[int], device: torch.device) -> Tensor:
    """The classes of images [seeds, tasks, n]."""
    from harness.problems import episodes

    return episodes.labels(n_way, shape[2], device).expand(*shape).contiguous()


@lru_cache(maxsize=2)
def images_of(data: datasets.Dataset, device: torch.device) -> Tensor:
    """The data set on the device, [classes, images, height, width, channels], once per process. A CPU reads
    the data set's own memory."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the array is read-only, and nothing writes to it
        images = torch.from_numpy(data.images).to(device)
    return images if images.dim() == 5 else images.unsqueeze(-1)
