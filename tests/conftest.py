"""Fixtures for all tests: a small protocol in float64, and images that need no data set."""

from __future__ import annotations

import functools
import signal

import numpy as np
import pytest
import torch

from harness.cell import protocol_of
from harness.methods import METHODS
from harness.problems import PROBLEMS, datasets, few_shot
from harness.problems.datasets.base import CHARACTERS, DATASETS, DRAWERS
from harness.problems.networks import NETWORKS
from tests.registries import for_now

torch.set_num_threads(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background of a shell

SMALL = protocol_of(
    dataset="glyphs",
    n_way=5,
    meta_batch=3,
    layers=2,
    filters=4,
    validation_tasks=2,
    validation_every=4,
    precision="float64",
)
"""Quick to train and exact to the last digits."""


@functools.cache
def _noise() -> datasets.Dataset:
    generator = np.random.default_rng(0)
    common = generator.integers(0, 256, (CHARACTERS, 1, 28, 28))
    own = generator.integers(0, 256, (1, DRAWERS, 28, 28))
    return datasets.Dataset(
        name="noise",
        images=((2 * common + own) // 3).astype(np.uint8),
        characters=tuple(map(str, range(CHARACTERS))),
        sha256="0" * 64,
    )


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> datasets.Dataset:
    """Random images instead of any data set; drawings of one character resemble each other."""
    data = _noise()
    monkeypatch.setattr(datasets, "load", lambda name, resize="lanczos": data)
    few_shot.images_of.cache_clear()
    yield data
    few_shot.images_of.cache_clear()


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes known is forgotten after it."""
    for_now(monkeypatch, DATASETS, METHODS, NETWORKS, PROBLEMS)
