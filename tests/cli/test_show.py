"""One record, found by the beginning of its id."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, fill, is_refused


def test_show(harness: Run, tiny: str, results: Path) -> None:
    done, failed, _ = fill(results, tiny)
    for beginning in (done.cell_id, done.cell_id[:12]):
        said = harness("show", beginning)
        assert said.code == 0
        for text in (done.cell_id, done.describe(), "n_way: 5", "budget after 5", "wall_seconds: 2.5", "1.5"):
            assert text in said.out
    assert "failed after 0 iterations: RuntimeError: no memory" in harness("show", failed.cell_id).out
    is_refused(harness("show", ""), "cell '': the beginning of 3 record ids")
    path = results / "store" / f"{done.cell_id}.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    is_refused(harness("show", done.cell_id), "truncated")
