"""The reference records in your own store: a sweep then continues from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import grids
from harness.records import reference
from harness.records.store import Store
from tests.cli.conftest import Run, cells, is_refused
from tests.records.test_tables import made


@pytest.fixture
def published(tiny: str, tmp_path: Path, reference_folder: Path) -> Path:
    for cell in cells(tiny)[:2]:
        Store(tmp_path / "elsewhere").put(made(cell, "budget", [1.5] * 5))
    return reference.publish(grids.load(tiny), tmp_path / "elsewhere")


@pytest.mark.usefixtures("published")
def test_a_sweep_goes_on_from_the_reference(harness: Run, tiny: str, results: Path) -> None:
    said = harness("restore", "tiny")
    assert (said.code, said.out.strip()) == (0, f"tiny: 2 records put into {results / 'store'}")
    assert harness("restore", "tiny").out.startswith("tiny: 0 records")  # they are there now
    said = harness("grids", tiny, "--cells")
    assert "3 cells, 1 to run" in said.out


@pytest.mark.usefixtures("reference_folder")
def test_without_a_reference(harness: Run, results: Path) -> None:
    is_refused(harness("restore", "fig2"), "fig2: no reference records in .*; there are none yet")
    assert not results.exists()
