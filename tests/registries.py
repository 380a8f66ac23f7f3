"""What a process knows by name, changed for one test."""

from __future__ import annotations

from typing import Any

import pytest

from harness.common import plugins
from harness.common.registry import Registry
from harness.methods import METHODS
from harness.problems import PROBLEMS
from harness.problems.datasets import DATASETS
from harness.problems.networks import NETWORKS


def bring(monkeypatch: pytest.MonkeyPatch, registry: Registry[Any], thing: Any) -> None:
    """As if a plug-in had brought it."""
    monkeypatch.setitem(registry._things, thing.name, thing)
    monkeypatch.setitem(registry._owners, thing.name, __name__)


def forget(monkeypatch: pytest.MonkeyPatch, registry: Registry[Any], name: str) -> None:
    """As if nobody had brought it to this process."""
    monkeypatch.delitem(registry._things, name)
    monkeypatch.delitem(registry._owners, name)
    plugins.forget("no module")  # and what is remembered of grids


def for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes known, and what brings it, is forgotten when the test ends."""
    monkeypatch.setattr(plugins, "_loaded", dict(plugins._loaded))
    for registry in (DATASETS, METHODS, NETWORKS, PROBLEMS):
        monkeypatch.setattr(registry, "_things", dict(registry._things))
        monkeypatch.setattr(registry, "_owners", dict(registry._owners))
