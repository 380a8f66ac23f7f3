"""What harness sensitivity refuses, in one line and before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.records.store import Store
from tests.cli.conftest import TINY, Run, cells, is_refused
from tests.cli.test_sensitivity import CURVES_OF_MAML, LATE, MISS, QUICK, figures, fill, published
from tests.records.test_tables import made

__all__ = ["figures", "published"]


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["fig22"], r"grid 'fig22': unknown; did you mean fig2\b"),
        (["quick"], "no records of quick yet .* make sweep GRID=quick makes some"),
        (["quick", "--reference"], "no records of quick yet"),
        ([], "sensitivity: name one grid or more; there are no records yet"),
        (["quick", "--target", "nan"], "target nan: write a number > 0"),
        (["quick", "--target", "-1"], "target -1: write a number > 0"),
        (["quick", "--target", "inf"], "target inf: write a number > 0"),
        (["quick", "--seeds", "x"], "seeds 'x': write whole numbers"),
    ],
)
def test_a_mistake_is_one_line(harness: Run, results: Path, words: list[str], pattern: str) -> None:
    is_refused(harness("sensitivity", *words), pattern)
    assert not results.exists()


def test_mistakes_about_records(harness: Run, tiny: str, results: Path, tmp_path: Path) -> None:
    fill(results, tiny, LATE, MISS, QUICK)
    is_refused(
        harness("sensitivity", tiny, "--seeds", "0,7"), "tiny: no records of seed 7; leave out --seeds"
    )
    free = tmp_path / "free.yaml"
    whole = TINY.replace("target_loss: 0.1\n", "").replace("n_way: 5", "n_way: 6")
    free.write_text(whole.replace("kind: heatmap, panels: [method], x: alpha0, y: beta0", CURVES_OF_MAML))
    fill(results, str(free), LATE, MISS, QUICK)
    is_refused(
        harness("sensitivity", tiny, str(free)),
        "tiny: with a target; free: without; ask for one target that all have",
    )
    assert harness("sensitivity", tiny, str(free), "--target", "0.2").code == 0
    assert [path.name for path in results.iterdir() if path.name != "store"] == ["tiny,free"]


def test_a_target_below_that_at_which_runs_stop(harness: Run, tiny: str, results: Path) -> None:
    Path(tiny).write_text(TINY.replace("max_iterations: 5", "max_iterations: 20"))
    for cell in cells(tiny):
        Store(results).put(made(cell, "stopped", [0.05] * 10))
    is_refused(
        harness("sensitivity", tiny, "--target", "0.01"),
        "tiny: runs stopped at their target, before they reached a training loss of 0.01; ask for 0.1",
    )
    assert not (results / "tiny").exists()
    assert harness("sensitivity", tiny, "--target", "0.1").code == 0


def test_records_of_failed_cells_alone(harness: Run, tiny: str, results: Path) -> None:
    first, *_ = cells(tiny)
    Store(results).put(made(first, "failed", []))
    is_refused(harness("sensitivity", tiny), "tiny: no cell was run; make sweep runs them")
    assert not (results / "tiny").exists()


def test_without_a_grid_there_is_a_list(harness: Run, tiny: str, results: Path, published: Path) -> None:
    is_refused(harness("sensitivity"), "name one grid or more; the reference has tiny")
    fill(results, tiny, LATE, MISS, QUICK)
    assert harness("plot", tiny).code == 0
    is_refused(harness("sensitivity"), "name one grid or more; your records are of tiny")


def test_the_folder_of_another_file_of_that_name(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, LATE, MISS, QUICK)
    assert harness("plot", tiny).code == 0
    other = Path(tiny).parent / "other" / "tiny.yaml"
    other.parent.mkdir()
    other.write_text(TINY.replace("Tiny", "Other"))
    is_refused(harness("sensitivity", str(other)), "holds the tables of .*tiny.yaml; rename one of the two")
    is_refused(harness("sensitivity", tiny, str(other)), "both would be results/tiny; rename one")
