"""The reference records in your own store: a sweep then continues from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import grids
from harness.records import NUMERICS, publishing
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, cells, is_refused
from tests.records.test_tables import made


@pytest.fixture(params=[False, True], ids=["whole", "in parts"])
def published(tiny: str, tmp_path: Path, reference_folder: Path, request: pytest.FixtureRequest) -> Path:
    for cell in cells(tiny)[:2]:
        Store(tmp_path / "elsewhere").put(made(cell, "budget", [1.5] * 5))
    return publishing.publish(grids.load(tiny), tmp_path / "elsewhere", in_parts=request.param)


@pytest.mark.usefixtures("published")
def test_a_sweep_goes_on_from_the_reference(harness: Run, tiny: str, results: Path) -> None:
    said = harness("restore", "tiny")
    assert (said.code, said.out.strip()) == (0, f"tiny: 2 records put into {results / 'store'}")
    said = harness("restore", "tiny")
    assert said.out.strip() == f"tiny: 0 records put into {results / 'store'}, 2 were there already"
    next((results / "store").glob("*.parquet")).unlink()
    said = harness("restore", "tiny")
    assert said.out.strip() == f"tiny: 1 record put into {results / 'store'}, 1 was there already"
    said = harness("grids", tiny, "--cells")
    assert "3 cells, 1 to run" in said.out


@pytest.mark.usefixtures("reference_folder")
def test_without_a_reference(harness: Run, results: Path) -> None:
    is_refused(harness("restore", "fig2"), "fig2: no reference records in .*; there are none yet")
    assert not results.exists()


@pytest.mark.usefixtures("published")
def test_a_grid_of_your_own_with_cells_of_the_reference(harness: Run, tmp_path: Path, results: Path) -> None:
    """Restored, drawn and compared by its cells; two of its three are in the reference."""
    own = tmp_path / "own.yaml"
    own.write_text(TINY.replace("alpha-maml, alpha0: 0.1", "alpha-maml, alpha0: 0.7"))
    said = harness("plot", str(own))
    assert said.out.startswith(
        "own: the reference records (2 of 3 cells of seed 0, from tiny; x, commit abc+)"
    )
    is_refused(harness("compare", str(own)), "no records of own yet")
    said = harness("restore", str(own))
    source = "(2 of its 3 cells, from tiny)"
    assert said.out == f"{own}: 2 records put into {results / 'store'} {source}\n"
    said = harness("compare", str(own))
    assert said.out.startswith("reference: 2 of 3 cells of seed 0, from tiny; x")
    is_refused(harness("compare", str(own), "--keep"), "own: no reference records")


@pytest.mark.usefixtures("published")
def test_records_of_an_older_arithmetic(harness: Run, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.records.restore.NUMERICS", NUMERICS + 1)
    is_refused(harness("restore", "tiny"), "tiny: its reference records are of an older version")
