"""Tables of grids of several kinds, from records with made-up losses."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from harness import grids
from harness.bench import made_up
from harness.grids import Grid
from harness.methods import METHODS, maml
from harness.records import tables
from harness.records.store import Store
from tests.registries import bring, forget

MIXED = """
title: Three methods
figure:
  kind: trajectories
  reference: {method: maml}
  columns: [{title: All, where: {alpha0: 0.1}}, {title: Reptile, where: {method: reptile}}]
protocol: {dataset: glyphs, n_way: 5}
target_loss: 1
max_iterations: 30
cells:
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
  - {method: reptile, alpha0: 0.1, eps0: [0.1, 1]}
  - {method: meta-sgd, alpha0: 0.1, beta0: 1e-3}
"""
SINUSOID = """
title: Regression
figure: {kind: heatmap, panels: [method], x: alpha0, y: beta0}
protocol: {problem: sinusoid}
target_loss: 2.9
max_iterations: 30
cells:
  - {method: maml, alpha0: [0.01, 0.1], beta0: [1e-3, 1e-2]}
"""
TYPED = """
title: Hyper-parameters of every type
figure: {kind: heatmap, panels: [rule, msl], x: steps, y: alpha0}
protocol: {dataset: glyphs, n_way: 5}
target_loss: 2.8
max_iterations: 30
cells:
  - {method: typed, alpha0: [0.01, 0.1], beta0: 1e-3, rule: [raw, update], msl: [false, true], steps: [1, 10]}
"""
LINES = """
title: The same as lines
figure:
  kind: trajectories
  reference: {method: maml}
  columns: [{title: Choices, where: {steps: 1}}, {title: Steps, where: {rule: raw, msl: true}}]
protocol: {dataset: glyphs, n_way: 5}
max_iterations: 30
cells:
  - {method: typed, alpha0: 0.1, beta0: 1e-3, rule: [raw, update], msl: [false, true], steps: [1, 10]}
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
"""


class Hyper(maml.Hyper):
    """One of each type."""

    rule: Literal["raw", "update"]
    msl: bool
    steps: int


class Typed(maml.MAML):
    """MAML with hyper-parameters of every type, which it leaves alone."""

    name = "typed"
    title = "Typed"
    Hyper = Hyper


def bring_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a plug-in had brought it."""
    bring(monkeypatch, METHODS, Typed())


def forget_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not loaded the plug-in."""
    forget(monkeypatch, METHODS, "typed")


def grid_of(folder: Path, text: str) -> Grid:
    """The grid of this file, in `folder`."""
    path = folder / "mine.yaml"
    path.write_text(text)
    return grids.load(str(path))


def swept(folder: Path, text: str) -> tables.Tables:
    """The tables of a grid whose cells all have a record, in folder/mine."""
    grid = grid_of(folder, text)
    made_up.fill(folder, grid.cells(), grid.max_iterations)
    store = Store(folder)
    assert tables.write(grid, store, store.scan(), folder / grid.folder) == {}
    return tables.read(folder / grid.folder)
