"""What the README shows works: its grids load, its method trains, its make variables and links exist."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

from harness import grids
from harness.cell import Cell, Question
from harness.common.places import ROOT
from harness.methods import METHODS
from harness.training import loop
from tests.conftest import SMALL

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def readme_method(monkeypatch: pytest.MonkeyPatch) -> str:
    """The method of the README, registered as it says."""
    (source,) = (block for block in blocks("python") if "def step" in block)
    module = types.ModuleType("readme_method")
    monkeypatch.setitem(sys.modules, "readme_method", module)
    exec(compile(source, "README.md", "exec"), module.__dict__)
    method = module.DecayingMAML()
    monkeypatch.setitem(METHODS, method.name, method)
    return method.name


@pytest.mark.usefixtures("noise")
def test_the_method_trains_and_is_maml_without_decay(readme_method: str) -> None:
    rates = {"alpha0": 0.1, "beta0": 0.01}

    def run(method: str, **more: float) -> dict[str, list]:
        fields = {"protocol": SMALL, "method": method, "hyper": rates | more, "seed": 0}
        question = Question(max_iterations=5)
        (record,) = loop.train([Cell.model_validate(fields)], question)
        return record.rows.to_pydict()

    assert run(readme_method, decay=1.0) == run("maml")
    betas = run(readme_method, decay=0.5)["beta"]
    assert betas == [0.01, 0.005, 0.0025, 0.00125, None]


@pytest.mark.usefixtures("readme_method")
def test_the_grids_load(tmp_path: Path) -> None:
    texts = blocks("yaml")
    assert len(texts) >= 2
    for i, text in enumerate(texts):
        path = tmp_path / f"readme{i}.yaml"
        path.write_text(text)
        assert grids.load(str(path)).cells()


def test_every_variable_of_make_is_one() -> None:
    shown = set(re.findall(r"`([A-Z_]+)=", README))
    assert {"GRID", "SEEDS", "DATASET", "DEVICE", "JOBS", "RESULTS", "RAY_ADDRESS", "WHERE", "SHARD"} <= shown
    (given,) = re.findall(r"^GIVEN := (.*)", MAKEFILE, re.MULTILINE)
    assert shown - {"OMNIGLOT_ROOT", "RAY_AUTH_MODE"} <= set(given.split())


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
