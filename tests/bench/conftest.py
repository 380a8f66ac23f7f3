"""A small problem, and a bench that takes no time."""

from __future__ import annotations

import pytest

from harness.bench import floor, peers, timing
from harness.bench.workload import SMALL
from harness.problems import datasets

TINY = SMALL.model_copy(update={"layers": 3, "filters": 4})


@pytest.fixture
def quickly(noise: datasets.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random images, and nothing that takes time: no real peak, no collecting in a test's large heap."""
    monkeypatch.setattr(floor, "PEAK_SIDE", 16)
    monkeypatch.setattr(timing.gc, "collect", lambda: 0)


@pytest.fixture
def no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has none of the three."""
    load = peers._load

    def absent(package: str) -> object:
        if package in peers.LIBRARIES:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
        return load(package)

    monkeypatch.setattr(peers, "_load", absent)
