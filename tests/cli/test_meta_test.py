"""`harness meta-test`: of a grid and of a cell, what is printed and written, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import harness as package
from harness import grids
from harness.cell import Cell
from harness.cli import meta_test_cells
from harness.records import meta_tests
from harness.records.checkpoints import weights
from harness.sweeping import serial
from harness.sweeping.runner import Machine
from harness.sweeping.sweep import Request, sweep
from harness.training.checkpoint import state_of
from harness.training.meta_test import MetaTester
from tests.cli.conftest import Run, is_refused
from tests.sweeping.tiny import Silent

SINE = """
title: Sine
figure: {kind: losses}
protocol: {problem: sinusoid, width: 6, meta_batch: 2, validation_tasks: 2}
max_iterations: 3
seeds: [0, 1]
meta_test: {tasks: 4, steps: 2, rates: [own, 0.02]}
cells:
  - {method: maml, alpha0: [0.01, 0], beta0: 1e-3}
"""
GLYPHS = """
title: Glyphs
figure: {kind: losses}
protocol: {dataset: glyphs, n_way: 5, filters: 4, layers: 2, meta_batch: 2, validation_tasks: 2}
max_iterations: 2
keep_weights: true
cells:
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
"""


def file_of(folder: Path, text: str, name: str = "mine") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return str(path)


def trained(folder: Path, text: str) -> Path:
    """Results of a grid whose cells were all trained."""
    grid = grids.load(file_of(folder, text))
    machine = Machine(device="cpu", jobs=1)
    result = sweep(Request(grid=grid, results=folder / "results", machine=machine), serial.run, Silent())
    assert (result.left, result.failed) == (0, {})
    return folder / "results"


@pytest.fixture(scope="module")
def sines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("sines"), SINE)


@pytest.fixture
def sine(tmp_path: Path, results: Path, sines: Path) -> str:
    """The path of its grid, whose results are there."""
    shutil.copytree(sines / "store", results / "store")
    return file_of(tmp_path, SINE)


@pytest.fixture
def pale(blank: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are those of meta-tests."""
    for name in ("meta_test", "fit"):
        monkeypatch.setattr(f"harness.plots.{name}.draw", lambda *_: Figure(figsize=(1, 1)))


def cells(grid: str) -> tuple[Cell, ...]:
    return grids.load(grid).cells()


def table_of(out: str) -> list[list[str]]:
    """The lines of the printed table, its head first."""
    lines = out.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("method"))
    return [line.split() for line in lines[first:] if line.startswith(("method", "MAML"))]


def test_a_grid(harness: Run, sine: str, results: Path) -> None:
    said = harness("meta-test", sine)
    assert said.code == 0, said.err
    folder = results / "mine"
    rows = package.load_meta_test("mine", results)
    assert set(rows["cell_id"]) == {cell.cell_id for cell in cells(sine)}
    assert len(rows) == 4 * 2 * 3 * 4
    head, *lines = table_of(said.out)
    assert head[:7] == ["method", "alpha0", "test", "rate", "inner", "steps", "mean"]
    settings = [["0.01", "own"], ["0.01", "0.02"], ["0", "own"], ["0", "0.02"]]
    assert [line[1:4] for line in lines] == [[*one, steps] for one in settings for steps in "012"]
    of = [cell.cell_id for cell in cells(sine) if cell.hyper.alpha0 == 0]
    loss = rows[rows["cell_id"].isin(of) & (rows["rate"] == 0.02) & (rows["steps"] == 2)]["loss"].mean()
    assert lines[-1][4] == f"{loss:.4g}"
    assert "over 2 seeds" in said.out
    kinds = ("parquet", "png", "svg", "pdf")
    names = {f"{name}.{kind}" for name in ("metatest", "metatest-fit") for kind in kinds}
    assert names <= {path.name for path in folder.iterdir()}
    assert list(meta_tests.read(folder).about["cells"]) == [cell.cell_id for cell in cells(sine)]


@pytest.mark.usefixtures("pale")
def test_the_numbers_are_those_of_the_weights(harness: Run, sine: str, results: Path) -> None:
    assert harness("meta-test", sine).code == 0
    rows = package.load_meta_test("mine", results)
    for cell in cells(sine):
        own = rows[(rows["cell_id"] == cell.cell_id) & rows["rate"].isna()]
        tester = MetaTester(cell, tasks=4, steps=2)
        state = state_of(weights(weights_file(results, cell)), cell)
        expected = tester.test_cell(cell, state).values["loss"][0]
        assert own["loss"].tolist() == expected.ravel().tolist()


@pytest.mark.usefixtures("pale")
def test_what_is_tested_is_not_tested_again(
    harness: Run, sine: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is new, or whose weights are others; with other options all; of another seed it stays."""
    tested: list[str] = []
    of_cell = MetaTester.test_cell

    def noted(self: MetaTester, cell: Cell, *given: object) -> object:
        tested.append(cell.cell_id)
        return of_cell(self, cell, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(MetaTester, "test_cell", noted)
    first, second = ([cell.cell_id for cell in grids.load(sine).cells([seed])] for seed in (0, 1))
    assert harness("meta-test", sine, "--seeds", "0").code == 0
    assert tested == first
    said = harness("meta-test", sine)
    assert said.code == 0
    assert tested == first + second
    assert "mine: 2 cells tested before, 2 to test" in said.out
    whole = package.load_meta_test("mine", results)
    assert harness("meta-test", sine, "--seeds", "1").code == 0
    assert tested == first + second
    pd.testing.assert_frame_equal(package.load_meta_test("mine", results), whole)
    monkeypatch.setattr(meta_test_cells, "kept", others_weights(meta_test_cells.kept, first[0]))
    assert harness("meta-test", sine).code == 0
    assert tested == [*first, *second, first[0]]
    assert harness("meta-test", sine, "--tasks", "3").code == 0
    assert len(tested) == 9
    assert package.load_meta_test("mine", results)["task"].max() == 2


def weights_file(results: Path, cell: object) -> Path:
    (path,) = (results / "store" / "weights").glob(f"{cell.cell_id}-*")  # type: ignore[attr-defined]
    return path


def others_weights(kept: object, cell_id: str) -> object:
    def others(*given: object) -> object:
        found = kept(*given)  # type: ignore[operator]
        return found | {cell_id: found[cell_id]._replace(digest="others")}

    return others


@pytest.mark.usefixtures("pale")
def test_an_interrupted_test_goes_on(
    harness: Run, sine: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    of_cell = MetaTester.test_cell

    def interrupted(self: MetaTester, cell: Cell, *given: object) -> object:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(cell.cell_id)
        return of_cell(self, cell, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(MetaTester, "test_cell", interrupted)
    assert harness("meta-test", sine).code == 130
    assert list(meta_tests.read(results / "mine").about["cells"]) == done
    monkeypatch.setattr(MetaTester, "test_cell", of_cell)
    said = harness("meta-test", sine)
    assert said.code == 0
    assert "2 cells tested before, 2 to test" in said.out


@pytest.mark.usefixtures("pale")
def test_what_is_missing_is_a_line_each(harness: Run, sine: str, results: Path) -> None:
    one, two, *others = cells(sine)
    (results / "store" / f"{one.cell_id}.parquet").unlink()
    weights_file(results, two).unlink()
    said = harness("meta-test", sine)
    assert said.code == 0, said.err
    again = f"make sweep GRID={sine}"
    assert f"1 cell not run yet: {again} runs them" in said.out
    assert f"1 cell without kept weights: {again} trains again those that lack them" in said.out
    rows = package.load_meta_test("mine", results)
    assert set(rows["cell_id"]) == {cell.cell_id for cell in others}


def test_a_cell(harness: Run, sine: str, results: Path, tmp_path: Path) -> None:
    cell, out = cells(sine)[0], str(tmp_path / "one.parquet")
    said = harness("meta-test", cell.cell_id[:8], "--tasks", "3", "--steps", "1", "--out", out)
    assert said.code == 0, said.err
    assert said.out.startswith(f"cell {cell.cell_id}: maml alpha0=0.01 beta0=0.001 seed=0")
    head, *lines = table_of(said.out)
    assert head == ["method", "inner", "steps", "mean", "loss", "loss", "+-", "tasks"]
    rows = pd.read_parquet(tmp_path / "one.parquet")
    assert lines[1][2] == f"{rows[rows['steps'] == 1]['loss'].mean():.4g}"
    assert (tmp_path / "one-fit.parquet").exists()
    assert not (results / "mine" / meta_tests.FILE).exists()


@pytest.mark.usefixtures("pale")
def test_classes_are_named_and_an_accuracy_is_in_percent(harness: Run, tmp_path: Path) -> None:
    trained(tmp_path, GLYPHS)
    said = harness("meta-test", str(tmp_path / "mine.yaml"), "--tasks", "5", "--steps", "1")
    assert said.code == 0, said.err
    assert "classes: the 423 classes of the validation, as no others are left" in said.out
    head, first, _ = table_of(said.out)
    rows = package.load_meta_test("mine", tmp_path / "results")
    assert head[:5] == ["method", "inner", "steps", "accuracy", "%"]
    assert first[2] == f"{100 * rows[rows['steps'] == 0]['accuracy'].mean():.2f}"
    assert (tmp_path / "results" / "mine" / "metatest.png").exists()
    assert not (tmp_path / "results" / "mine" / "metatest-fit.png").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nothing", "grid 'nothing': unknown; known: "),
        ("0000", r"cell '0000': not the beginning of any cell id with kept weights in "),
        ("sinusoid", "no kept weights of sinusoid; .* not run yet: make sweep GRID=sinusoid runs them"),
        ("{sine} --steps 1001", "--steps: 1001 is not <= 1000"),
        ("{sine} --tasks 0", "--tasks: 0 is not >= 1"),
        ("{sine} --rates own,fast", "--rates: 'fast' is neither own nor a rate >= 0"),
        ("{sine} --seeds 7", "no kept weights of mine; 2 cells not run yet"),
        ("{sine} --out x.parquet", "--out: only with a cell id; a grid's meta-test goes into its results"),
        ("{cell} --out x.csv", "--out x.csv: write a name that ends in .parquet"),
        ("{cell} --device gpu", "device 'gpu'"),
    ],
)
def test_a_mistake_is_one_line(harness: Run, sine: str, words: str, said: str) -> None:
    cell = cells(sine)[0].cell_id
    is_refused(harness("meta-test", *words.format(sine=sine, cell=cell).split()), said)


def test_without_kept_weights(harness: Run, sine: str, results: Path) -> None:
    shutil.rmtree(results / "store" / "weights")
    Path(sine).write_text(SINE.replace("meta_test", "# meta_test"))
    is_refused(
        harness("meta-test", sine), "4 cells without kept weights: write keep_weights: true in the grid, and"
    )
    is_refused(
        harness("meta-test", cells(sine)[0].cell_id),
        "not the beginning of any cell id with kept weights in",
    )


def test_weights_of_another_cell(harness: Run, sine: str, results: Path) -> None:
    """Under this one's name."""
    one, two = (weights_file(results, cell) for cell in cells(sine)[:2])
    shutil.copy(two, one)
    is_refused(
        harness("meta-test", sine), f"the weights of {one.stem[:16]}: they are those of {two.stem[:16]}"
    )


@pytest.mark.usefixtures("pale")
def test_a_method_with_rates_for_fewer_steps(harness: Run, tmp_path: Path) -> None:
    text = SINE.replace("maml", "lslr").replace("rates: [own, 0.02]", "rates: 0.02")
    trained(tmp_path, text)
    grid = str(tmp_path / "mine.yaml")
    is_refused(
        harness("meta-test", grid, "--rates", "own"),
        "meta-test: 2 steps; lslr has inner rates for inner_steps, 1: write at most 1, or rates without own",
    )
    assert harness("meta-test", grid, "--tasks", "2").code == 0


def test_figures_are_drawn_again(harness: Run, sine: str, results: Path) -> None:
    assert harness("meta-test", sine).code == 0
    figure = results / "mine" / "metatest.png"
    before = figure.read_bytes()
    figure.unlink()
    said = harness("plot", sine)
    assert said.code == 0, said.err
    assert figure.read_bytes() == before
    (results / "mine" / meta_tests.FILE).write_bytes(b"PAR1")
    said = harness("plot", sine)
    assert said.code == 0
    assert "left out: " in said.out


@pytest.mark.usefixtures("pale")
@pytest.mark.parametrize("in_parts", [False, True])
def test_it_is_published_with_the_records(
    harness: Run, sine: str, results: Path, reference_folder: Path, in_parts: bool
) -> None:
    """Without the path of this machine; it stays where there is no new one, and figures are drawn from it."""
    assert harness("meta-test", sine).code == 0
    said = harness("publish", sine, *["--in-parts"] * in_parts)
    assert said.code == 0, said.err
    place = reference_folder / "mine"
    mine, theirs = meta_tests.read(results / "mine"), meta_tests.read(place)
    pd.testing.assert_frame_equal(theirs.rows, mine.rows)
    assert theirs.fit is not None
    pd.testing.assert_frame_equal(theirs.fit, mine.fit)
    assert "file" in mine.about
    assert "file" not in theirs.about
    page = (place / "README.md").read_text()
    section = page.split("## Meta-test")[1].splitlines()
    assert section[2].startswith("4 tasks; `metatest.parquet` has every one.")
    rows = [line for line in section if line.startswith("| MAML")]
    assert len(rows) == 4 * 3
    mean = mine.rows[mine.rows["cell_id"].isin([c.cell_id for c in cells(sine) if c.hyper.alpha0])]
    first = mean[mean["rate"].isna() & (mean["steps"] == 0)]["loss"].mean()
    assert rows[0].startswith(f"| MAML | 0.01 | own | 0 | {first:.4g} |")
    shutil.rmtree(results / "mine")
    assert harness("publish", sine, *["--in-parts"] * in_parts).code == 0
    assert (place / "README.md").read_text() == page
    pd.testing.assert_frame_equal(meta_tests.read(place).rows, mine.rows)
    shutil.rmtree(results)
    said = harness("plot", "mine")
    assert said.code == 0, said.err
    assert (results / "mine" / "metatest-fit.png").exists()
