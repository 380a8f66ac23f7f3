"""`harness WORDS` as a person types it, into a results folder of its own, with no reference records."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from harness import cli, grids, records
from harness.cell import Cell
from harness.common import places
from harness.common.signals import STOPS
from harness.records.store import Store
from tests.records.test_tables import made

TINY = """
title: Tiny
figure: {kind: heatmap, panels: [method], x: alpha0, y: beta0}
protocol: {dataset: glyphs, n_way: 5, filters: 4, layers: 2, meta_batch: 2, validation_tasks: 2}
target_loss: 0.1
max_iterations: 5
cells:
  - {method: maml, alpha0: [0.1, 0.2], beta0: 1e-3}
  - {method: alpha-maml, alpha0: 0.1, beta0: 1e-3, alpha_hyperlr: 0.1, beta_hyperlr: 1e-5}
"""


@dataclass(frozen=True, kw_only=True)
class Said:
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def reference_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "REFERENCE", tmp_path / "reference")
    return tmp_path / "reference"


@pytest.fixture
def harness(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    results: Path,
    reference_folder: Path,
) -> Run:
    """Runs `harness WORDS --results ...` as `main` would be run."""

    def run(*words: str) -> Said:
        where = [] if words[0] == "data" or "-h" in words else ["--results", str(results)]
        monkeypatch.setattr(sys, "argv", ["harness", *words, *where])
        capsys.readouterr()
        code, handlers = 0, {number: signal.getsignal(number) for number in STOPS}
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        for number, handler in handlers.items():  # after an interrupt, no signal is wanted any more
            signal.signal(number, handler)
        said = capsys.readouterr()
        return Said(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of grids are blank pages: most of a test's time would go into drawing them."""
    monkeypatch.setattr("harness.plots.render.draw", lambda *_: Figure(figsize=(1, 1)))


def is_refused(said: Said, pattern: str) -> None:
    """Exit code 2 and one line on stderr, that matches."""
    assert said.code == 2
    assert re.fullmatch(rf"harness: [^\n]*{pattern}[^\n]*\n", said.err), said.err


def cells(tiny: str) -> tuple[Cell, ...]:
    return grids.load(tiny).cells()


def fill(results: Path, tiny: str) -> list[Cell]:
    """One cell done, one failed, one of an older arithmetic."""
    done, failed, old = cells(tiny)
    store = Store(results)
    store.put(made(done, "budget", [1.5] * 5))
    store.put(made(failed, "failed", []))
    record = records.load(made(old, "budget", [1.5] * 5))
    store.put(records.dump(replace(record, header=replace(record.header, numerics=0))))
    return [done, failed, old]
