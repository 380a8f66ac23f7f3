"""One record, found by the beginning of its id."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness import grids, records
from harness.cell import Cell
from harness.records import publishing
from harness.records.store import Store
from tests import swept
from tests.cli.conftest import Run, cells, fill, is_refused
from tests.records.test_tables import made


def test_both_passages_of_the_targets(harness: Run, results: Path) -> None:
    one = grids.load("fig2").cells()[0]  # fig3 has it too
    Store(results).put(made(one, "budget", [2.995] * 3 + [2.9] * 10 + [2.2] * 3))
    said = harness("show", one.cell_id)
    assert re.findall(r"(?:passages +| {11})(of .*)", said.out) == [
        "of 2.5: first 14, sustained none",
        "of 2.99: first 4, sustained 10",
    ]
    assert "of 2.92: first 4, sustained 11" in harness("show", one.cell_id, "--target", "2.92").out


def test_show(harness: Run, tiny: str, results: Path) -> None:
    done, failed, _ = fill(results, tiny)
    for beginning in (done.cell_id, done.cell_id[:12]):
        said = harness("show", beginning)
        assert said.code == 0
        for text in (done.cell_id, done.describe(), "n_way: 5", "budget after 5", "wall_seconds: 2.5", "1.5"):
            assert text in said.out
    assert "failed after 0 iterations: RuntimeError: no memory" in harness("show", failed.cell_id).out
    is_refused(harness("show", ""), "cell '': the beginning of 3 record ids")
    path = results / "store" / f"{done.cell_id}.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    is_refused(harness("show", done.cell_id), "truncated")


@pytest.fixture
def published(tiny: str, tmp_path: Path, reference_folder: Path) -> list[Cell]:
    """Two of three cells, in compact tables."""
    some = cells(tiny)
    for cell in some[:2]:
        Store(tmp_path / "elsewhere").put(made(cell, "budget", [1.5] * 5))
    publishing.publish(grids.load(tiny), tmp_path / "elsewhere", in_parts=True)
    return list(some)


def test_a_record_that_only_the_reference_has(harness: Run, published: list[Cell]) -> None:
    first, _, not_run = published
    says = r"not the beginning of any record id in .*, but of the reference's tiny; harness restore tiny puts"
    is_refused(harness("show", first.cell_id[:6]), says)
    is_refused(
        harness("show", not_run.cell_id[:6]), "not the beginning of any record id in .*; harness grids"
    )
    assert harness("restore", "tiny").code == 0
    assert harness("show", first.cell_id[:6]).code == 0


def test_a_record_from_compact_tables(harness: Run, tiny: str, results: Path, published: list[Cell]) -> None:
    note = "from compact tables: of most iterations they keep the training loss alone\n"
    first, second, _ = published
    Store(results).put(made(second, "budget", [1.5] * 5))
    assert harness("restore", "tiny").code == 0
    assert note in harness("show", first.cell_id).out
    assert note not in harness("show", second.cell_id).out


def test_what_is_not_known_of_its_versions_is_not_shown(harness: Run, tiny: str, results: Path) -> None:
    (cell, *_) = cells(tiny)
    one = records.load(made(cell, "budget", [1.5] * 5))
    origin = one.header.provenance | {"versions": {"torch": "2", "ray": None, "commit": "abc"}}
    Store(results).put(records.dump(replace(one, header=replace(one.header, provenance=origin))))
    assert "versions: torch 2, commit abc\n" in harness("show", cell.cell_id).out


def test_a_problem_without_classes(harness: Run, results: Path) -> None:
    results.mkdir()
    made = swept.swept(results, swept.SINUSOID)
    said = harness("show", made.trials["cell_id"][0])
    assert re.search(r"^protocol +sinusoid$", said.out, re.MULTILINE)
    assert re.search(r"^iteration +alpha +beta +train_loss +val_loss$", said.out, re.MULTILINE)
    assert not re.search("n_way|accuracy|data set|dataset: ", said.out)
