"""The folder of checkpoints: the newest of each cell, whole, within a limit, and no longer than needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from harness import records
from harness.cell import Cell, Question, protocol_of
from harness.common.errors import UserError
from harness.records import checkpoint, checkpoints
from harness.records.checkpoint import About, Damaged
from harness.records.checkpoints import Checkpoints
from harness.records.store import Store

SINUSOID = protocol_of(problem="sinusoid", width=2)
LONG = Question(target_loss=None, max_iterations=1000)


def cell(seed: int) -> Cell:
    return Cell(protocol=SINUSOID, method="maml", hyper={"alpha0": 0.1, "beta0": 0.1}, seed=seed)


A, B, C = map(cell, range(3))


def content(cells: Sequence[Cell], iteration: int, ended: bool = False, **more: object) -> bytes:
    about = About(
        cells=tuple(cells),
        iteration=iteration,
        ended=ended,
        lowest=(2.0,) * len(cells),
        seconds=(1.0,) * len(cells),
        pack_size=len(cells),
    )
    weights = np.arange(4 * len(cells), dtype=np.float32).reshape(len(cells), 4)
    return checkpoint.dump(replace(about, **more), {"weights": weights})


def record(one: Cell, iterations: int, ending: str = "budget") -> records.Record:
    rows = [
        {"iteration": i + 1, "alpha": 0.1, "beta": 0.1, "train_loss": 3.0, "val_loss": None}
        for i in range(iterations)
    ]
    return records.make(one, ending, rows, {})


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    return Checkpoints(Store(tmp_path))


def names(kept: Checkpoints) -> list[list[int]]:
    """The seeds of each file in training, and its iteration."""
    found = [checkpoint.read_about(path) for path in sorted(kept.in_training.glob("*"))]
    return sorted([one.iteration, *(cell.seed for cell in one.cells)] for one in found)


def test_a_file_says_what_it_is_and_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(content([A, B], 7))
    about, arrays = checkpoint.load(path.read_bytes())
    assert about == checkpoint.read_about(path) == checkpoint.about_of(path.read_bytes())
    assert (about.cells, about.iteration, about.lowest) == ((A, B), 7, (2.0, 2.0))
    assert arrays["weights"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_every_damaged_byte_is_seen() -> None:
    whole = content([A], 7)
    for at in range(0, len(whole), 7):
        torn = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
        with pytest.raises((Damaged, checkpoint.NotLoaded)):
            checkpoint.load(torn)
    for length in (0, 5, 100, len(whole) - 1):
        with pytest.raises(Damaged):
            checkpoint.load(whole[:length])


def test_a_header_tells_whether_the_file_is_as_long_as_it_should_be(tmp_path: Path) -> None:
    whole, path = content([A], 7), tmp_path / "one"
    for wrong in (whole[:-1], whole + b"0", whole[:20], b"", bytes(range(200))):
        path.write_bytes(wrong)
        with pytest.raises(Damaged, match="truncated, or not a checkpoint"):
            checkpoint.read_about(path)
    with pytest.raises(Damaged, match="not a checkpoint but a folder"):
        checkpoint.read_about(tmp_path)


@pytest.mark.parametrize(
    "more",
    [
        {"iteration": 6.5},
        {"iteration": True},
        {"lowest": ("a",)},
        {"seconds": ("a",)},
        {"ended": 1},
        {"numerics": -1},
        {"lowest": ()},
        {"sources": [1]},
    ],
)
def test_a_header_with_other_values_is_damaged(more: dict[str, object]) -> None:
    with pytest.raises(Damaged, match=r"values that no checkpoint has|contradicts|cannot be read"):
        checkpoint.load(content([A], **{"iteration": 7} | more))


def test_the_newest_of_a_cell_is_kept_alone(kept: Checkpoints) -> None:
    for at in (10, 20):
        assert kept.put(content([A, B], at))
    assert names(kept) == [[20, 0, 1]]
    kept.put(content([C], 5))
    kept.put(content([B], 30))  # A has not ended: it may yet go on from 20
    assert names(kept) == [[5, 2], [20, 0, 1], [30, 1]]
    starts = kept.starts([A, B, C], LONG)
    assert {i: one.iteration for i, one in starts.items()} == {A.cell_id: 20, B.cell_id: 30, C.cell_id: 5}
    kept.put(content([A], 40))
    assert names(kept) == [[5, 2], [30, 1], [40, 0]]
    kept.put(content([A, B], 35))  # of a run that began again: A has come further
    assert names(kept) == [[5, 2], [35, 0, 1], [40, 0]]
    assert kept.starts([A], LONG)[A.cell_id].iteration == 40


def test_a_record_ends_its_checkpoint_but_a_failed_or_shorter_one_does_not(kept: Checkpoints) -> None:
    kept.put(content([A], 10))
    kept.ended(record(A, 20, "failed").header)
    kept.ended(record(A, 5).header)
    assert names(kept) == [[10, 0]]
    kept.ended(record(A, 9).header)
    assert names(kept) == []


def test_what_a_killed_sweep_has_left_is_tidied(kept: Checkpoints, tmp_path: Path) -> None:
    """But for what is newer than the cell's record, as of a run that is made again."""
    store = Store(tmp_path)
    store.put(records.dump(record(C, 10)))
    kept.put(content([C], 5))
    kept.put(content([A], 10))
    kept.put(content([B], 10))
    store.put(records.dump(record(A, 10)))
    (kept.in_training / "torn.safetensors").write_bytes(content([C], 3)[:-1])
    (kept.in_training / "notes.txt").write_text("of the user")
    os.mkfifo(kept.in_training / "pipe.safetensors")
    again = Checkpoints(store)
    unfit = again.tidy(store.scan(), {B.cell_id})
    assert {path.name: why.split(" (")[0] for path, why in unfit.items()} == {
        "torn.safetensors": "truncated, or no such file",
        "pipe.safetensors": "not a checkpoint but a pipe",
    }
    for path in unfit:
        assert again.set_aside(path).parent == store.folder / "aside"
    assert (again.in_training / "notes.txt").exists()
    (again.in_training / "notes.txt").unlink()
    assert names(again) == [[5, 2], [10, 1]]


def test_those_of_another_version_are_unfit_for_the_cells_asked_for_alone(kept: Checkpoints) -> None:
    kept.put(content([A], 10, numerics=1))
    scan = kept.store.scan()
    assert kept.starts([A], LONG) == {}
    assert Checkpoints(kept.store).tidy(scan, {B.cell_id}) == {}
    (why,) = Checkpoints(kept.store).tidy(scan, {A.cell_id}).values()
    assert why == "made by another version of the arithmetic or of a plug-in"


@pytest.mark.parametrize(
    ("question", "leads"),
    [
        (Question(max_iterations=10), True),
        (Question(max_iterations=9), False),
        (Question(max_iterations=10, target_loss=1.9), True),
        (Question(max_iterations=10, target_loss=2.0), False),  # its run had ended before
    ],
)
def test_a_run_must_come_past_it(kept: Checkpoints, question: Question, leads: bool) -> None:
    kept.put(content([A], 10))
    assert bool(kept.starts([A], question)) is leads


def test_a_pack_goes_on_together_or_begins(kept: Checkpoints) -> None:
    kept.put(content([A, B], 10))
    assert [len(kept.sources(pack, LONG)) for pack in ([A, B], [B], [A, B, C])] == [1, 1, 0]
    kept.put(content([B], 20))
    assert kept.sources([A, B], LONG) == []


def test_weights_go_on_with_their_own_record_alone(kept: Checkpoints) -> None:
    kept.put(content([A], 10, ended=True))
    assert kept.starts([A], LONG) == {}  # without its record
    kept.store.put(records.dump(record(A, 10)))
    assert kept.starts([A], LONG)[A.cell_id].ended
    ((_, rows),) = kept.sources([A], LONG)
    assert rows is not None
    kept.store.put(records.dump(record(A, 12)))
    assert kept.starts([A], LONG)[A.cell_id].iteration == 10  # a longer record has its rows too
    kept.put(content([A], 14, ended=True))
    assert kept.starts([A], LONG)[A.cell_id].iteration == 10


def test_a_record_lacks_its_weights(kept: Checkpoints) -> None:
    header = record(A, 10).header
    question = Question(max_iterations=10)
    assert kept.lacks_weights(header, question)
    kept.put(content([A], 9, ended=True))
    assert kept.lacks_weights(header, question)
    kept.put(content([A], 10, ended=True))
    assert not kept.lacks_weights(header, question)
    assert not kept.lacks_weights(record(B, 10, "diverged").header, question)  # it has none
    assert [*kept.weights_of(A.cell_id)] == [9, 10]


def test_the_weights_of_a_run_are_those_that_it_ended_with(kept: Checkpoints) -> None:
    """Whatever longer run the record is of."""
    losses = [3.0] * 12 + [1.0] * 18
    long = record(A, 30)
    table = long.rows.set_column(3, "train_loss", pa.array(losses))
    long = records.record.of_table(A, "budget", table, {})
    kept.store.put(records.dump(long))

    def ends(budget: int, target: float | None = None) -> int | None:
        return kept.ends_at(long.header, Question(max_iterations=budget, target_loss=target))

    assert (ends(10), ends(30)) == (10, 30)
    assert (ends(30, 1.0), ends(30, 2.8), ends(30, 0.5)) == (22, 13, 30)
    diverged = record(A, 30, "diverged").header
    assert kept.ends_at(diverged, Question(max_iterations=29)) == 29
    assert kept.ends_at(diverged, Question(max_iterations=30)) is None


def test_no_more_is_written_than_the_limit(kept: Checkpoints) -> None:
    one = content([A], 10)
    small = Checkpoints(kept.store, limit=2 * len(one))
    assert small.put(one)
    assert small.put(content([A], 11))  # until it takes the place of the one before, there are two
    assert small.put(content([B], 10))
    assert not small.put(content([A], 12))
    assert (names(kept), small.used, small.counts) == ([[10, 1], [11, 0]], 2 * len(one), (2, 0))
    small.set_aside(small.starts([B], LONG)[B.cell_id].path)
    assert small.used == 2 * len(one)  # what was set aside takes room too


def test_weights_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe: cannot be read: a pipe"):
        checkpoints.weights(tmp_path / "pipe")
