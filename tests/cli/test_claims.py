"""`harness claims`: by your records or by the reference's, printed and written."""

from __future__ import annotations

import json
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from harness import grids
from harness.cli import claims
from harness.paper.claims import CLAIMS
from harness.paper.matrix import Matrix
from harness.records import publishing, tables
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, is_refused
from tests.paper import matrices
from tests.paper.claims.tables import changing
from tests.records.test_tables import made

FILES = ["claims.json", "claims.md", "claims.png", "claims.svg", "claims.pdf"]
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
    publishing.publish(grid, tmp_path / "elsewhere")
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

    assert sorted(path.name for path in results.glob("claims.*")) == sorted(FILES)
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


def test_the_first_reading_with_reasons() -> None:
    lines = [line.plain for line, _ in claims.under_the_first(matrices.made())]
    assert lines[0] == "the paper's sentences under paper-adam"
    assert lines[1].split() == ["strict", "weak", "sustained"]
    place = {name: lines[1].index(name) for name in claims.FORMS}
    first, why = next(two for two in pairwise(lines) if two[0].startswith("C1 "))
    assert [first[place[name]] for name in claims.FORMS] == ["F", "H", "?"]
    assert why == "    31 of 36 cells"
    assert not any(line.startswith("C2 ") for line in lines)  # it was not asked there
    assert any(line.startswith("C16 ") for line in lines)


def rows(asked: Matrix, width: int) -> list[str]:
    """What the table of all readings looks like."""
    console = Console(width=width, file=StringIO(), color_system=None)
    console.print(claims.under_all(asked))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_every_reading_in_80_columns() -> None:
    head, main, sgd, any_ = rows(matrices.made(), 80)
    assert head.split() == [claim.key for claim in CLAIMS]
    assert (main.split(), sgd.split(), any_.split()) == (
        ["paper-adam", "FH"],
        ["paper-sgd", "F"],
        ["any", "reading", "F"],
    )
    assert main.index("FH") == head.index("C1")
    assert sgd.rindex("F") == head.index("C2")
    assert any_.index("F") == head.index("C16")


def test_many_readings_with_long_names_in_80_columns() -> None:
    long = changing(head_init="normal", k_query=15, meta_batch=8)
    lines = rows(matrices.made() | {(claim.key, long): matrices.TOLD for claim in CLAIMS}, 80)
    assert max(map(len, lines)) <= 80
    assert lines[-2].split() == ["k_query=15,", "meta_batch=8,", *["FH"] * 16]
    assert lines[-1].split() == ["head_init=normal"]
