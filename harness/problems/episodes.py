"""Episodes: which characters, drawings and rotations make the tasks of an iteration. Pure integers.

They depend on (seed, split, iteration), the protocol and the sizes of the data set, and on nothing else:
every cell of a seed sees the same tasks. Only `gather`, which looks up their images, runs on the training
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
from harness.problems.streams import Purpose, order, words


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
    first, held_out = setting.train_characters, setting.validation_characters
    if data is not None and data.split is not None:
        return np.arange(data.split[0] + held_out, len(data.characters))
    return _shuffled(setting.split_seed, len(_sizes(data)))[first + held_out :]


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
    characters = pool[order(choice)[:, :n]]
    drawings = drawings.reshape(tasks, n, most)
    if sizes.min() < most:  # what a class does not have comes last, and so is not taken
        drawings = np.where(np.arange(most) < sizes[characters][..., None], drawings, _LAST)
    return Episodes(
        characters=characters,
        rotations=(turns & np.uint64(3)).astype(np.int64) * setting.rotate,
        drawers=_first(drawings, per_class),
    )


_LAST = np.uint64(2**64 - 1)
MANY = 1000
"""Keys of which it is faster to find the first ones than to order all."""


def _first(keys: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """The first `count` of `order(keys)`."""
    if keys.shape[-1] < MANY:
        return order(keys)[..., :count]
    found = np.argpartition(keys, count - 1, axis=-1)[..., :count]
    return np.take_along_axis(found, order(np.take_along_axis(keys, found, -1)), -1)


def gather(episodes: Episodes, images: Tensor, k_shot: int, dtype: torch.dtype) -> Images:
    """Look the episodes up in `images` ([classes, images, height, width, channels], or without channels:
    one), on their device. Whole numbers of 0 ... 255 become 0 ... 1."""
    device = images.device
    images = images if images.dim() == 5 else images.unsqueeze(-1)
    shape = images.shape[2:]
    characters, rotations, drawers = (_send(torch.from_numpy(part), device) for part in episodes)
    tasks, n_way, per_class = drawers.shape
    pixels = images[characters.unsqueeze(-1), drawers]  # [tasks, n_way, per_class, height, width, channels]
    if episodes.rotations.any():
        turned = _turns(shape[0], device)[rotations].view(tasks, n_way, 1, -1, 1)
        turned = turned.expand(-1, -1, per_class, -1, shape[2])
        pixels = pixels.flatten(3, 4).gather(3, turned)
    whole = images.dtype == torch.uint8
    support, query = (
        part.reshape(tasks, -1, *shape).to(dtype).div_(255 if whole else 1)
        for part in (pixels[:, :, :k_shot], pixels[:, :, k_shot:])
    )
    return Images(support, query)


def _send(numbers: Tensor, device: torch.device) -> Tensor:
    """To the device; a GPU fetches them from pinned memory, so that the host need not wait for it."""
    if device.type == "cuda":
        return numbers.pin_memory().to(device, non_blocking=True)
    return numbers.to(device)


@lru_cache
def _turns(side: int, device: torch.device) -> Tensor:
    """[4, side * side]: the source of each pixel after 0, 1, 2, 3 quarter turns."""
    places = torch.arange(side * side).view(side, side)
    return torch.stack([places.rot90(k).flatten() for k in range(4)]).to(device)
