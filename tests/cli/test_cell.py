"""One cell trained live."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, cells, is_refused


@pytest.mark.usefixtures("noise")
def test_cell_by_its_rates_and_by_its_id(harness: Run, tiny: str, results: Path) -> None:
    one = cells(tiny)[0]
    by_rates = harness("cell", "alpha0=1e-1", "beta0=1e-3", "--grid", tiny, "--iterations", "3")
    assert by_rates.code == 0, by_rates.err
    lines = by_rates.out.splitlines()
    assert lines[0].startswith(f"{one.cell_id}  {one.describe()}")
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "3"]
    assert lines[5].startswith("not reached in 3; budget")
    by_id = harness("cell", one.cell_id[:10], "--grid", tiny, "--iterations", "3")
    assert by_id.out.splitlines()[:5] == lines[:5]
    is_refused(harness("cell", "", "--grid", tiny), "the beginning of 3 cell ids")
    assert not results.exists()  # nothing is kept


def test_threads_are_those_that_this_process_may_use(
    harness: Run, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container, say, that has two of a machine's cores."""
    monkeypatch.setattr("harness.cli.cell.cores", lambda: 2)
    said = harness("cell", "alpha0=0.1", "beta0=0.1", "--grid", tiny, "--threads", "3")
    wanted = "harness: threads 3: write 1 to 2, the cores that this process may use\n"
    assert (said.code, said.err) == (2, wanted)
