"""How much tuning some grids need: what is printed, what is written, what is refused."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import harness.plots
from harness import grids
from harness.analysis.sensitivity.texts import number
from harness.cli import sensitivity_files
from harness.cli.sensitivity_files import CURVES, FIGURES, NAMES, VALUES, folder_of
from harness.common import plugins
from harness.common.errors import NotWritten
from harness.common.places import ROOT
from harness.plots.measures import figures as figures_of
from harness.records import publishing
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, Said, cells
from tests.cli.terminal import terminal
from tests.records.test_foreign import fill as fill_foreign
from tests.records.test_foreign import write_grid
from tests.records.test_tables import made

QUICK, LATE, MISS = [0.05] * 5, [1.5, 1.5, 1.5, 0.05, 0.05], [1.5] * 5
"""First passages of 0.1 at 1 and at 4, and a miss, with a budget of 5."""
CURVES_OF_MAML = (
    "kind: trajectories, reference: {method: maml, alpha0: 0.1, beta0: 1e-3}, "
    "columns: [{title: MAML, where: {method: maml}}]"
)
FIGURE = ["performance.png", "performance.svg", "performance.pdf"]


class Figures(ModuleType):
    """In the place of the module that draws: it notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__("harness.plots.measures")
        self.titles: list[str] = []
        self.fails = False

    def render(self, measures: Any, folder: Path, title: str) -> list[Path]:
        self.titles.append(title)
        paths = [folder / name for name in FIGURE]
        if self.fails:
            raise NotWritten(paths[0], OSError(28, "No space left on device"))
        for path in paths:
            path.write_text("drawn")
        return paths


@pytest.fixture(autouse=True)
def figures(monkeypatch: pytest.MonkeyPatch) -> Figures:
    stand_in = Figures()
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    monkeypatch.setattr(harness.plots, "measures", stand_in, raising=False)
    return stand_in


def fill(results: Path, tiny: str, *runs: Sequence[float], seed: int = 0) -> None:
    for cell, losses in zip(grids.load(tiny).cells([seed]), runs, strict=False):
        Store(results).put(made(cell, "budget", list(losses)))


@pytest.fixture
def published(tiny: str, tmp_path: Path, reference_folder: Path) -> Path:
    fill(tmp_path / "elsewhere", tiny, LATE, MISS, QUICK)
    return publishing.publish(grids.load(tiny), tmp_path / "elsewhere")


@pytest.fixture
def real_reference(harness: Run, reference_folder: Path) -> None:
    """The committed one."""
    reference_folder.symlink_to(ROOT / "results" / "reference")


def measured(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "measures.parquet")


def test_what_is_printed(harness: Run, tiny: str, results: Path, figures: Figures) -> None:
    """MAML: of two settings one hits at 4, the other costs 5: 5 / 2 + 4 = 6.5. Alpha-MAML hits at once."""
    fill(results, tiny, LATE, MISS, QUICK)
    said = harness("sensitivity", tiny)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "tiny: your records (3 of 3 cells of seed 0; x, commit abc+)"
    rows = [line.split() for line in lines]
    start = lines.index("Tuning cost")
    assert rows[start + 1] == ["method", "iterations", "gradients", "ratio", "to", "maml"]
    assert rows[start + 2] == ["maml", "6.50", "39.0"]  # two tasks, three gradients each
    assert rows[start + 3] == ["alpha-maml", "1.00", "6.00", "0.154"]
    assert "one seed: no intervals" in lines
    folder = results / "tiny" / "sensitivity"
    assert lines[-1] == f"wrote into {folder}: {', '.join([*NAMES, *FIGURE])}"
    assert {path.name for path in folder.iterdir()} == {*NAMES, *FIGURE}
    assert figures.titles == ["Sensitivity: tiny"]
    assert {path.name for path in (results / "tiny").iterdir()} == {"sensitivity"}  # and no table


def test_the_numbers_are_those_of_the_file(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, LATE, MISS, QUICK)
    out = harness("sensitivity", tiny).out
    values = measured(results / "tiny" / "sensitivity")
    own = values[values["other"].isna() & (values["of"] == "iterations")].set_index(["measure", "method"])
    cost = own["value"]["tuning_cost"]
    assert cost.to_dict() == {"maml": 6.5, "alpha-maml": 1.0}
    for value in cost:
        assert number(value) in out.split()


def test_the_files(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, LATE, MISS, QUICK)
    assert harness("sensitivity", tiny, "--target", "0.2", "--sustained").code == 0
    folder = results / "tiny" / "sensitivity-0.2-sustained"
    for name, columns in (("measures.parquet", VALUES), ("curves.parquet", CURVES)):
        schema = pq.read_schema(folder / name)
        assert schema.names == [*columns]
        for field in schema:
            assert field.metadata[b"meaning"].decode() == columns[field.name].meaning
        about = json.loads(schema.metadata[b"harness"])
        of_rows = {*pq.read_table(folder / name)[schema.names[0]].to_pylist()}
        assert of_rows <= about[f"{schema.names[0]}s"].keys()  # in words
        assert about["target"] == 0.2
        assert about["sustained"] is True
        assert list(about["sources"]) == ["tiny"]
    values = measured(folder)
    with (folder / "measures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["measure"] for row in rows] == list(values["measure"])
    assert [row["why"] for row in rows] == list(values["why"])
    text = (folder / "tables.tex").read_text()
    assert text.count(r"\toprule") == text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") > 2
    assert not [line for line in text.splitlines() if "_" in line.replace(r"\_", "") and line[0] != "%"]


def test_sustained_passages_and_other_targets(harness: Run, tiny: str, results: Path) -> None:
    """No run is as long as the window of a sustained passage; all start below 2."""
    fill(results, tiny, LATE, MISS, QUICK)
    said = harness("sensitivity", tiny, "--sustained")
    assert "counted to the sustained passage" in said.out
    assert ["maml", "never", "never"] in [line.split() for line in said.out.splitlines()]
    said = harness("sensitivity", tiny, "--target", "2")
    assert "counted to a training loss of 2" in said.out
    values = measured(results / "tiny" / "sensitivity-2")
    assert (results / "tiny" / "sensitivity-sustained" / "measures.parquet").exists()
    assert set(values.loc[values["measure"] == "reached", "value"]) == {1.0, 0.0}  # 0: the difference


def strict(said: Said) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(said.out, parse_constant=refuse)


def test_json_and_nothing_else(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, MISS, MISS, QUICK)
    said = harness("sensitivity", tiny, "--json")
    assert said.code == 0, said.err
    assert said.err == ""
    found = strict(said)
    assert list(found) == ["sources", "target", "sustained", "notes", "measures"]
    assert found["target"] is None
    assert list(found["measures"][0]) == [*VALUES]
    by_key = {
        (row["measure"], row["method"], row["other"], row["of"]): row["value"] for row in found["measures"]
    }
    assert by_key["tuning_cost", "maml", None, "iterations"] == "never"
    assert by_key["tuning_cost", "alpha-maml", None, "iterations"] == 1.0
    assert by_key["sensitivity", "maml", None, ""] is None
    assert not (results / "tiny").exists()


def test_cells_that_were_not_run_are_said(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, LATE, MISS)
    said = harness("sensitivity", tiny)
    assert f"tiny: 1 of 3 cells not run, so not measured; make sweep GRID={tiny} runs them" in said.out
    assert "alpha-maml" not in (results / "tiny" / "sensitivity" / "tables.tex").read_text()
    assert strict(harness("sensitivity", tiny, "--json"))["notes"][0].startswith("tiny: 1 of 3 cells not run")


def test_a_damaged_record_is_left_out_and_named(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny, LATE, MISS, QUICK)
    first, *_ = cells(tiny)
    (results / "store" / f"{first.cell_id}.parquet").write_bytes(b"torn")
    said = harness("sensitivity", tiny)
    assert said.code == 0, said.err
    assert f"tiny: record {first.cell_id} left out, damaged" in said.out


@pytest.mark.usefixtures("published")
def test_the_reference_answers_where_you_have_no_records(harness: Run, tiny: str, results: Path) -> None:
    line = "tiny: the reference records (3 of 3 cells of seed 0; x, commit abc+)"
    for name in (tiny, "tiny"):  # its tables know a grid that is in no sweeps/
        assert harness("sensitivity", name).out.splitlines()[0] == line
    fill(results, tiny, QUICK, QUICK, QUICK)
    assert harness("sensitivity", tiny).out.startswith("tiny: your records")
    assert harness("sensitivity", tiny, "--reference").out.splitlines()[0] == line
    values = measured(results / "tiny" / "sensitivity")
    assert 6.5 in set(values["value"])


def test_only_the_seeds_asked(harness: Run, tiny: str, results: Path) -> None:
    for seed in (0, 1):
        fill(results, tiny, QUICK, QUICK, QUICK, seed=seed)
    folder = results / "tiny" / "sensitivity"
    for words, seeds in ((("--seeds", "1"), 1), ((), 2)):
        said = harness("sensitivity", tiny, *words)
        assert said.code == 0, said.err
        assert set(measured(folder)["seeds"]) == {seeds}
        assert said.out.startswith(f"tiny: your records ({3 * seeds} of {3 * seeds} cells of seed")
    assert "all 3 resamples of 2 seeds (too narrow, with so few seeds)" in " ".join(said.out.split())


def test_several_grids(harness: Run, tiny: str, results: Path, tmp_path: Path, figures: Figures) -> None:
    """In the order in which they are named; the folder is nobody's grid."""
    other = tmp_path / "other.yaml"
    other.write_text(TINY.replace("n_way: 5", "n_way: 6"))
    fill(results, tiny, LATE, MISS, QUICK)
    fill(results, str(other), MISS, LATE, QUICK)
    for names in ((tiny, str(other)), (str(other), tiny)):
        stems = [Path(name).stem for name in names]
        said = harness("sensitivity", *names)
        assert said.code == 0, said.err
        assert [line.split(":")[0] for line in said.out.splitlines()[:2]] == stems
        assert "2 environments" in said.out
        assert (results / ",".join(stems) / "sensitivity" / "measures.parquet").exists()
    assert figures.titles == ["Sensitivity: tiny, other", "Sensitivity: other, tiny"]
    drawn = harness("plot").out
    assert "tiny,other" not in drawn


def test_the_name_of_a_folder_is_never_too_long(tmp_path: Path) -> None:
    many = [f"a-long-name-of-a-grid-{at}" for at in range(50)]
    found = {folder_of(many[:count], tmp_path, None, False) for count in range(1, 51)}
    assert len(found) == 50
    assert max(len(path.parent.name) for path in found) <= 100


def test_old_figures_do_not_pass_for_new(harness: Run, tiny: str, results: Path, figures: Figures) -> None:
    fill(results, tiny, LATE, MISS, QUICK)
    assert harness("sensitivity", tiny).code == 0
    folder = results / "tiny" / "sensitivity"
    (folder / "ecdf.svg").write_text("older")
    (folder / "notes.txt").write_text("somebody's own")
    figures.fails = True
    said = harness("sensitivity", tiny)
    assert said.code == 1
    assert said.err == f"harness: {folder / FIGURE[0]}: not written: the disk is full\n"
    assert {path.name for path in folder.iterdir()} == {*NAMES, "notes.txt"}


@pytest.mark.parametrize("name", NAMES)
def test_all_tables_or_none(harness: Run, tiny: str, results: Path, name: str) -> None:
    fill(results, tiny, LATE, MISS, QUICK)
    assert harness("sensitivity", tiny).code == 0
    folder = results / "tiny" / "sensitivity"
    (folder / name).unlink()
    (folder / name).mkdir()
    said = harness("sensitivity", tiny)
    assert said.code == 1
    assert said.err.startswith(f"harness: {folder / name}: not written: there is a folder in its place")
    assert [path.name for path in folder.iterdir()] == [name]


def test_tables_whose_plug_in_is_missing(harness: Run, tmp_path: Path, results: Path) -> None:
    """They are measured as they are; how many gradients an iteration takes is then not known."""
    grid = write_grid(tmp_path)
    fill_foreign(results, grid)
    assert harness("plot", grid).code == 0
    plugins.forget()
    Path(grid).with_name("mine.py").unlink()
    said = harness("sensitivity", grid)
    plugins.forget()
    assert said.code == 0, said.err
    assert said.out.startswith("mine: measured from its tables as they are: ")
    assert "gradients" not in said.out.replace("gradients:", "")


def test_an_interrupt(harness: Run, tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    fill(results, tiny, LATE, MISS, QUICK)
    monkeypatch.setattr(sensitivity_files, "in_latex", interrupted)
    said = harness("sensitivity", tiny)
    assert said.code == 130
    assert said.err == "harness: interrupted\n"
    assert list((results / "tiny" / "sensitivity").iterdir()) == []


@pytest.mark.usefixtures("real_reference")
@pytest.mark.parametrize("columns", [60, 80])
def test_it_fits_a_terminal(harness: Run, results: Path, columns: int) -> None:
    with terminal(columns) as screen:
        harness("sensitivity", "fig2", "readings")
    table = [line for line in screen.lines if str(results) not in line and not line.startswith("    /")]
    assert "Tuning cost" in table
    assert max(map(len, table)) <= columns


@pytest.mark.usefixtures("real_reference")
def test_the_reference_grids(harness: Run, results: Path) -> None:
    """258 iterations of Alpha-MAML on Figure 2's grid, 1170 of MAML: recomputed from the trials alone."""
    said = harness("sensitivity", "fig2", "--reference")
    assert said.code == 0, said.err
    trials = pd.read_parquet(ROOT / "results" / "reference" / "fig2" / "trials.parquet")
    for method in ("maml", "alpha-maml"):
        costs = []
        for _, own in trials[trials["method"] == method].groupby("seed"):
            hit = own["iterations_to_target"].notna()
            misses, hits = own.loc[~hit, "iterations_run"], own.loc[hit, "iterations_to_target"]
            costs.append(len(misses) / (len(hits) + 1) * misses.mean() + hits.mean())
        cost = sum(costs) / len(costs)
        rows = [line for line in said.out.splitlines() if line.startswith(f"{method} ")]
        assert any(f" {cost:.0f} (" in row for row in rows)


def test_all_figures_that_are_drawn_are_removed_with_their_tables() -> None:
    drawn = {f"{name}.{kind}" for name in figures_of.FIGURES for kind in ("png", "svg", "pdf")}
    assert set(FIGURES) == drawn
