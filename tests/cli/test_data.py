"""A data set described and drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.usefixtures("noise")
def test_data_and_its_sheet(harness: Run, tmp_path: Path) -> None:
    said = harness("data", "glyphs", "--sheet", str(tmp_path / "new" / "sheet.png"))
    assert said.code == 0, said.err
    assert re.search(r"^characters +1623$", said.out, re.MULTILINE)
    assert (tmp_path / "new" / "sheet.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").touch()
    said = harness("data", "glyphs", "--sheet", str(tmp_path / "file" / "sheet.png"))
    assert said.code == 1
    assert said.err.endswith("sheet.png: not written: there is a file where a folder is needed\n")
