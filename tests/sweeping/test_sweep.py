"""Whole sweeps in this process: what runs and what does not, readings, shards, packs, faults."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import grids
from harness.common.errors import NotWritten, UserError
from harness.common.files import whole_file
from harness.problems import datasets
from harness.records import Progress, Record, Row, tables
from harness.records.store import Store
from harness.sweeping import serial, work
from harness.sweeping.runner import Machine
from harness.sweeping.sweep import Request, Result, sweep

MACHINE = Machine(device="cpu", jobs=2)
GRID = """
title: Tiny
figure: {kind: heatmap, panels: [alpha0, beta0], x: beta_hyperlr, y: alpha_hyperlr}
protocol:
  dataset: glyphs
  n_way: 5
  meta_batch: 2
  layers: 2
  filters: 4
  validation_tasks: 2
target_loss: 1.0
max_iterations: ITERATIONS
cells:
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
  - {method: alpha-maml, alpha0: 0.1, beta0: 1e-3, alpha_hyperlr: [1e-2, 1], beta_hyperlr: 1e-5}
"""


def grid_file(folder: Path, iterations: int = 6) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(GRID.replace("ITERATIONS", str(iterations)))
    return path


class Silent:
    """A display that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ended: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, total: int, done: int, jobs: int) -> None:
        self.plan = (total, done)

    def progress(self, now: list[Progress]) -> None:
        self.shown = [p.cell.cell_id for p in now]

    def record(self, record: Record, question: object) -> None:
        self.ended.append(record.header.cell.cell_id)

    def end(self) -> None:
        pass


def request(tmp_path: Path, iterations: int = 6, **fields: object) -> Request:
    grid = grids.load(str(grid_file(tmp_path, iterations)))
    return Request(grid=grid, results=tmp_path / "results", machine=MACHINE, **fields)


def run(asked: Request, runner: Callable = serial.run) -> tuple[Result, Silent]:
    display = Silent()
    return sweep(asked, runner, display), display


def rows(folder: Path) -> list[dict]:
    table = tables.read(folder).trajectories
    return json.loads(table.to_json(orient="records", double_precision=15))


def test_a_sweep_runs_each_cell_once(tmp_path: Path) -> None:
    asked = request(tmp_path)
    first, display = run(asked)
    assert (first.asked, first.ran, first.failed, first.interrupted) == (3, 3, {}, False)
    assert sorted(display.ended) == sorted(cell.cell_id for cell in asked.cells())
    trials = tables.read(asked.folder).trials
    assert trials["cell_id"].tolist() == [cell.cell_id for cell in asked.cells()]
    assert (trials["iterations_run"] == 6).all()

    def never(*arguments: object) -> None:
        raise AssertionError("nothing is missing")

    again, display = run(asked, never)
    assert (again.ran, display.plan) == (0, (3, 3))


def test_progress_that_comes_after_the_record_is_not_shown(tmp_path: Path) -> None:
    """Ray delivers progress and records by different routes."""
    asked = request(tmp_path)
    done, other = asked.cells()[:2]

    row = Row(iteration=1, alpha=0.1, beta=0.1, train_loss=3.0, train_accuracy=0.05)

    def runner(packs, question, machine, driver) -> None:
        serial.run([(done,)], question, machine, driver)
        driver.progress([Progress(cell=cell, row=row) for cell in (done, other)])

    _, display = run(asked, runner)
    assert display.shown == [other.cell_id]


def test_each_reading_has_its_own_records_and_its_data_are_looked_for_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = grid_file(tmp_path)
    text = path.read_text().replace("panels: [", "panels: [protocol, ")
    path.write_text(
        text.replace("target_loss", "readings: [{}, {resize: nearest}, {k_shot: 2}]\ntarget_loss")
    )
    asked = Request(grid=grids.load(str(path)), results=tmp_path / "results", machine=MACHINE)
    checked: list[tuple[str, str]] = []
    monkeypatch.setattr(datasets, "check", lambda *what: checked.append(what))
    result, _ = run(asked)
    assert checked == [("glyphs", "lanczos"), ("glyphs", "nearest")]
    assert (result.asked, result.ran) == (9, 9)
    trials = tables.read(asked.folder).trials
    assert trials["protocol"].tolist() == [c.protocol.label for c in asked.cells()]
    losses = trials["final_train_loss"].to_numpy().reshape(3, 3)
    assert (losses[0] != losses[2]).all()  # k_shot is another problem; glyphs ignore resize
    assert (losses[0] == losses[1]).all()
    assert tables.read_about(asked.folder)["protocol_label"] == asked.grid.label


def test_only_what_does_not_answer_runs_again(tmp_path: Path) -> None:
    run(request(tmp_path, where="method=maml"))
    _, display = run(request(tmp_path))
    assert display.plan == (3, 1)
    before = rows(request(tmp_path).folder)
    _, display = run(request(tmp_path, iterations=8))  # a larger budget: all run again, from 1
    assert display.plan == (3, 0)
    after = rows(request(tmp_path).folder)
    ids = {cell.cell_id for cell in request(tmp_path).cells()}
    for cell_id in ids:
        old = [r["train_loss"] for r in before if r["cell_id"] == cell_id]
        assert [r["train_loss"] for r in after if r["cell_id"] == cell_id][:6] == old
    _, display = run(request(tmp_path, iterations=4))  # a smaller one is read off the same records
    assert display.plan == (3, 3)
    assert len(rows(request(tmp_path).folder)) == 12


def test_shards_together_are_the_whole(tmp_path: Path) -> None:
    for shard in ("1/2", "2/2"):
        run(request(tmp_path, shard=shard))
    assert run(request(tmp_path))[0].ran == 0


def test_a_failed_cell_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = work.loop.train
    victim = request(tmp_path).cells()[1].cell_id

    def broken(pack: tuple, *arguments: object) -> object:
        if pack[0].cell_id == victim:
            raise RuntimeError("a fault\nof two lines")
        return train(pack, *arguments)

    monkeypatch.setattr(work.loop, "train", broken)
    result, _ = run(request(tmp_path))
    assert result.ran == 3
    assert list(result.failed) == [victim]
    assert "a fault of two lines" in result.failed[victim]
    trials = tables.read(request(tmp_path).folder).trials.set_index("cell_id")
    assert trials.loc[victim, "outcome"] == "failed"
    monkeypatch.undo()
    result, display = run(request(tmp_path))
    assert (display.plan, result.failed) == ((3, 2), {})


def test_a_torn_record_is_set_aside_and_run_again(tmp_path: Path) -> None:
    asked = request(tmp_path)
    run(asked)
    torn, flipped, _ = (asked.store.folder / f"{cell.cell_id}.parquet" for cell in asked.cells())
    whole = torn.read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    content = bytearray(flipped.read_bytes())
    content[30] ^= 0xFF  # within a page: only its checksum tells
    flipped.write_bytes(content)
    result, display = run(asked)
    assert result.ran == 2
    assert len(display.notes) == 2
    assert all("set aside" in note for note in display.notes)
    assert len(list((asked.store.folder / "aside").iterdir())) == 2
    assert run(asked)[0].ran == 0
    assert tables.read(asked.folder).trials["outcome"].notna().all()


def test_a_full_disk_ends_the_sweep_and_loses_nothing_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, put = request(tmp_path), Store.put
    calls: list[bytes] = []

    def full(store: Store, content: bytes) -> Record:
        calls.append(content)
        if len(calls) >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return put(store, content)

    monkeypatch.setattr(Store, "put", full)
    result, display = run(asked)
    assert result.unsaved == 1
    assert "the disk is full" in display.notes[0]
    assert len(calls) == 3  # the second record, once more at the end; the third cell never started
    monkeypatch.undo()
    result, display = run(asked)
    assert display.plan == (3, 1)


def test_a_runner_that_gives_up_leaves_its_cells_to_be_run(tmp_path: Path) -> None:
    result, _ = run(request(tmp_path), lambda *arguments: None)
    assert (result.ran, result.left, result.failed, result.interrupted) == (0, 3, {}, False)


def test_why_cells_were_left_is_what_the_runner_says(tmp_path: Path) -> None:
    result, _ = run(request(tmp_path), lambda *arguments: "Ray has a cold")
    assert (result.left, result.why_left) == (3, "Ray has a cold")


def test_a_sweep_that_keeps_nothing_leaves_tables_as_they_are(tmp_path: Path) -> None:
    """Seeds that were asked for and not run add no rows."""
    run(request(tmp_path))
    before = (request(tmp_path).folder / "trials.parquet").read_bytes()
    drawn: list[Path] = []
    result = sweep(request(tmp_path, seeds=(2, 3)), lambda *arguments: None, Silent(), draw=drawn.append)
    assert result.left == 6
    assert (request(tmp_path).folder / "trials.parquet").read_bytes() == before
    assert not drawn

    def one(packs, *arguments: object) -> None:  # of seed 2 or 3
        serial.run(packs[:1], *arguments)

    run(request(tmp_path, seeds=(2, 3)), one)
    trials = tables.read(request(tmp_path).folder).trials
    assert len(trials) == 6
    assert trials.groupby("seed")["outcome"].count().tolist() == [3, 1]


def test_a_sweep_that_keeps_nothing_makes_no_empty_tables(tmp_path: Path) -> None:
    run(request(tmp_path), lambda *arguments: None)
    assert not list(request(tmp_path).folder.iterdir())


def test_tables_that_cannot_be_written_are_no_success(tmp_path: Path) -> None:
    (request(tmp_path).folder / "trials.parquet").mkdir(parents=True)
    result, _ = run(request(tmp_path))
    assert result.ran == 3
    assert result.unwritten is not None
    assert "trials.parquet" in result.unwritten


def test_figures_that_cannot_be_written_are_no_success(tmp_path: Path) -> None:
    def draw(folder: Path) -> None:
        with whole_file(folder / "none" / "tiny.png"):
            pass

    (request(tmp_path).folder / "none").mkdir(parents=True)
    (request(tmp_path).folder / "none" / "tiny.png").mkdir()
    result = sweep(request(tmp_path), serial.run, Silent(), draw=draw)
    assert "tiny.png" in (result.unwritten or "")


def test_after_an_unexpected_error_there_are_tables_of_what_was_kept(tmp_path: Path) -> None:
    def breaks(packs, *arguments: object) -> None:
        serial.run(packs[:1], *arguments)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(request(tmp_path), breaks)
    assert tables.read(request(tmp_path).folder).trials["outcome"].count() == 1


def test_a_second_signal_stops_at_once_without_tables(tmp_path: Path) -> None:
    def stopped(packs, *arguments: object) -> None:
        serial.run(packs[:1], *arguments)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(request(tmp_path), stopped)
    assert not list(request(tmp_path).folder.iterdir())
    assert len(request(tmp_path).store.scan().headers) == 1


def test_what_is_no_record_is_set_aside_and_damage_elsewhere_is_left_out(tmp_path: Path) -> None:
    asked = request(tmp_path)
    run(asked)
    _, alpha, _ = asked.cells()
    (asked.store.folder / "notes.parquet").write_text("mine")
    (asked.store.folder / "more.parquet").mkdir()
    (asked.store.folder / f"{alpha.cell_id}.parquet").write_bytes(b"torn")
    result, display = run(request(tmp_path, where="method=maml"))
    assert result.ran == 0
    assert list(result.left_out) == [alpha.cell_id]
    assert [note.split(":")[0] for note in display.notes] == [
        "record more set aside as more.0.parquet",
        "record notes set aside as notes.0.parquet",
    ]
    result, display = run(asked)
    assert (result.ran, result.left_out) == (1, {})
    assert display.notes[0].endswith("its cell is run again")


def test_what_a_killed_sweep_left_unfinished_goes_and_a_users_files_stay(tmp_path: Path) -> None:
    folder = request(tmp_path).folder
    folder.mkdir(parents=True)
    for name in ("trials.0123456789ab.tmp", "probe", "mine.tmp"):
        (folder / name).write_text("")
    with whole_file(folder / "plot.png") as unfinished:  # of a `plot` that runs now
        run(request(tmp_path))
        names = {path.name for path in folder.iterdir()}
    assert {"probe", "mine.tmp", unfinished.name} < names
    assert "trials.0123456789ab.tmp" not in names


def test_the_folder_of_another_grid_of_this_name_is_refused_before_anything_runs(tmp_path: Path) -> None:
    run(request(tmp_path))
    (tmp_path / "other").mkdir()
    path = grid_file(tmp_path / "other", 7)
    asked = Request(grid=grids.load(str(path)), results=tmp_path / "results", machine=MACHINE)
    with pytest.raises(UserError, match=r"holds the tables of .*tiny\.yaml; rename"):
        run(asked)
    (tmp_path / "tiny.yaml").unlink()
    assert run(asked)[0].ran == 3


def test_a_record_that_may_not_be_read_is_neither_moved_nor_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path)
    run(asked)
    names = sorted(path.name for path in asked.store.folder.iterdir())
    monkeypatch.setattr("harness.records.record.load_header", refuses)
    with pytest.raises(
        UserError, match=r"no permission to read 3 records of these cells, such as .*parquet; make"
    ):
        run(asked)
    assert sorted(path.name for path in asked.store.folder.iterdir()) == names


def refuses(path: Path, stem: str) -> None:
    raise PermissionError(errno.EACCES, "no", str(path))


def test_an_odd_entry_with_the_longest_of_names_is_set_aside_too(tmp_path: Path) -> None:
    asked = request(tmp_path)
    asked.store.folder.mkdir(parents=True)
    (asked.store.folder / f"{'a' * 247}.parquet").write_text("mine")
    assert run(asked)[0].ran == 3
    assert [path.name for path in (asked.store.folder / "aside").iterdir()] == [f"{'a' * 80}.0.parquet"]


def test_a_shard_without_cells_has_nothing_to_do(tmp_path: Path) -> None:
    result, display = run(request(tmp_path, shard="9/9"))
    assert (result.asked, result.left, result.ran) == (0, 0, 0)
    assert display.notes == ["shard 9/9: no cells are left for it"]
    assert not (tmp_path / "results").exists()


def test_a_disk_that_is_full_for_a_moment_is_no_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, put = request(tmp_path), Store.put
    calls: list[bytes] = []

    def full_once(store: Store, content: bytes) -> Record:
        calls.append(content)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return put(store, content)

    monkeypatch.setattr(Store, "put", full_once)
    result, _ = run(asked)
    assert (result.ran, result.left, result.unsaved, result.interrupted) == (1, 2, 0, False)
    assert result.why_left == "records could not be written"
    assert tables.read(asked.folder).trials["outcome"].count() == 1


def test_a_damaged_record_is_run_again_although_the_figure_cannot_be_written(tmp_path: Path) -> None:
    asked = request(tmp_path)
    run(asked)
    (torn, *_) = (asked.store.folder / f"{cell.cell_id}.parquet" for cell in asked.cells())
    content = bytearray(torn.read_bytes())
    content[30] ^= 0xFF  # within a page: only reading its rows tells
    torn.write_bytes(content)

    def draw(folder: Path) -> None:
        raise NotWritten(folder / "tiny.png", OSError(errno.ENOSPC, "full"))

    result = sweep(asked, serial.run, Silent(), draw=draw)
    assert result.ran == 1
    assert "tiny.png" in (result.unwritten or "")
