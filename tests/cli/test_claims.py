"""`harness claims`: by your records or by the reference's, printed and written."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from harness import grids
from harness.cli import claims
from harness.paper.claims import CLAIMS
from harness.records import reference, tables
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, is_refused
from tests.paper import matrices
from tests.paper.claims.tables import changing
from tests.records.test_tables import made

FILES = ["claims.json", "claims.md", "claims.png", "claims.svg"]
LABEL = "paper-adam, n_way=5"
SMALL = TINY.replace("glyphs", "omniglot").replace(", filters: 4, layers: 2, meta_batch: 2", "")
SMALL = SMALL.replace(", validation_tasks: 2", "")


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A grid on Omniglot: nothing here trains."""
    path = tmp_path / "tiny.yaml"
    path.write_text(SMALL)
    return str(path)


def fill(results: Path, tiny: str, count: int) -> None:
    store = Store(results)
    for cell in grids.load(tiny).cells()[:count]:
        store.put(made(cell, "budget", [1.5] * 5))


def test_without_any_records(harness: Run, results: Path) -> None:
    is_refused(harness("claims"), "no tables on omniglot here.*make sweep")
    assert not results.exists()


@pytest.mark.usefixtures("reference_folder")
def test_by_your_records_and_by_the_reference(harness: Run, tiny: str, results: Path, tmp_path: Path) -> None:
    grid = grids.load(tiny)
    fill(tmp_path / "elsewhere", tiny, 2)
    reference.publish(grid, tmp_path / "elsewhere")
    fill(results, tiny, 3)
    tables.write(grid, Store(results), Store(results).scan(), results / "tiny")

    said = harness("claims")
    assert said.code == 0, said.err
    assert "tiny: your records (3 of 3 cells run)" in said.out
    assert f"the paper's sentences under {LABEL}" in said.out
    assert said.out.count("C1 to C16 are sentences of the paper") == 1
    for key in ("C13", "C15", "C16"):  # what a grid of such cells is asked, and what no grid is
        assert f"\n{key} " in said.out
    assert said.out.splitlines()[-1] == f"wrote {', '.join(str(results / name) for name in FILES)}"

    assert sorted(path.name for path in results.glob("claims.*")) == FILES
    found = json.loads((results / "claims.json").read_text())
    assert found["readings"][0] == LABEL
    judged = {claim["key"]: claim["judged"].get(LABEL) for claim in found["claims"]}
    assert list(judged) == [f"C{i}" for i in range(1, 17)]
    assert judged["C15"]["strict"]["verdict"] == "holds"
    assert "## C15" in (results / "claims.md").read_text()

    said = harness("claims", "--reference")
    assert said.code == 0, said.err
    assert "tiny: reference (2 of 3 cells run)" in said.out
    sources = json.loads((results / "claims.json").read_text())["sources"]
    assert sources == {"tiny": "reference (2 of 3 cells run)"}


def test_the_terminal_shows_the_first_reading_and_all_in_a_hundred_columns():
    console = Console(width=100, file=StringIO(), color_system=None)
    for table in claims.tables(matrices.made()):
        console.print(table)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    (first, small) = (line.split() for line in lines if line.startswith("C1 "))
    assert {"fails", "holds", "?", "31"} <= set(first)
    assert small == ["C1", "F", "(H)"]
    assert [line.split() for line in lines if line.startswith("C2 ")] == [["C2", "F"]]  # not in the first
    assert sum(line.startswith("C16") for line in lines) == 2


def test_the_head_of_a_reading_is_what_it_changes_broken_at_the_sign():
    five = changing(k_shot=5)
    asked = matrices.made() | {(claim.key, five): None for claim in CLAIMS} | {("C1", five): matrices.TOLD}
    _, small = claims.tables(asked)
    assert small.columns[-1].header == "k_shot=\n5"
