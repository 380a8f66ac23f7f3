"""Two of the kills after which runs go on, serial and on Ray. `make faults` has forty."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.faults import going_on


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> going_on.Known:
    """What an undisturbed sweep gives."""
    return going_on.undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("runner", "victim", "moment"),
    [
        ("serial", "driver", 0.4),
        pytest.param("ray", "worker", 0.6, marks=pytest.mark.ray),
    ],
)
def test_runs_go_on_after_a_kill(runner: str, victim: str, moment: float, known: going_on.Known) -> None:
    with tempfile.TemporaryDirectory(prefix="g-") as folder:  # its path is short enough for Ray's sockets
        found = going_on.survive(runner, victim, moment, Path(folder), known)
    kind, at = found.split(": ")
    assert kind == "ok", found
    assert int(at) > 1  # from a checkpoint, not from the beginning
