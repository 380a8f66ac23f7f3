"""Episodes: which characters, drawings and rotations make the tasks of an iteration. Pure integers.

They depend on (seed, split, iteration) and the setting, and on nothing else: every cell of a seed sees
the same tasks. Only `gather`, which looks up their images, runs on the training device.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.problems.setting import CHARACTERS, DRAWERS, Setting
from harness.problems.streams import Purpose, order, words


class Episodes(NamedTuple):
    """`tasks` tasks of n_way classes. A class is one character in one rotation; its label is its position."""

    characters: NDArray[np.int64]
    """[tasks, n_way], all different within a task."""
    rotations: NDArray[np.int64]
    """[tasks, n_way], quarter turns counter-clockwise."""
    drawers: NDArray[np.int64]
    """[tasks, n_way, k_shot + k_query], all different within a class, the support's first."""


class Batch(NamedTuple):
    """The images of some tasks as a network takes them: ink 1, paper 0, ordered class by class."""

    support: Tensor
    """[tasks, n_way * k_shot, 28, 28, 1]"""
    query: Tensor
    """[tasks, n_way * k_query, 28, 28, 1]"""


def labels(n_way: int, images: int, device: torch.device | None = None) -> Tensor:
    """[images] the class of each image of a task, in the order of a Batch; None: on the CPU."""
    return torch.arange(n_way, device=device).repeat_interleave(images // n_way)


@lru_cache
def split(setting: Setting) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The characters that train and those held out for validation: disjoint, fixed by `split_seed`."""
    shuffled = order(words(setting.split_seed, Purpose.SPLIT, 0, CHARACTERS))
    train = setting.train_characters
    return shuffled[:train], shuffled[train : train + setting.validation_characters]


def training(setting: Setting, seed: int, iteration: int) -> Episodes:
    """The meta-batch of one iteration (1, 2, ...)."""
    characters, _ = split(setting)
    return _draw(setting, characters, seed, Purpose.EPISODES, iteration, setting.meta_batch)


def validation(setting: Setting, tasks: int) -> Episodes:
    """The fixed episodes of the held-out characters, the same for every cell and seed."""
    _, characters = split(setting)
    seed = setting.split_seed
    return _draw(setting, characters, seed, Purpose.VALIDATION, 0, tasks)


def _draw(
    setting: Setting, pool: NDArray[np.int64], seed: int, purpose: Purpose, at: int, tasks: int
) -> Episodes:
    n = setting.n_way
    # Task by task, so that the first tasks of a larger meta-batch are those of a smaller one.
    keys = words(seed, purpose, at, tasks, len(pool) + n * (1 + DRAWERS))
    choice, turns, drawings = np.split(keys, [len(pool), len(pool) + n], axis=1)
    per_class = setting.k_shot + setting.k_query
    return Episodes(
        characters=pool[order(choice)[:, :n]],
        rotations=(turns & np.uint64(3)).astype(np.int64) * setting.rotate,
        drawers=order(drawings.reshape(tasks, n, DRAWERS))[..., :per_class],
    )


def gather(episodes: Episodes, images: Tensor, k_shot: int, dtype: torch.dtype) -> Batch:
    """Look the episodes up in `images` (uint8 [characters, drawers, 28, 28]), on their device."""
    device, side = images.device, images.shape[-1]
    characters, rotations, drawers = (_send(torch.from_numpy(part), device) for part in episodes)
    tasks, n_way, per_class = drawers.shape
    pixels = images[characters.unsqueeze(-1), drawers].flatten(3)  # [tasks, n_way, per_class, 784]
    turned = _turns(side, device)[rotations].unsqueeze(2).expand(-1, -1, per_class, -1)
    pixels = pixels.gather(3, turned).to(dtype) / 255
    return Batch(
        pixels[:, :, :k_shot].reshape(tasks, n_way * k_shot, side, side, 1),
        pixels[:, :, k_shot:].reshape(tasks, n_way * (per_class - k_shot), side, side, 1),
    )


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
