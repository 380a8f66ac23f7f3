"""A few of the kills, and resumed sweeps: nothing is lost, changed or run twice. `make faults` has more."""

from __future__ import annotations

import tempfile
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from tests.faults.kills import KILLS, Kill, survive, undisturbed


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What an undisturbed sweep gives."""
    return undisturbed(tmp_path_factory.mktemp("undisturbed"))


def test_there_are_45_kills_all_different() -> None:
    assert len(KILLS) == len(set(KILLS)) == 45


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize(
    "kill",
    [
        Kill(runner="serial", victim="driver", signal=SIGKILL),
        Kill(runner="serial", victim="driver", signal=SIGTERM),
        Kill(runner="serial", victim="group", signal=SIGINT),
        pytest.param(Kill(runner="ray", victim="group", signal=SIGTERM), marks=pytest.mark.ray),
        pytest.param(Kill(runner="ray", victim="control plane", signal=SIGKILL), marks=pytest.mark.ray),
        pytest.param(Kill(runner="ray", victim="worker", signal=SIGKILL), marks=pytest.mark.ray),
    ],
    ids=lambda kill: kill.words,
)
def test_a_kill_is_survived(kill: Kill, known: dict[str, object]) -> None:
    """All but the time it takes, which depends on what else the machine does."""
    with tempfile.TemporaryDirectory(prefix="k-") as folder:  # its path is short enough for Ray's sockets
        found = survive(kill, Path(folder), known)
    assert [one for one in found.wrong if not one.startswith("late")] == []
