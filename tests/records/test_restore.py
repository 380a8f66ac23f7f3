"""Tables back into records: all of a record comes back, and nothing that a sweep would run again."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness import grids, records
from harness.common import places
from harness.common.errors import NotWritten, UserError
from harness.grids import Grid
from harness.records import Row, publishing, restore, tables
from harness.records.restore import Restored, records_of
from harness.records.store import Store
from tests.records.test_tables import GRID, LOSSES, ORIGIN


def row(iteration: int, alpha: float, loss: float, val_loss: float | None = None) -> Row:
    return Row(
        iteration=iteration, alpha=alpha, beta=None, train_loss=loss, train_accuracy=0.5, val_loss=val_loss
    )


WHOLE = ORIGIN | {"finished": "2026-01-02T03:04:05+00:00", "dataset_sha256": "ab" * 32}


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    path = tmp_path / "five.yaml"
    path.write_text(GRID)
    return grids.load(str(path))


@pytest.fixture
def store(tmp_path: Path, grid: Grid) -> Store:
    """A record of each ending, by two commits."""
    store = Store(tmp_path / "one")
    for k, (cell, (ending, losses)) in enumerate(zip(grid.cells([0]), LOSSES.items(), strict=False)):
        rows = [row(i, 0.1 * i, loss, val_loss=1 / i) for i, loss in enumerate(losses, 1)]
        versions = WHOLE["versions"] | {"commit": f"commit{k % 2}", "python": "3.11"}
        error = "no memory" if ending == "failed" else None
        store.put(records.dump(records.make(cell, ending, rows, WHOLE | {"versions": versions}, error)))
    return store


def made(grid: Grid, store: Store, folder: Path) -> Path:
    tables.write(grid, store, store.scan(), folder, [0])
    return folder


def put_back(kept: Path, store: Store) -> Restored:
    return restore.restore(records_of(kept), store)


def test_a_record_comes_back_whole(grid: Grid, store: Store, tmp_path: Path) -> None:
    kept = made(grid, store, tmp_path / "tables")
    other = Store(tmp_path / "other")
    assert put_back(kept, other) == Restored(put=3, there=0)  # the failed one apart
    before, after = store.scan().headers, other.scan().headers
    assert len(after) == 3
    for cell_id, header in after.items():
        assert header == before[cell_id]
        mine, theirs = (one.read(cell_id).rows["train_loss"].to_numpy().tobytes() for one in (store, other))
        assert mine == theirs  # NaN included
        assert other.read(cell_id).rows.drop(["train_loss"]) == store.read(cell_id).rows.drop(["train_loss"])


def test_a_record_that_runs_as_far_stays(grid: Grid, store: Store, tmp_path: Path) -> None:
    kept = made(grid, store, tmp_path / "tables")
    assert put_back(kept, store) == Restored(put=0, there=3)
    assert store.scan().headers[grid.cells([0])[3].cell_id].ending == "failed"


def test_a_shorter_record_gives_way(grid: Grid, store: Store, tmp_path: Path) -> None:
    kept = made(grid, store, tmp_path / "tables")
    other, cell = Store(tmp_path / "other"), grid.cells([0])[0]
    other.put(records.dump(records.make(cell, "budget", [row(1, 0.5, 1.5)], WHOLE)))
    assert put_back(kept, other) == Restored(put=3, there=0)
    other.put(records.dump(records.make(grid.cells([0])[1], "budget", [row(1, 0.5, 1.5)], WHOLE)))
    assert put_back(kept, other) == Restored(put=1, there=2)
    assert other.scan().headers[cell.cell_id].iterations == len(LOSSES["stopped"])


def test_records_of_another_arithmetic_do_not_come_back(
    grid: Grid, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = made(grid, store, tmp_path / "tables")
    monkeypatch.setattr(restore, "NUMERICS", records.NUMERICS + 1)
    assert list(records_of(kept)) == []


def test_without_tables(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no tables there"):
        put_back(tmp_path, Store(tmp_path / "other"))


def test_some_of_them(grid: Grid, store: Store, tmp_path: Path) -> None:
    kept = made(grid, store, tmp_path / "tables")
    second = grid.cells([0])[1]
    asked = {second.cell_id, "0" * 16}
    assert [one.header.cell for one in records_of(kept, asked)] == [second]


@pytest.mark.parametrize("spoil", ["another grid", "no origin"])
def test_tables_that_do_not_fit_together(grid: Grid, store: Store, tmp_path: Path, spoil: str) -> None:
    kept = made(grid, store, tmp_path / "tables")
    path = kept / "trials.parquet"
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"harness"])
    if spoil == "another grid":
        about["grid"]["cells"] = about["grid"]["cells"][-1:]
    else:
        about["origins"] = [{"versions": "none"}]
    pq.write_table(table.replace_schema_metadata({b"harness": json.dumps(about)}), path)
    with pytest.raises(UserError, match=r"tables: its tables do not fit their description \([^\n]*\)$"):
        put_back(kept, Store(tmp_path / "other"))


def test_a_full_disk_says_how_far_it_came(
    grid: Grid, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = made(grid, store, tmp_path / "tables")
    other = Store(tmp_path / "other")
    put = other.put

    def one_alone(content: bytes) -> records.Record:
        if list(other.folder.glob("*.parquet")):
            raise NotWritten(other.folder / "next", OSError(errno.ENOSPC, ""))
        return put(content)

    monkeypatch.setattr(other, "put", one_alone)
    with pytest.raises(NotWritten, match=r"next: not written: the disk is full; 1 put before it"):
        put_back(kept, other)


def test_published_again_it_gives_the_same_page(
    grid: Grid, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the order in which the tables keep the packages."""
    monkeypatch.setattr(places, "REFERENCE", tmp_path / "reference")
    cells = grid.cells([0])
    (store.folder / f"{cells[3].cell_id}.parquet").unlink()  # a failed record does not come back
    versions = {"harness": "1", "python": "3.11", "torch": "2", "ray": "2", "pillow": "9", "extra": "0"}
    for cell in cells[:3]:
        one = store.read(cell.cell_id)
        origin = one.header.provenance | {"versions": versions | {"commit": "abc"}}
        store.put(records.dump(replace(one, header=replace(one.header, provenance=origin))))
    page = (publishing.publish(grid, tmp_path / "one", [0]) / "README.md").read_text()
    assert "- versions: harness 1, python 3.11, torch 2, ray 2, pillow 9, extra 0\n" in page
    put_back(places.REFERENCE / grid.folder, Store(tmp_path / "other"))
    assert (publishing.publish(grid, tmp_path / "other", [0]) / "README.md").read_text() == page


def test_where_several_origins_fit_only_what_they_share_comes_back() -> None:
    """Two readings of the resize, trained by the same code on the same machine, have other images."""
    row = {
        "device": "cpu (x)",
        "threads": 1,
        "pack_size": 1,
        "commit": "c",
        "torch": "2",
        "wall_seconds": 3.0,
    }
    origin = {"device": "cpu (x)", "threads": 1, "pack_size": 1}
    versions = {"commit": "c", "torch": "2"}
    origins = [
        origin | {"versions": versions | {"numpy": "1"}, "dataset_sha256": "a"},
        origin | {"versions": versions | {"numpy": "2"}, "dataset_sha256": "b"},
        origin | {"versions": versions | {"torch": "3"}, "dataset_sha256": "c"},
    ]
    open_ = restore._provenance(row, origins)
    assert open_["versions"] == versions
    assert "dataset_sha256" not in open_
    assert restore._provenance(row, origins[:1])["dataset_sha256"] == "a"
    assert restore._provenance(row | {"dataset_sha256": "b"}, origins)["dataset_sha256"] == "b"
