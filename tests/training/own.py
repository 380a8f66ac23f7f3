"""What a user might bring: a network with max-pooling and a data set of small RGB images, for tests alone."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor, nn
from torch.nn import functional as F

from harness.cell import Protocol, protocol_of
from harness.methods import METHODS
from harness.problems import PROBLEMS, datasets
from harness.problems.datasets import DATASETS, Source
from harness.problems.networks import NETWORKS, network
from tests.registries import for_now


class Pooled(nn.Module):
    """Two blocks of [convolution -> batch norm -> ReLU -> max-pooling], and a linear head."""

    def __init__(self, inputs: tuple[int, ...], outputs: int, filters: int = 3) -> None:
        super().__init__()
        channels, height, width = inputs
        self.body = nn.Sequential(*_block(channels, filters), *_block(filters, filters), nn.Flatten())
        self.head = nn.Linear(filters * (height // 4) * (width // 4), outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def _block(channels: int, filters: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(filters, track_running_stats=False), nn.ReLU(), nn.MaxPool2d(2)


def pooled(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """The same as a function of its parameters, in torch's operators."""
    for at in (0, 4):
        x = F.conv2d(x, weights[f"body.{at}.weight"], padding=1)
        norm = weights[f"body.{at + 1}.weight"], weights[f"body.{at + 1}.bias"]
        x = F.max_pool2d(F.batch_norm(x, None, None, *norm, training=True).relu(), 2)
    return F.linear(x.flatten(1), weights["head.weight"], weights["head.bias"])


CLASSES, IMAGES = 12, 5


def _load(resize: str) -> datasets.Dataset:
    """Images of a class resemble each other."""
    generator = np.random.default_rng(0)
    common, own = (
        generator.integers(0, 256, (CLASSES, images, 8, 8, 3), dtype=np.uint8) for images in (1, IMAGES)
    )
    return datasets.Dataset(
        name="squares",
        images=common // 3 * 2 + own // 3,
        characters=tuple(map(str, range(CLASSES))),
        sha256="1" * 64,
        counts=np.full(CLASSES, IMAGES),
    )


def protocol(monkeypatch: pytest.MonkeyPatch) -> Protocol:
    """Small and exact; network and data set are known until the test ends."""
    for_now(monkeypatch, METHODS, PROBLEMS, NETWORKS, DATASETS)
    network("pooled")(Pooled)
    DATASETS.add("squares", Source(name="squares", load=_load), __name__)
    return protocol_of(
        dataset="squares",
        network="pooled",
        train_characters=7,
        validation_characters=5,
        n_way=3,
        k_shot=2,
        k_query=2,
        meta_batch=2,
        validation_tasks=2,
        validation_every=4,
        precision="float64",
    )
