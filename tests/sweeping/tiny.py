"""A tiny grid, a sweep of it in this process, and a display that remembers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness import grids
from harness.records import Progress, Record, tables
from harness.sweeping import serial
from harness.sweeping.runner import Machine
from harness.sweeping.sweep import Request, Result, sweep

MACHINE = Machine(device="cpu", jobs=2)


GRID = """
title: Tiny
figure: {kind: heatmap, panels: [alpha0, beta0], x: beta_hyperlr, y: alpha_hyperlr}
protocol:
  dataset: glyphs
  n_way: 5
  meta_batch: 2
  layers: 2
  filters: 4
  validation_tasks: 2
target_loss: 1.0
max_iterations: ITERATIONS
cells:
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
  - {method: alpha-maml, alpha0: 0.1, beta0: 1e-3, alpha_hyperlr: [1e-2, 1], beta_hyperlr: 1e-5}
"""


def grid_file(folder: Path, iterations: int = 6) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(GRID.replace("ITERATIONS", str(iterations)))
    return path


class Silent:
    """A display that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ended: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, total: int, done: int, jobs: int) -> None:
        self.plan, self.jobs = (total, done), jobs

    def progress(self, now: list[Progress]) -> None:
        self.shown = [p.cell.cell_id for p in now]

    def record(self, record: Record, question: object) -> None:
        self.ended.append(record.header.cell.cell_id)

    def end(self) -> None:
        pass


def request(tmp_path: Path, iterations: int = 6, **fields: object) -> Request:
    grid = grids.load(str(grid_file(tmp_path, iterations)))
    return Request(grid=grid, results=tmp_path / "results", machine=MACHINE, **fields)


def run(asked: Request, runner: Callable = serial.run) -> tuple[Result, Silent]:
    display = Silent()
    return sweep(asked, runner, display), display


def rows(folder: Path) -> list[dict]:
    table = tables.read(folder).trajectories
    return json.loads(table.to_json(orient="records", double_precision=15))
