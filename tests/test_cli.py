"""The commands as a person meets them: the exit code, the one line of an error, and what is printed."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from harness import cli, datasets, frames, grids, records
from harness.protocol import Cell
from harness.store import Store
from tests.test_frames import made

TINY = """
title: Tiny
figure: {kind: heatmap, panels: [method], x: alpha0, y: beta0}
protocol: {dataset: glyphs, n_way: 5, filters: 4, layers: 2, meta_batch: 2, validation_tasks: 2}
target_loss: 0.1
max_iterations: 5
cells:
  - {method: maml, alpha0: [0.1, 0.2], beta0: 1e-3}
  - {method: alpha-maml, alpha0: 0.1, beta0: 1e-3, alpha_hyperlr: 0.1, beta_hyperlr: 1e-5}
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], results: Path):
    """Runs `harness WORDS --results ...` as `main` would be run."""

    def run(*words: str) -> Said:
        where = [] if words[0] == "data" or "-h" in words else ["--results", str(results)]
        monkeypatch.setattr(sys, "argv", ["harness", *words, *where])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Said(code, *capsys.readouterr())

    return run


def is_refused(said: Said, pattern: str) -> None:
    """Exit code 2 and one line on stderr, that matches."""
    assert said.code == 2
    assert re.fullmatch(rf"harness: [^\n]*{pattern}[^\n]*\n", said.err), said.err


def cells(tiny: str) -> tuple[Cell, ...]:
    return grids.load(tiny).cells()


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["sweep", "quik"], r"grid 'quik': unknown; did you mean quick\?"),
        (["sweep", "nothing/there.yaml"], r"nothing/there\.yaml"),
        (["status", "fig22"], r"grid 'fig22': unknown; did you mean fig2\b"),
        (["plot", "fig22"], r"grid 'fig22': unknown"),
        (["sweep", "quick", "--dataset", "glyfs"], r"data set 'glyfs': unknown; did you mean glyphs\?"),
        (["data", "glyfs"], r"'glyfs' is unknown: did you mean glyphs\?"),
        (["sweep", "quick", "--device", "tpu"], "device 'tpu': write cpu or cuda"),
        (["sweep", "quick", "--seeds", "0,x"], "seeds '0,x': write whole numbers"),
        (["sweep", "quick", "--seeds", "1,1"], "seeds '1,1': 1 is there twice"),
        (["grids", "quick", "--cells", "--seeds", "3-1"], "seeds '3-1'"),
        (["sweep", "quick", "--shard", "3/2"], "shard '3/2': write i/n"),
        (["sweep", "quick", "--where", "alpha0"], "where 'alpha0'"),
        (["sweep", "quick", "--where", "alfa0=1"], r"'alfa0' is no column; did you mean alpha0\?"),
        (["sweep", "quick", "--where", "alpha0=77"], "where 'alpha0=77': no cell of quick"),
        (["plot"], "no records yet; make sweep makes some"),
        (["plot", "quick"], "no records of quick yet"),
        (["show", "0af8"], "cell '0af8': no record begins with that"),
        (["show", "/0af8"], "cell '/0af8': no record begins with that"),
        (["show", "**"], r"no record begins with that"),
        (["cell", "0af8"], "cell '0af8': no cell begins with that"),
        (["cell", "alpha0=1"], "no method has just alpha0"),
        (["cell", "alpha0=x", "beta0=1"], "'alpha0=x' is not of the form name=number"),
        (["cell", "alpha0=-1", "beta0=1"], "alpha0: -1 is not >= 0"),
        (["cell", "alpha0=nan", "beta0=1"], "alpha0"),
        (["cell", "alpha0=1", "beta0=1", "--method", "reptile"], "'reptile' is none of maml, alpha-maml"),
        (["cell", "alpha0=1", "beta0=1", "--target", "-1"], "target -1: write a number > 0"),
        (["data", "glyphs", "--sheet", "sheet.jpg"], r"sheet sheet\.jpg: write a name that ends in \.png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(harness, words: list[str], pattern: str, results: Path) -> None:
    is_refused(harness(*words), pattern)
    assert not results.exists()


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        ("beta0: 1e-3}", "beta0: 1e-3", r"tiny\.yaml:\d+"),
        ("title", "titel", r"tiny\.yaml:2: titel: .*title"),
        ("n_way: 5", "n_way: five", r"tiny\.yaml:4: protocol\.n_way"),
        ("max_iterations: 5", "max_iterations: 0", r"tiny\.yaml:6: max_iterations: 0"),
        ("[0.1, 0.2]", "[0.1, 0.1]", r"tiny\.yaml:8: .*twice"),
        ("dataset: glyphs", "dataset: mnist", r"'mnist' is no data set"),
    ],
    ids=["broken", "key", "type", "range", "twice", "data set"],
)
def test_a_broken_grid(harness, tiny: str, old: str, new: str, pattern: str, results: Path) -> None:
    Path(tiny).write_text(TINY.replace(old, new, 1))
    is_refused(harness("sweep", tiny, "--runner", "serial"), pattern)
    assert not results.exists()


@pytest.fixture
def no_omniglot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("OMNIGLOT_ROOT", str(tmp_path / "empty"))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    datasets._load.cache_clear()  # another test may have loaded the real one


@pytest.mark.usefixtures("no_omniglot")
def test_no_omniglot(harness, tiny: str) -> None:
    Path(tiny).write_text(TINY.replace("glyphs", "omniglot"))
    help_ = "`harness data omniglot` fetches it.*OMNIGLOT_ROOT.*DATASET=glyphs"
    is_refused(harness("sweep", tiny, "--runner", "serial"), help_)
    is_refused(harness("cell", "alpha0=0.1", "beta0=0.1", "--grid", tiny), help_)


@pytest.mark.usefixtures("no_omniglot")
def test_no_omniglot_and_no_network(harness, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.datasets import omniglot as data

    class Offline:
        def __init__(self, *_: object, **__: object) -> None:
            raise OSError("Name or service not known")

    monkeypatch.setattr(data, "torchvision_omniglot", lambda: Offline)
    is_refused(harness("data", "omniglot"), "cannot be fetched.*by hand")


@pytest.mark.usefixtures("no_omniglot")
def test_the_dry_run_needs_no_data(harness, tiny: str) -> None:
    Path(tiny).write_text(TINY.replace("glyphs", "omniglot"))
    said = harness("grids", tiny, "--cells")
    assert said.code == 0
    assert "3 cells, 3 to run; no estimate: omniglot: no images_background" in said.out


def test_no_cuda(harness, tiny: str, monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    is_refused(harness("sweep", tiny, "--device", "cuda"), "'cuda': torch sees no CUDA.*DEVICE=cpu")
    is_refused(harness("cell", "alpha0=1", "beta0=1", "--device", "cuda"), "torch sees no CUDA")
    assert not results.exists()


@pytest.mark.parametrize("spoilt", ["", "store", "tiny"])
@pytest.mark.usefixtures("noise")
def test_results_not_writable(harness, tiny: str, results: Path, spoilt: str) -> None:
    """A file lies where a folder is needed: that stops root too."""
    path = results / spoilt
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("not a folder")
    is_refused(harness("sweep", tiny, "--runner", "serial"), "RESULTS=")


def test_a_second_sweep(harness, tiny: str, results: Path) -> None:
    with Store(results).lock():
        is_refused(harness("sweep", tiny, "--runner", "serial"), r"process \d+ on .* is sweeping")
        assert harness("status").code == 0  # reading needs no lock


@pytest.mark.usefixtures("noise")
def test_sweep_status_show_plot(harness, tiny: str, results: Path) -> None:
    said = harness("sweep", tiny, "--runner", "serial")
    assert said.code == 0, said.err
    assert "3 cells; 3 to run, 1 at a time" in said.out
    assert "[3/3] not in 5" in said.out
    ids = {cell.cell_id for cell in cells(tiny)}
    assert set(Store(results).scan().headers) == ids
    figure = results / "tiny" / "tiny.png"
    drawn = figure.read_bytes()

    again = harness("sweep", tiny, "--runner", "serial")
    assert again.code == 0
    assert "3 cells, 3 of them in the store; 0 to run" in again.out

    row = re.search(r"^tiny +(.*\S)", harness("status").out, re.MULTILINE)
    assert row is not None
    assert row[1].split() == ["3", "3", "0", "0", "0", "0", "0"]
    assert re.search(r"^tiny +3 +3 ", harness("status", tiny).out, re.MULTILINE)
    assert "3 cells, all done" in harness("grids", tiny, "--cells").out

    figure.unlink()
    assert harness("plot").code == 0  # a grid that was given by its path is found by its tables
    assert figure.read_bytes() == drawn


@pytest.mark.usefixtures("noise")
def test_filters_pick_the_cells(harness, tiny: str, results: Path) -> None:
    said = harness("sweep", tiny, "--runner", "serial", "--where", "alpha0=0.2", "--seeds", "4")
    assert said.code == 0, said.err
    (header,) = Store(results).scan().headers.values()
    assert (header.cell.method, header.cell.hyper.alpha0, header.cell.seed) == ("maml", 0.2, 4)


@pytest.mark.usefixtures("noise")
def test_a_sweep_with_a_failed_cell_ends_1(
    harness, tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness import engine

    broken = cells(tiny)[1]
    train = engine.train

    def fails(pack, *rest):
        if broken in pack:
            raise RuntimeError("no memory\nfor that")
        return train(pack, *rest)

    monkeypatch.setattr(engine, "train", fails)
    said = harness("sweep", tiny, "--runner", "serial")
    assert said.code == 1
    assert said.err.splitlines()[0] == "harness: 1 of 3 cells failed; the same command tries again"
    assert broken.cell_id in said.err
    assert "RuntimeError: no memory for that" in said.err
    trials, _ = frames.load("tiny", results)
    assert (trials.outcome == "failed").sum() == 1

    monkeypatch.setattr(engine, "train", train)
    assert harness("sweep", tiny, "--runner", "serial").code == 0


def fill(results: Path, tiny: str) -> list[Cell]:
    """One cell done, one failed, one of an older arithmetic."""
    done, failed, old = cells(tiny)
    store = Store(results)
    store.put(made(done, "budget", [1.5] * 5))
    store.put(made(failed, "failed", []))
    record = records.load(made(old, "budget", [1.5] * 5))
    store.put(records.dump(record._replace(header=record.header._replace(numerics=0))))
    return [done, failed, old]


def test_status_names_what_is_not_done(harness, tiny: str, results: Path) -> None:
    _, failed, old = fill(results, tiny)
    said = harness("status", tiny)
    assert re.search(r"^tiny +3 +1 +0 +0 +1 +1 +0 *$", said.out, re.MULTILINE), said.out
    assert f"{failed.cell_id}  {failed.describe()}  failed: RuntimeError: no memory" in said.out
    assert f"{old.cell_id}  {old.describe()}  stale: made by numerics version 0" in said.out
    more = harness("status", tiny, "--seeds", "0-1")
    assert re.search(r"^tiny +6 +1 +0 +3 +1 +1 +0-1 *$", more.out, re.MULTILINE), more.out


@pytest.mark.parametrize("held", [True, False], ids=["running", "killed"])
def test_status_of_a_running_sweep(harness, tiny: str, results: Path, held: bool) -> None:
    one = cells(tiny)[0]
    with Store(results).lock() if held else contextlib.nullcontext():
        (results / "store").mkdir(parents=True, exist_ok=True)
        running = {one.cell_id: (one.describe(), 17)}
        (results / "store" / "running.json").write_text(json.dumps(running))
        said = harness("status", tiny)
    assert ("running: at iteration 17" in said.out) == held
    assert re.search(rf"^tiny +3 +0 +{held:d} +{3 - held} +0 +0 +0 *$", said.out, re.MULTILINE), said.out


def test_status_without_records(harness, results: Path) -> None:
    said = harness("status")
    assert not results.exists()  # looking leaves nothing behind
    assert (said.code, said.out) == (0, "no records yet; make sweep makes some\n")


def test_show(harness, tiny: str, results: Path) -> None:
    done, failed, _ = fill(results, tiny)
    for beginning in (done.cell_id, done.cell_id[:12]):
        said = harness("show", beginning)
        assert said.code == 0
        for text in (done.cell_id, done.describe(), "n_way: 5", "budget after 5", "wall_seconds: 2.5", "1.5"):
            assert text in said.out
    assert "failed after 0 iterations: RuntimeError: no memory" in harness("show", failed.cell_id).out
    is_refused(harness("show", ""), "cell '': 3 records begin with that")
    path = results / "store" / f"{done.cell_id}.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    is_refused(harness("show", done.cell_id), "torn")


@pytest.mark.usefixtures("noise")
def test_cell_by_its_rates_and_by_its_id(harness, tiny: str, results: Path) -> None:
    one = cells(tiny)[0]
    by_rates = harness("cell", "alpha0=1e-1", "beta0=1e-3", "--grid", tiny, "--iterations", "3")
    assert by_rates.code == 0, by_rates.err
    lines = by_rates.out.splitlines()
    assert lines[0].startswith(f"{one.cell_id}  {one.describe()}")
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "3"]
    assert lines[5].startswith("not in 3; budget")
    by_id = harness("cell", one.cell_id[:10], "--grid", tiny, "--iterations", "3")
    assert by_id.out.splitlines()[:5] == lines[:5]
    is_refused(harness("cell", "", "--grid", tiny), "3 cells begin with that")
    assert not results.exists()  # nothing is kept


def test_grids(harness) -> None:
    said = harness("grids")
    assert said.code == 0
    listed = [line.split()[0] for line in said.out.splitlines()[1:] if line[:1].strip()]
    assert [name for name in listed if name in grids.names()] == grids.names()
    assert "quick-omniglot" in harness("grids", "quick", "--dataset", "omniglot").out


@pytest.mark.usefixtures("noise")
def test_dry_run(harness, results: Path) -> None:
    said = harness("grids", "quick", "--cells", "--where", "method=maml", "--seeds", "0-1", "--jobs", "2")
    assert said.code == 0
    wanted = [cell for cell in grids.load("quick").cells((0, 1)) if cell.method == "maml"]
    listed = [line.split()[0] for line in said.out.splitlines()[:-1]]
    assert sorted(listed) == sorted(cell.cell_id for cell in wanted)
    assert re.search(
        r"^\d+ cells, \d+ to run: at most .*, 2 at a time.*measured just now", said.out, re.MULTILINE
    )
    assert not results.exists()


@pytest.mark.usefixtures("noise")
def test_data_and_its_sheet(harness, tmp_path: Path) -> None:
    said = harness("data", "glyphs", "--sheet", str(tmp_path / "new" / "sheet.png"))
    assert said.code == 0, said.err
    assert re.search(r"^characters +1623$", said.out, re.MULTILINE)
    assert (tmp_path / "new" / "sheet.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").touch()
    is_refused(
        harness("data", "glyphs", "--sheet", str(tmp_path / "file" / "sheet.png")), "no place to write"
    )


COMMANDS = ("sweep", "plot", "status", "show", "cell", "grids", "data")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example(harness, command: str) -> None:
    said = harness(command, "-h")
    assert said.code == 0
    assert f"Example: harness {command}" in said.out


def test_help_names_all_commands(harness) -> None:
    said = harness("-h")
    assert [c for c in COMMANDS if re.search(rf"^ *{c} ", said.out, re.MULTILINE)] == list(COMMANDS)
