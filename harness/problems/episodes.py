"""Episodes: which characters, drawings and rotations make the tasks of an iteration. Pure integers.

They depend on (seed, split, iteration), the protocol and the sizes of the data set, and on nothing else:
every cell of a seed sees the same tasks. Only `look_up`, which finds their images, runs on the training
device.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.problems.datasets.base import CHARACTERS, DRAWERS, Dataset
from harness.problems.streams import Purpose, first, order, words


class Episodes(NamedTuple):
    """`tasks` tasks of n_way classes. A class is one character in one rotation; its label is its position."""

    characters: NDArray[np.int64]
    """[tasks, n_way], all different within a task."""
    rotations: NDArray[np.int64]
    """[tasks, n_way], quarter turns counter-clockwise."""
    drawers: NDArray[np.int64]
    """[tasks, n_way, k_shot + k_query], all different within a class, the support's first."""


class Images(NamedTuple):
    """The images of some tasks: ink 1, paper 0, ordered class by class."""

    support: Tensor
    """[tasks, n_way * k_shot, height, width, channels]"""
    query: Tensor
    """[tasks, n_way * k_query, height, width, channels]"""


def labels(n_way: int, images: int, device: torch.device | None = None) -> Tensor:
    """[images] the class of each image of a task, class by class; None: on the CPU."""
    return torch.arange(n_way, device=device).repeat_interleave(images // n_way)


def split(setting: Any, data: Dataset | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The classes that train and those held out for validation: disjoint, fixed by `split_seed` or by the
    data set.

    setting: a protocol with the fields of few-shot. data: None is one of Omniglot's sizes.
    """
    train, held_out = setting.train_characters, setting.validation_characters
    if data is not None and data.split is not None:
        return np.arange(train), data.split[0] + np.arange(held_out)
    shuffled = _shuffled(setting.split_seed, len(_sizes(data)))
    return shuffled[:train], shuffled[train : train + held_out]


def left_over(setting: Any, data: Dataset | None = None) -> NDArray[np.int64]:
    """The classes that neither train nor are held out for validation; of a data set with a split of its own,
    not those that may train. Arguments as for `split`."""
    train, held_out = setting.train_characters, setting.validation_characters
    if data is not None and data.split is not None:
        return np.arange(data.split[0] + held_out, len(data.characters))
    return _shuffled(setting.split_seed, len(_sizes(data)))[train + held_out :]


def for_meta_test(setting: Any, data: Dataset | None = None) -> NDArray[np.int64]:
    """The classes of a meta-test: those that are left over, or, if there are none, those of the validation,
    which nothing trains on."""
    rest = left_over(setting, data)
    return rest if len(rest) else split(setting, data)[1]


def _sizes(data: Dataset | None) -> NDArray[np.int64]:
    return np.full(CHARACTERS, DRAWERS) if data is None else data.sizes


@lru_cache
def _shuffled(seed: int, classes: int) -> NDArray[np.int64]:
    return order(words(seed, Purpose.SPLIT, 0, classes))


def training(setting: Any, seed: int, iteration: int, data: Dataset | None = None) -> Episodes:
    """The meta-batch of one iteration (1, 2, ...). Setting and data are those of `split`."""
    classes, _ = split(setting, data)
    return _draw(setting, classes, _sizes(data), seed, Purpose.EPISODES, iteration, setting.meta_batch)


def validation(setting: Any, tasks: int, data: Dataset | None = None) -> Episodes:
    """The fixed episodes of the held-out classes, the same for every cell and seed."""
    _, classes = split(setting, data)
    return _draw(setting, classes, _sizes(data), setting.split_seed, Purpose.VALIDATION, 0, tasks)


def meta_test(setting: Any, block: int, tasks: int, data: Dataset | None = None) -> Episodes:
    """A block of the episodes of a meta-test, the same for every cell and seed."""
    return _draw(
        setting, for_meta_test(setting, data), _sizes(data), setting.split_seed, Purpose.TEST, block, tasks
    )


def _draw(
    setting: Any,
    pool: NDArray[np.int64],
    sizes: NDArray[np.int64],
    seed: int,
    purpose: Purpose,
    at: int,
    tasks: int,
) -> Episodes:
    n, most = setting.n_way, int(sizes.max())
    # Task by task, so that the first tasks of a larger meta-batch are those of a smaller one.
    keys = words(seed, purpose, at, tasks, len(pool) + n * (1 + most))
    choice, turns, drawings = np.split(keys, [len(pool), len(pool) + n], axis=1)
    per_class = setting.k_shot + setting.k_query
    characters = pool[first(choice, n)]
    drawings = drawings.reshape(tasks, n, most)
    if sizes.min() < most:  # what a class does not have comes last, and so is not taken
        drawings = np.where(np.arange(most) < sizes[characters][..., None], drawings, _LAST)
    return Episodes(
        characters=characters,
        rotations=(turns & np.uint64(3)).astype(np.int64) * setting.rotate,
        drawers=first(drawings, per_class),
    )


_LAST = np.uint64(2**64 - 1)


def together(episodes: Episodes) -> NDArray[np.int64]:
    """[tasks, n_way, 2 + k_shot + k_query]: of each class its character, its rotation and its drawers."""
    return np.concatenate((np.stack(episodes[:2], -1), episodes.drawers), -1)


def gather(episodes: Episodes, images: Tensor, k_shot: int, dtype: torch.dtype) -> Images:
    """Look the episodes up in `images`, on their device. See `look_up`."""
    numbers = torch.from_numpy(together(episodes)).to(images.device)
    return look_up(numbers, images, k_shot, dtype, rotate=bool(episodes.rotations.any()))


def look_up(numbers: Tensor, images: Tensor, k_shot: int, dtype: torch.dtype, rotate: bool) -> Images:
    """The images of episodes that are `together`, [..., tasks, n_way, 2 + k_shot + k_query], on their device.

    images: [classes, images, height, width, channels], or without channels: one. Whole numbers of 0 ... 255
    become 0 ... 1. rotate: whether any rotation is not 0.
    """
    images = images if images.dim() == 5 else images.unsqueeze(-1)
    characters, rotations, drawers = numbers[..., :1], numbers[..., 1], numbers[..., 2:]
    whole = images.dtype == torch.uint8
    parts = []
    for some in (drawers[..., :k_shot], drawers[..., k_shot:]):
        pixels = images[characters, some].flatten(-3)  # [..., tasks, n_way, images of a class, pixels]
        if rotate:
            turned = _turns(images.shape[2], images.shape[4], images.device)[rotations]
            pixels = pixels.gather(-1, turned.unsqueeze(-2).expand(pixels.shape))
        of_tasks = pixels.view(*numbers.shape[:-2], -1, *images.shape[2:])
        parts.append(of_tasks.to(dtype).div_(255 if whole else 1))
    return Images(*parts)


@lru_cache
def _turns(side: int, channels: int, device: torch.device) -> Tensor:
    """[4, side * side * channels]: the source of each pixel after 0, 1, 2, 3 quarter turns."""
    places = torch.arange(side * side * channels).view(side, side, channels)
    return torch.stack([places.rot90(k).flatten() for k in range(4)]).to(device)
