"""The grids, and the dry run of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import grids
from tests.cli.conftest import Run


def test_grids(harness: Run) -> None:
    said = harness("grids")
    assert said.code == 0
    listed = [line.split()[0] for line in said.out.splitlines()[1:] if line[:1].strip()]
    assert [name for name in listed if name in grids.names()] == grids.names()
    assert "quick-omniglot" in harness("grids", "quick", "--dataset", "omniglot").out


@pytest.mark.usefixtures("noise")
def test_dry_run(harness: Run, results: Path) -> None:
    said = harness("grids", "quick", "--cells", "--where", "method=maml", "--seeds", "0-1", "--jobs", "2")
    assert said.code == 0
    wanted = [cell for cell in grids.load("quick").cells((0, 1)) if cell.method == "maml"]
    listed = [line.split()[0] for line in said.out.splitlines()[:-1]]
    assert sorted(listed) == sorted(cell.cell_id for cell in wanted)
    assert re.search(
        r"^\d+ cells, \d+ to run: at most .*, 2 at a time.*measured just now", said.out, re.MULTILINE
    )
    assert not results.exists()
