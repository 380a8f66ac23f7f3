"""A network and images as a user brings them: Conv-4 with max-pooling, 84 x 84 RGB."""

from __future__ import annotations

import numpy as np
from torch import nn

from harness.problems.few_shot import dataset
from harness.problems.networks import network

NETWORK, IMAGES = "max-pool", "random-rgb"
CLASSES, EACH, SIDE = 12, 10, 84


class MaxPool(nn.Sequential):
    """4 times [convolution, batch norm with batch statistics, ReLU, 2 x 2 max-pooling], linear."""

    def __init__(self, inputs: tuple[int, ...], outputs: int, filters: int = 32) -> None:
        channels, height, width = inputs
        layers: list[nn.Module] = []
        for _ in range(4):
            layers += [
                nn.Conv2d(channels, filters, 3, padding=1),
                nn.BatchNorm2d(filters, track_running_stats=False),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            channels = filters
        super().__init__(*layers, nn.Flatten(), nn.Linear(filters * (height // 16) * (width // 16), outputs))


def images() -> dict[str, np.ndarray]:
    """Random pixels: the time does not depend on what an image shows."""
    generator = np.random.default_rng(0)
    shape = EACH, SIDE, SIDE, 3
    return {f"class {n}": generator.integers(0, 256, shape, np.uint8) for n in range(CLASSES)}


def bring() -> None:
    """Make both known, which importing this does not: they are for the bench alone."""
    network(NETWORK)(MaxPool)
    dataset(IMAGES, n_way=5, k_shot=5, k_query=5, train_characters=6, validation_characters=6)(images)
