"""One cell trained live."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import grids
from tests import swept
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


@pytest.mark.usefixtures("noise")
def test_an_id_of_another_seed_is_found_with_that_seed(harness: Run, tiny: str) -> None:
    """As a report's page writes the command."""
    other = grids.load(tiny).cells([7])[1]
    said = harness("cell", "--grid", tiny, "--seed", "7", other.cell_id, "--iterations", "1")
    assert said.code == 0, said.err
    assert said.out.startswith(f"{other.cell_id}  {other.describe()}")
    is_refused(harness("cell", "--grid", tiny, other.cell_id), "not the beginning of any cell id")


def test_threads_are_those_that_this_process_may_use(
    harness: Run, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container, say, that has two of a machine's cores."""
    monkeypatch.setattr("harness.cli.cell.cores", lambda: 2)
    said = harness("cell", "alpha0=0.1", "beta0=0.1", "--grid", tiny, "--threads", "3")
    wanted = "harness: threads 3: write 1 to 2, the cores that this process may use\n"
    assert (said.code, said.err) == (2, wanted)


@pytest.fixture
def sinusoid(tmp_path: Path) -> str:
    swept.grid_of(tmp_path, swept.SINUSOID)
    return str(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("words", "heads"),
    [
        (["alpha0=0.1", "beta0=0.01"], ["iteration", "loss", "alpha", "beta", "val", "loss"]),
        (["alpha0=0.1", "eps0=1", "steps=2"], ["iteration", "loss", "alpha", "eps", "val", "loss"]),
    ],
    ids=["maml", "reptile"],
)
def test_the_columns_are_those_of_its_problem_and_method(
    harness: Run, sinusoid: str, words: list[str], heads: list[str]
) -> None:
    said = harness("cell", *words, "--grid", sinusoid, "--iterations", "2")
    _, head, first, last, _ = said.out.splitlines()
    assert head.split() == heads
    assert len(first.split()) == 5  # validated, and updated
    assert len(last.split()) == 4  # no update follows
    assert len({len(line) for line in (head, first, last)}) == 1


@pytest.mark.usefixtures("noise")
def test_hyper_parameters_of_every_type(harness: Run, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    swept.bring_typed(monkeypatch)
    words = ["alpha0=0.1", "beta0=1e-3", "rule=raw", "msl=true", "steps=3"]
    said = harness("cell", *words, "--grid", tiny, "--iterations", "1")
    assert "typed alpha0=0.1 beta0=0.001 rule=raw msl=true steps=3 seed=0" in said.out, said.err
    for wrong, why in {
        "rule=other": "cell: rule: ",
        "msl=3": "cell: msl: ",
        "steps=1.5": "cell: steps: 1.5 is not a whole number",
        "steps=some": "cell: steps: 'some' is not a number",
        "steps=": "'steps=' is not of the form name=value",
    }.items():
        name = wrong.partition("=")[0]
        others = [word for word in words if not word.startswith(f"{name}=")]
        is_refused(harness("cell", *others, wrong, "--grid", tiny), why)
