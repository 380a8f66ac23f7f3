"""One record, found by the beginning of its id."""

from __future__ import annotations

import re
from pathlib import Path

from harness import grids
from harness.records.store import Store
from tests import swept
from tests.cli.conftest import Run, fill, is_refused
from tests.records.test_tables import made


def test_both_passages_of_the_targets(harness: Run, results: Path) -> None:
    one = grids.load("fig2").cells()[0]  # fig3 has it too
    Store(results).put(made(one, "budget", [2.995] * 3 + [2.9] * 10 + [2.2] * 3))
    said = harness("show", one.cell_id)
    assert re.findall(r"(?:passages +| {11})(of .*)", said.out) == [
        "of 2.5: first 14, sustained none",
        "of 2.99: first 4, sustained 10",
    ]
    assert "of 2.92: first 4, sustained 11" in harness("show", one.cell_id, "--target", "2.92").out


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


def test_a_problem_without_classes(harness: Run, results: Path) -> None:
    results.mkdir()
    made = swept.swept(results, swept.SINUSOID)
    said = harness("show", made.trials["cell_id"][0])
    assert re.search(r"^protocol +sinusoid$", said.out, re.MULTILINE)
    assert re.search(r"^iteration +alpha +beta +train_loss +val_loss$", said.out, re.MULTILINE)
    assert not re.search("n_way|accuracy|data set|dataset: ", said.out)
