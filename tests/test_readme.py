"""What the README shows works: its grids load, its Python runs; its variables, examples and links exist."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import grids
from harness.common import plugins
from harness.common.places import ROOT
from harness.methods import METHODS
from harness.problems import PROBLEMS
from harness.problems.datasets import DATASETS
from harness.problems.networks import NETWORKS
from harness.records import schema

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
EXAMPLES = ROOT / "examples"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def the(language: str, words: str) -> str:
    """The block with these words."""
    (block,) = (block for block in blocks(language) if words in block)
    return block


def test_the_example_is_shown_as_it_is() -> None:
    """Which tests/test_examples.py sweeps."""
    assert the("python", "class SignMAML") == (EXAMPLES / "sign_maml.py").read_text()
    head, *grid = (EXAMPLES / "sign_maml.yaml").read_text().splitlines(keepends=True)
    assert head.startswith("# ")
    assert the("yaml", "sign_maml.py") == "".join(grid)


def test_each_example_has_its_command() -> None:
    shown = re.findall(r"make sweep GRID=(examples/\S+\.yaml)`", README)
    assert set(shown) == {path.relative_to(ROOT).as_posix() for path in EXAMPLES.glob("*.yaml")}


def test_the_grids_load(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "sign_maml.py", tmp_path)
    texts = blocks("yaml")
    assert len(texts) == 2
    for i, text in enumerate(texts):
        path = tmp_path / f"readme{i}.yaml"
        path.write_text(text)
        assert grids.load(str(path)).cells()


def test_a_method_from_python_trains(capsys: pytest.CaptureFixture[str]) -> None:
    space: dict[str, Any] = {"__name__": "readme"}
    try:
        exec(the("python", "class Halved"), space)
    finally:
        METHODS.drop("halved")
    assert len(space["rows"]) == 20
    assert set(space["rows"]["beta"].dropna()) == {0.005}
    assert float(capsys.readouterr().out) == space["rows"]["train_loss"].min()


def test_the_results_are_read_as_shown(capsys: pytest.CaptureFixture[str]) -> None:
    block = the("python", "harness.load")
    exec(block.replace('"fig2")', '"reference/fig2")', 1), {})
    assert "alpha_hyperlr" in capsys.readouterr().out


def test_entry_points_are_in_groups_that_are_looked_at() -> None:
    groups = {registry.group for registry in (METHODS, PROBLEMS, NETWORKS, DATASETS)}
    (text,) = blocks("toml")
    assert tomllib.loads(text)["project"]["entry-points"].keys() <= groups
    assert all(f"`{group}`" in README or f'"{group}"' in README for group in groups)


def test_what_is_built_in_is_in_its_tables() -> None:
    section = README.split("### What is built in")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \|(.*)", section, re.MULTILINE))
    ours = [name for known in (METHODS, PROBLEMS) for name in known if plugins.is_ours(known.module(name))]
    assert list(rows) == ours
    for name, one in METHODS.items():
        new = one.Hyper.model_fields.keys() - METHODS["maml"].Hyper.model_fields.keys()
        assert all(f"`{field}`" in rows[name] for field in new)


def test_every_column_is_named() -> None:
    named = re.findall(r"`(\w+)`", README.split("### Columns")[1].split("\n## ")[0])
    assert set(named) >= all_columns()


def all_columns() -> set[str]:
    """Of the tables of the paper's grids."""
    cells = grids.load("fig2").cells()
    return schema.trials(cells).keys() | schema.trajectories(cells).keys()


def test_every_variable_of_make_is_one() -> None:
    shown = set(re.findall(r"`([A-Z_]+)=", README))
    assert {
        "GRID",
        "SEEDS",
        "DATASET",
        "DEVICE",
        "JOBS",
        "RESULTS",
        "RAY_ADDRESS",
        "WHERE",
        "SHARD",
        "STALE",
    } <= shown
    (given,) = re.findall(r"^GIVEN := ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)
    assert shown - {"OMNIGLOT_ROOT", "RAY_AUTH_MODE"} <= set(given.split())


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    heads = re.findall(r"^#+ (.*)", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#:]*)#?([^):]*)\)", page.read_text()):
            there = page.parent / target if target else page
            assert there.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(there), f"{page.name}: {target}#{anchor}"
