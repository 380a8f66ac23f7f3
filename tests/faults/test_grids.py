"""Some mutated grids of each kind; `python -m tests.faults.grids` reads many more."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness import grids
from tests.faults import grids as faults
from tests.faults.mutations import KINDS
from tests.grids.test_grid import GRID, READINGS


def test_some_mutants() -> None:
    """A turn of all kinds, and the beginning of the next."""
    found = list(faults.answers(42, seed=1))
    assert [one.number for one in found] == list(range(42))
    assert {one.kind for one in found} > KINDS.keys()
    assert [one for one in found if one.verdict not in faults.GOOD] == []
    assert {one.verdict for one in found} == set(faults.GOOD)


def test_a_mutant_is_the_same_again() -> None:
    assert [faults.mutant(i, 5) for i in range(60)] == [faults.mutant(i, 5) for i in range(60)]
    assert faults.mutant(1, 5) != faults.mutant(1, 6)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("max_iterations: 500", "max_iterations: 501"),
        ("target_loss: 2.5\n", ""),
        ("k_shot: 5", "k_shot: 4"),
        ("k_query: 5", "k_query: 6"),
        ("seeds: [0]", "seeds: [0, 1]"),
        ("1e-8", "[1e-8, 1e-7]"),
        ("[1e-1, 1e-2]", "[1e-1, 2e-2]"),
        ("title: Mine", "title: mine"),
        ("title: Mine", "title: Mine\nmore: 1"),
        ("x: beta_hyperlr", "x: alpha0"),
        ("500", "'500'"),
    ],
)
def test_a_grid_that_is_misread_is_found(tmp_path: Path, written: str, meant: str) -> None:
    """The judge is right about a grid, and objects if the file had said something else."""
    path = tmp_path / "mine.yaml"
    path.write_text(READINGS)
    grid = grids.load(str(path))
    many = len({cell.cell_id for cell in grid.cells()})
    assert faults.misread(READINGS.encode(), grid, many) is None
    assert written in READINGS
    assert faults.misread(READINGS.replace(written, meant, 1).encode(), grid, many) is not None


@pytest.mark.parametrize(
    ("text", "clear"),
    [
        ("{path}:3: k_shot: 20 is not < 20", True),
        ("{path}:3:", False),
        ("{path}: wrong", False),
        ("{path}:300: wrong", False),
        ("wrong", False),
        ("{path}:3: a\nb", False),
        ("{path}:3: \x1b[2J", False),
        ("{path}:3: " + "x" * 1000, False),
    ],
)
def test_an_unclear_message_is_found(tmp_path: Path, text: str, clear: bool) -> None:
    path = tmp_path / "mine.yaml"
    one = faults.Mutant(kind="bytes", name="mine", content=GRID.encode())
    assert faults.is_clear(text.format(path=path), path, one) == clear


def test_a_reader_that_hangs_or_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "HANGS", 0.0)
    assert [one.verdict for one in faults.answers(2, seed=0)] == ["slow", "slow"]


def test_the_sources_are_grids_of_their_own() -> None:
    assert len(set(faults.sources())) == len(faults.sources()) > 10
    assert all(isinstance(yaml.safe_load(text), dict) for text in faults.sources())
