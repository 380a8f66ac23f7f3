"""The driver: every record goes to the store at once, and progress is reported."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from harness.cell import Question
from harness.records import Progress, Record, Row
from harness.records.store import Store
from harness.sweeping.driver import RUNNING, StoreDriver
from harness.sweeping.interrupts import Interrupts
from tests.records.test_record import BYTES, CELL
from tests.sweeping.tiny import Silent

OTHER = CELL.model_copy(update={"seed": 4})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.folder.mkdir()
    return store


@pytest.fixture
def display() -> Silent:
    return Silent()


@pytest.fixture
def driver(store: Store, display: Silent) -> StoreDriver:
    question = Question(target_loss=None, max_iterations=30)
    return StoreDriver(store, question, display, Interrupts())


def at(iteration: int) -> list[Progress]:
    row = Row(iteration=iteration, alpha=0.1, beta=0.1, train_loss=3.0, train_accuracy=0.05)
    return [Progress(cell=cell, row=row) for cell in (CELL, OTHER)]


def running(store: Store) -> dict:
    return json.loads((store.folder / RUNNING).read_text())


def test_a_record_is_in_the_store_at_once(driver: StoreDriver, store: Store, display: Silent) -> None:
    driver.record(BYTES)
    assert driver.ran == store.scan().headers
    assert display.ended == list(driver.ran) == [CELL.cell_id]


def test_progress_is_written_now_and_then(
    driver: StoreDriver, store: Store, display: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.progress(at(3))
    assert running(store) == {cell.cell_id: [cell.describe(), 3] for cell in (CELL, OTHER)}
    driver.record(BYTES)
    driver.progress(at(5))
    assert display.shown == [OTHER.cell_id]
    assert running(store)[OTHER.cell_id][1] == 3  # not yet written again
    monkeypatch.setattr("harness.sweeping.driver.EVERY_S", 0.0)
    driver.progress(at(7))
    assert running(store) == {OTHER.cell_id: [OTHER.describe(), 7]}
    driver.close()
    assert not (store.folder / RUNNING).exists()


def test_a_full_disk_ends_the_sweep_and_is_tried_again(
    driver: StoreDriver, store: Store, display: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(store: Store, content: bytes, **more: bool) -> Record:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", full)
        driver.record(BYTES)
        assert driver.interrupted()
        assert display.notes == [f"cannot write to {store.folder}: the disk is full; the sweep stops here"]
        driver.close()
        assert driver.unsaved == [BYTES]
    driver.close()
    assert driver.unsaved == []
    assert list(store.scan().headers) == [CELL.cell_id]


def test_an_interrupt_is_reported_once(driver: StoreDriver, display: Silent) -> None:
    assert not driver.interrupted()
    driver._interrupts.wanted = True
    assert driver.interrupted()
    assert driver.interrupted()
    assert display.notes == ["stopping; finished cells are kept (press Ctrl-C again to stop at once)"]
