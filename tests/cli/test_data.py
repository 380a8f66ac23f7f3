"""A data set described and drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from harness.cli.data import _shown
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


BIRDS = """
import numpy as np
import harness

@harness.dataset("birds", train_characters=4, validation_characters=3, n_way=3, k_shot=2)
def birds():
    numbers = np.random.default_rng(0)
    return {f"bird {k}": numbers.integers(0, 256, (4 + k, 10, 12, 3)).astype(np.uint8) for k in range(7)}

@harness.dataset("stars", train_characters=4, validation_characters=3, n_way=3)
def stars():
    return {f"star {k}": np.full((2, 5, 5), k - 3.0) for k in range(7)}

@harness.dataset("torn")
def torn():
    return {"one": np.zeros((2, 5, 5)), "two": np.zeros((2, 5, 6))}

@harness.dataset("few")
def few():
    return {"one": np.zeros((2, 5, 5))}
"""


@pytest.fixture
def plugin(forgotten: None, tmp_path: Path) -> str:
    (tmp_path / "birds.py").write_text(BIRDS)
    return str(tmp_path / "birds.py")


def test_a_data_set_of_a_plugin(harness: Run, plugin: str, tmp_path: Path) -> None:
    said = harness("data", "birds", "--plugin", plugin, "--sheet", str(tmp_path / "sheet.png"))
    assert said.code == 0, said.err
    told = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    assert told.pop("sheet").strip().endswith("sheet.png")
    assert re.fullmatch("[0-9a-f]{64}", told.pop("sha256"))
    assert told == {
        "name": "birds",
        "classes": "7",
        "images": "49",
        "images_per_class": "4-10",
        "pixels": "10 x 12",
        "channels": "3",
        "type": "uint8",
        "bytes": str(49 * 10 * 12 * 3),
    }
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_a_sheet_of_numbers_beyond_one(harness: Run, plugin: str, tmp_path: Path) -> None:
    said = harness("data", "stars", "--plugin", plugin, "--sheet", str(tmp_path / "sheet.png"))
    assert said.code == 0, said.err
    assert re.search(r"^images_per_class +2$", said.out, re.MULTILINE)
    dark, bright = _shown(torch.tensor([[-3.0]]), torch.tensor([[2.0]]))
    assert (dark.tolist(), bright.tolist()) == ([0], [255])
    assert _shown(torch.tensor([[0.2]]), torch.tensor([[0.4]]))[1].tolist() == [102]  # as they are


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["torn"], "data set 'torn': class two has images of 5 x 6 x 1 float32, class one images of 5 x 5 x"),
        (["bird"], "data set 'bird': unknown; did you mean birds?"),
        (
            ["few", "--sheet", "few.png"],
            "data set 'few': it has 1 class; train_characters + validation_",
        ),
    ],
)
def test_a_mistake_in_it_is_one_line(harness: Run, plugin: str, words: list[str], said: str) -> None:
    told = harness("data", *words, "--plugin", plugin)
    assert (told.code, told.err.count("\n")) == (2, 1)
    assert told.err.startswith(f"harness: {said}")
