"""What the supervisor makes of the process that runs Ray, with small programs in that process's place."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from harness import records
from harness.cell import Question
from harness.common.errors import UserError
from harness.common.places import CHECKOUT
from harness.sweeping import supervisor
from harness.sweeping.runner import Machine
from tests.training.runs import cell

QUESTION = Question(target_loss=None, max_iterations=5)
MACHINE = Machine(device="cpu", jobs=2)
BEGIN = """
import os, signal, subprocess, sys, time
from multiprocessing.connection import Connection
from pathlib import Path
from harness import records
connection = Connection(int(sys.argv[1]))
plugins = connection.recv()
packs, question, machine, temporary = connection.recv()
def hand_over(one):
    connection.send(("record", records.dump(records.make(one, "budget", [], {}))))
"""


class Driver:
    """Remembers, and wants to stop once it has so many records."""

    def __init__(self, enough: int = 1000) -> None:
        self.recorded: list[str] = []
        self.enough = enough

    def record(self, content: bytes) -> None:
        self.recorded.append(records.load_header(content).cell.cell_id)

    def checkpoint(self, content: bytes) -> None: ...

    def progress(self, now: list[records.Progress]) -> None: ...

    def interrupted(self) -> bool:
        return len(self.recorded) >= self.enough


def run(
    monkeypatch: pytest.MonkeyPatch, program: str, driver: Driver, machine: Machine = MACHINE
) -> str | None:
    monkeypatch.setattr(supervisor, "PROGRAM", BEGIN + program)
    return supervisor.run([(cell(seed=0),), (cell(seed=1),)], QUESTION, machine, driver)


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made; a long path is of no matter, because no Ray makes sockets there."""
    folder = tmp_path_factory.mktemp("tmp")
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    monkeypatch.setattr(supervisor, "LONGEST", 1000)
    return folder


def test_records_are_handed_over_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    driver = Driver()
    end = run(monkeypatch, "for (one,) in packs: hand_over(one)\nconnection.send(('ended', None))", driver)
    assert end is None
    assert driver.recorded == [cell(seed=0).cell_id, cell(seed=1).cell_id]
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("os._exit(1)", "Ray ended early"),
        ("import rey", "Ray ended early (ModuleNotFoundError: No module named 'rey')"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Ray was killed (out of memory? fewer JOBS need less)"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "Ray was ended by signal 15"),
        ("connection.send(('ended', 'Ray has a cold'))", "Ray has a cold"),
    ],
)
def test_however_it_ends_what_was_handed_over_is_kept(
    end: str, words: str, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    driver = Driver()
    assert run(monkeypatch, f"hand_over(packs[0][0])\n{end}", driver) == words
    assert driver.recorded == [cell(seed=0).cell_id]
    assert not list(temporary.iterdir())


def test_an_interrupt_ends_it_with_all_that_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    program = f"""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "1000"], process_group=0)
Path({str(note)!r}).write_text(str(child.pid))
hand_over(packs[0][0])
time.sleep(1000)
"""
    assert run(monkeypatch, program, driver := Driver(enough=1)) is None
    assert driver.recorded == [cell(seed=0).cell_id]
    assert not alive(int(note.read_text()))


def test_a_refusal_is_a_users_error_and_a_fault_of_ours_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"^no GPU here$"):
        run(monkeypatch, "connection.send(('refused', 'no GPU here'))", Driver())
    with pytest.raises(RuntimeError, match="in the process that runs Ray:\nTraceback"):
        run(monkeypatch, "connection.send(('broken', 'Traceback ...'))", Driver())


def test_when_the_supervisor_is_killed_all_go_and_nothing_is_left(tmp_path: Path, temporary: Path) -> None:
    """The process that runs Ray and a grandchild in a process group of its own, as Ray's workers are."""
    note = tmp_path / "pids"
    program = f"""
from harness.sweeping import raytune, raystart
def start(machine, temporary):
    child = subprocess.Popen(["sleep", "1000"], process_group=0)
    Path({str(note)!r}).write_text(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(1000)
import subprocess, time, os
from pathlib import Path
raystart.start = start
raytune.serve(int(sys.argv[1]))
"""
    words = f"""
from harness.sweeping import supervisor
from tests.sweeping.test_supervisor import Driver, cell, MACHINE, QUESTION
supervisor.PROGRAM = {"import sys" + program!r}
supervisor.LONGEST = 1000
supervisor.run([(cell(seed=0),)], QUESTION, MACHINE, Driver())
"""
    pid = os.posix_spawn(
        sys.executable, [sys.executable, "-c", words], os.environ | {"PYTHONPATH": str(CHECKOUT)}
    )
    wait_for(lambda: note.exists() and len(note.read_text().split()) == 2)
    pids = [int(word) for word in note.read_text().split()]
    assert all(map(alive, pids))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_for(lambda: not any(map(alive, pids)))
    wait_for(lambda: not list(temporary.iterdir()))


def test_a_folder_too_deep_for_ray_is_said_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    monkeypatch.setattr(supervisor, "LONGEST", 20)
    with pytest.raises(UserError, match=r"too long a path .* RAY_TMPDIR .* at most 20 characters"):
        run(monkeypatch, "", Driver())
    monkeypatch.delenv("RAY_TMPDIR")  # then TMPDIR is too long as well, and /tmp is not
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert run(monkeypatch, "connection.send(('ended', str(temporary.parent)))", Driver()) == "/tmp"


def test_a_folder_that_cannot_be_written_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"cannot be written there \(there is no such file or folder\)"):
        run(monkeypatch, "", Driver())


def test_a_full_disk_is_said_at_once(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    monkeypatch.setattr(supervisor, "ROOM", 1 << 60)
    with pytest.raises(UserError, match=r"no room for Ray's temporary files .* RAY_TMPDIR"):
        run(monkeypatch, "", Driver())
    assert not list(temporary.iterdir())


def test_a_ray_of_our_own_is_for_us_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the loopback, with a token that nobody has seen before; a cluster's is the user's business."""
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    here = [supervisor._environment(MACHINE) for _ in range(2)]
    assert {env["RAY_AUTH_MODE"] for env in here} == {"token"}
    assert len({env["RAY_AUTH_TOKEN"] for env in here}) == 2
    assert {env["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] for env in here} == {"0"}
    joined = supervisor._environment(Machine(device="cpu", jobs=0, ray_address="auto"))
    assert not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"} & joined.keys()


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)
