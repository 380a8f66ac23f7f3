"""The Python of docs/records.md reads what is written, as it stands there."""

from __future__ import annotations

import re
import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from harness.common.places import ROOT
from harness.records import export, tables
from harness.records.export.asked import Asked

SECTION = (ROOT / "docs" / "records.md").read_text().split("## Take the records elsewhere")[1]
BLOCKS = re.findall(r"^```python\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
LIBRARIES = {
    "optuna": "optuna",
    "syne-tune": "syne_tune.blackbox_repository",
    "mfpbench": "mfpbench",
    "croissant": "mlcroissant",
    "csv": "pandas",
    "tensorboard": "tensorboard",
}


def test_every_format_is_shown() -> None:
    assert {name for name in export.FORMATS for block in BLOCKS if f"fig1/export/{name}/" in block} == {
        *LIBRARIES
    }
    assert all(f"results/fig1/export/{name}/" in SECTION for name in export.FORMATS)
    assert re.findall(r"^\| `([\w-]+)` \|", SECTION, re.MULTILINE) == list(export.FORMATS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LIBRARIES)
def test_it_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        import_module(LIBRARIES[name])
    except (ImportError, ValueError) as error:  # of compiled code that is for another NumPy
        pytest.skip(f"{name} cannot be loaded ({error}); see docs/records.md")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNETUNE_FOLDER", str(tmp_path / "syne-tune"))
    read = tables.read(ROOT / "results" / "reference" / "fig1")
    folder = tmp_path / "results" / "fig1" / "export" / name
    export.write(name, Asked(name="fig1", source="the reference", tables=read), folder)
    (block,) = (block for block in BLOCKS if f"fig1/export/{name}/" in block)
    shown = ModuleType("shown")  # data classes look for their module
    monkeypatch.setitem(sys.modules, "shown", shown)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(block, vars(shown))
    assert capsys.readouterr().out
