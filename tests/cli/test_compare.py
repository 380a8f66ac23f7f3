"""The user's own sweep beside the reference: printed and written, or refused in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from harness import grids
from harness.cli import compare
from harness.common import places
from harness.records import publishing, reference
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, cells, is_refused
from tests.records.test_tables import made

QUICK, LATE, MISS = [0.05] * 5, [1.5, 1.5, 1.5, 0.05, 0.05], [1.5] * 5
"""First passages of 0.1 at 1 and at 4, and a miss."""


def fill(results: Path, tiny: str, *runs: list[float]) -> None:
    for cell, losses in zip(cells(tiny), runs, strict=False):
        Store(results).put(made(cell, "budget", losses))


@pytest.fixture(params=[False, True], ids=["whole", "in parts"])
def published(tiny: str, tmp_path: Path, reference_folder: Path, request: pytest.FixtureRequest) -> Path:
    """The reference: counts 1 and 4, and a miss."""
    fill(tmp_path / "elsewhere", tiny, QUICK, LATE, MISS)
    return publishing.publish(grids.load(tiny), tmp_path / "elsewhere", in_parts=request.param)


def test_without_records_on_either_side(
    harness: Run, tiny: str, results: Path, reference_folder: Path
) -> None:
    is_refused(harness("compare", "fig22"), "grid 'fig22': unknown; did you mean fig2")
    fill(results, tiny, QUICK)
    is_refused(harness("compare", tiny), "tiny: no reference records in .*reference; there are none yet")
    assert not (results / "tiny").exists()


@pytest.mark.usefixtures("published")
def test_without_your_own_records(harness: Run, tiny: str, results: Path) -> None:
    is_refused(harness("compare", tiny), f"no records of tiny yet; make sweep GRID={tiny} makes some")
    assert not results.exists()


@pytest.mark.usefixtures("published")
def test_cell_by_cell(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, QUICK, QUICK, QUICK)
    said = harness("compare", tiny)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "reference: 3 of 3 cells of seed 0; x, commit abc+"
    _, second, third = cells(tiny)
    assert f"{second.cell_id}  {second.describe()}  yours: 1, the reference's: 4" in lines
    assert f"{third.cell_id}  {third.describe()}  yours: 1, the reference's: not reached" in lines
    assert "rounding was not measured" in said.out
    names = ["compare.parquet", "compare.png", "compare.svg", "compare.pdf"]
    assert lines[-1] == f"wrote {', '.join(str(results / 'tiny' / name) for name in names)}"
    table = pd.read_parquet(results / "tiny" / "compare.parquet")
    assert list(table["cell_id"]) == [cell.cell_id for cell in cells(tiny)]
    assert list(table["first_agreement"]) == ["equal", "outside", "other outcome"]
    assert table["first_difference"][1] == -3


@pytest.mark.usefixtures("published")
def test_of_many_cells_that_differ_the_first_are_named(
    harness: Run, tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(results, tiny, LATE, QUICK, QUICK)
    first, second, _ = (cell.cell_id for cell in cells(tiny))
    monkeypatch.setattr(compare, "MAX_CELLS", 1)
    said = harness("compare", tiny).out.splitlines()
    assert sum(line.startswith(first) for line in said) == 1
    assert not any(line.startswith(second) for line in said)
    assert "and 2 more cells" in said


@pytest.mark.usefixtures("published")
def test_it_only_reads_your_records(harness: Run, tiny: str, results: Path) -> None:
    """Tables that are there stay as they are, older than the store or not; none are made."""
    fill(results, tiny, QUICK)
    assert harness("compare", tiny).code == 0
    own = {"compare.parquet", "compare.png", "compare.svg", "compare.pdf"}
    assert {path.name for path in (results / "tiny").iterdir()} == own
    kept = results / "tiny" / "trials.parquet"
    kept.write_text("as it was")
    assert harness("compare", tiny).code == 0
    assert kept.read_text() == "as it was"


@pytest.mark.usefixtures("published")
def test_a_damaged_record_is_left_out_and_named(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, QUICK, QUICK)
    first, *_ = cells(tiny)
    record = results / "store" / f"{first.cell_id}.parquet"
    content = record.read_bytes()
    record.write_bytes(content[:4] + bytes(40) + content[44:])  # its rows; the footer is whole
    said = harness("compare", tiny)
    assert said.code == 0, said.err
    assert f"tiny: record {first.cell_id} left out, damaged" in said.out
    table = pd.read_parquet(results / "tiny" / "compare.parquet")
    assert table["outcome_mine"].isna().tolist() == [True, False, True]


@pytest.mark.usefixtures("reference_folder")
def test_only_the_seeds_asked(harness: Run, tiny: str, results: Path, tmp_path: Path) -> None:
    grid = grids.load(tiny)
    for folder in (tmp_path / "elsewhere", results):
        for cell in grid.cells([0, 1]):
            Store(folder).put(made(cell, "budget", QUICK))
    publishing.publish(grid, tmp_path / "elsewhere")
    table = results / "tiny" / "compare.parquet"
    for words, seeds in ((("--seeds", "1"), {1}), ((), {0, 1})):
        assert harness("compare", tiny, *words).code == 0
        assert set(pd.read_parquet(table)["seed"]) == seeds


@pytest.mark.usefixtures("published")
def test_other_seeds_and_other_questions(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, QUICK)
    is_refused(harness("compare", tiny, "--seeds", "3"), "tiny: no records of seed 3: nothing to compare")
    Path(tiny).write_text(TINY.replace("target_loss: 0.1", "target_loss: 0.2"))
    is_refused(harness("compare", tiny), "tiny: target: yours is 0.2, the reference's 0.1")


def test_by_the_yardstick(harness: Run, tiny: str, results: Path, tmp_path: Path, published: Path) -> None:
    """If rounding alone moves a run from 1 to 4, the same difference elsewhere is within rounding."""
    path = tmp_path / "draws.yaml"
    path.write_text(TINY + "readings:\n  - {}\n  - {perturbation: 1}\n")
    path.write_text(path.read_text().replace("[method]", "[method, protocol]"))
    fill(tmp_path / "draws", str(path), QUICK, MISS, MISS, LATE)
    publishing.publish(grids.load(str(path)), tmp_path / "draws").rename(published.with_name("yardstick"))
    fill(results, tiny, LATE)
    said = harness("compare", tiny)
    assert said.code == 0, said.err
    assert "rounding alone moved a first passage by +3 to +3 iterations (+300.0% to +300.0%)" in said.out
    table = pd.read_parquet(results / "tiny" / "compare.parquet")
    assert table["first_agreement"][0] == "within rounding"


@pytest.fixture
def endless(tiny: str, tmp_path: Path, reference_folder: Path) -> str:
    """The same grid without a target; the reference's losses are those of the counts 1 and 4, and a miss."""
    losses = re.sub("figure: .*", "figure: {kind: losses}", TINY)
    Path(tiny).write_text(losses.replace("target_loss: 0.1", "target_loss: null"))
    fill(tmp_path / "elsewhere", tiny, QUICK, LATE, MISS)
    publishing.publish(grids.load(tiny), tmp_path / "elsewhere")
    return tiny


def test_a_grid_without_a_target_asks_for_one(harness: Run, endless: str, results: Path) -> None:
    fill(results, endless, QUICK)
    asks = (
        r"tiny: this grid has no target.*; say with --target \(make: TARGET=\.\.\.\) to which training loss"
    )
    is_refused(harness("compare", endless), asks)
    is_refused(harness("compare", endless, "--target", "0"), "target 0: write a number > 0")
    assert not (results / "tiny").exists()


def test_counted_to_a_target(harness: Run, endless: str, results: Path) -> None:
    fill(results, endless, QUICK, QUICK, QUICK)
    for target, counts, missed in (("0.1", [1, 4], 1), ("1.5", [1, 1, 1], 0), ("0.01", [], 3)):
        said = harness("compare", endless, "--target", target)
        assert said.code == 0, said.err
        assert f"counted to a training loss of {target}\n" in said.out
        names = [f"compare-{target}.{kind}" for kind in ("parquet", "png", "svg", "pdf")]
        written = ", ".join(str(results / "tiny" / name) for name in names)
        assert said.out.splitlines()[-1] == f"wrote {written}"
        table = pd.read_parquet(results / "tiny" / names[0])
        assert table["first_reference"].dropna().tolist() == counts
        assert (table["outcome_reference"] == "budget").sum() == missed
        assert "nan" not in said.out
    assert not (results / "tiny" / "compare.parquet").exists()


@pytest.mark.usefixtures("published")
def test_another_target_than_the_grids_own(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, LATE, QUICK, QUICK)
    said = harness("compare", tiny, "--target", "2", "--keep")
    assert said.code == 0, said.err
    table = pd.read_parquet(results / "tiny" / "compare-2.parquet")
    assert list(table["first_mine"]) == list(table["first_reference"]) == [1, 1, 1]
    kept = places.REFERENCE / "devices" / "tiny"
    assert {path.name for path in kept.iterdir()} == {"compare-2.parquet", "README.md"}
    page = (kept / "README.md").read_text()
    assert "The counts to a training loss of 2 of 3 cells on another machine" in page
    assert "Made by `harness compare tiny --target 2 --keep`." in page


@pytest.mark.parametrize("stopped_is_mine", [False, True])
def test_a_target_that_runs_stopped_before(
    harness: Run, tiny: str, results: Path, tmp_path: Path, stopped_is_mine: bool
) -> None:
    Path(tiny).write_text(TINY.replace("max_iterations: 5", "max_iterations: 20"))
    sides = (results, tmp_path / "elsewhere")
    for folder in sides:
        stopped = stopped_is_mine == (folder == results)
        run = made(cells(tiny)[0], *(("stopped", [0.05] * 10) if stopped else ("budget", [0.05] * 20)))
        Store(folder).put(run)
    publishing.publish(grids.load(tiny), sides[1])
    whose = "your records" if stopped_is_mine else "the reference"
    says = f"tiny, {whose}: runs stopped at their target, before .* loss of 0.01; ask for 0.1 or more"
    is_refused(harness("compare", tiny, "--target", "0.01"), says)


def test_the_commands_of_the_references_pages_have_something_to_count() -> None:
    commands = [
        command
        for page in (places.ROOT / "results" / "reference").glob("*/README.md")
        for command in re.findall(r"`make compare GRID=([^`]*)`", page.read_text("utf-8"))
    ]
    assert "league-5way TARGET=0.9" in commands
    for command in commands:
        name, *given = command.split()
        assert (grids.load(name).target_loss is None) == bool(given), command


@pytest.mark.usefixtures("published")
def test_kept_with_the_reference(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, QUICK, QUICK)
    assert harness("compare", tiny).code == 0
    kept = places.REFERENCE / "devices" / "tiny"
    assert not kept.exists()
    said = harness("compare", tiny, "--keep")
    assert said.code == 0, said.err
    assert f"wrote {kept / 'compare.parquet'}, {kept / 'README.md'}" in said.out
    table = pd.read_parquet(kept / "compare.parquet")
    assert list(table["first_difference"]) == [0, -3]  # the third cell was run on one side only
    page = (kept / "README.md").read_text()
    assert "The counts of 2 cells on another machine beside those of\n[the reference](../../tiny" in page
    assert set(reference.grids()) == {"tiny"}
