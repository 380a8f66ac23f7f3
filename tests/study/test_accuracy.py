"""docs/accuracy.md says what the reference's meta-tests say."""

from __future__ import annotations

import pytest

from harness import grids
from harness.common import pages
from harness.records import reference
from harness.study import accuracy
from harness.study.accuracy import FIVE_WAY, PAGE, SINUSOID, TABLES

TEXT = PAGE.read_text()


def test_the_page_is_up_to_date() -> None:
    """If this fails, run `harness publish page`."""
    assert pages.filled(TEXT, TABLES) == TEXT
    assert sorted(pages.names(TEXT)) == sorted(TABLES)


@pytest.mark.parametrize("grid", [FIVE_WAY, SINUSOID])
def test_the_reference_is_that_of_the_grid_with_all_its_weights(grid: str) -> None:
    """So that anybody can make the test again."""
    loaded, tests = grids.load(grid), accuracy.tested(grid)
    cells = [cell.cell_id for cell in loaded.cells()]
    assert sorted(tests.about["cells"]) == sorted(cells)
    assert tests.about["meta_test"] == loaded.meta_test.model_dump(mode="json")  # type: ignore[union-attr]
    published = (reference.find(grid) / reference.WEIGHTS).glob("*")
    assert sorted(path.stem.partition("-")[0] for path in published) == sorted(cells)
    assert (accuracy.read(grid).trials["iterations_run"] == loaded.max_iterations).all()


def test_no_class_of_the_test_has_been_looked_at() -> None:
    (words,) = accuracy.tested(FIVE_WAY).about["classes"].values()
    assert words == "the 423 classes that neither train nor validate"
    assert "600 tasks of the 423 that are left" in " ".join(TEXT.split())


def test_what_is_said_in_short() -> None:
    short = " ".join(TEXT.split("In short,")[1].split("    make")[0].split())
    by_steps = {row[0]: row for row in (line.split(" | ") for line in accuracy.by_steps().splitlines())}
    assert f"**{by_steps['| 3'][1]} % on 5-way" in short
    assert accuracy.PAPER[3] in short
    rows = [line.split(" | ") for line in accuracy.regression().splitlines()[2:]]
    means = {(name.strip("| "), rate): [one.split(" +-")[0] for one in of] for name, rate, *of in rows}
    maml, trained = means["MAML", "0.01"], means["pre-trained", "0.02"]
    assert f"**{maml[1]} after one step and {maml[-1]} after ten**, from {maml[0]}" in short
    assert f"a pre-trained network comes to {trained[-1].strip(' |')}" in short


def test_how_much_the_steps_after_the_first_change() -> None:
    wide = accuracy.tested(FIVE_WAY).rows.pivot(index=["cell_id", "task"], columns="steps", values="accuracy")
    assert (wide[10] - wide[1]).abs().mul(5).round().sum() == 1
    assert len(wide) * 5 == 6000
    assert "nine more change the answer to one image of 6,000" in " ".join(TEXT.split())
