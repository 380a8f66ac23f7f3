"""The runner on Ray. Ray runs in a process and a session of its own, and this one watches over it.

So what happens to Ray does not happen to the sweep: a signal to the sweep's process group does not reach Ray,
and when Ray dies or hangs, the records that it has handed over are here, and tables are made of them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.cell import Question
from harness.common import places, plugins, signals
from harness.common.errors import UserError, reason
from harness.common.text import named_error, shorten
from harness.sweeping import scratch, sessions
from harness.sweeping.runner import Driver, Machine, Pack

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_prestart_worker_first_driver": "0",  # without torch: ours are others, see raystart
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU sees none
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "3600",
}
"""Read by Ray when it is imported, unless the user has set them: no output, no telemetry, no other working
folder, no state that we never read."""
PROGRAM = "import sys; from harness.sweeping.raytune import serve; serve(int(sys.argv[1]))"
SERVERS = {"gcs_server": "control plane", "raylet": "raylet"}
"""Programs that Ray cannot do without on this machine, and what they are called."""
LOOK_S = 0.5
"""Seconds between two looks at them."""
POLL_S = 0.1
"""Seconds between two looks at whether the user wants to stop."""
SOCKET = "x" * 8 + "/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"
"""The longest path of a socket that Ray makes below its temporary folder; a system allows some 107 bytes."""
LONGEST = 107 - len(f"/{scratch.PREFIX}{SOCKET}")
"""Bytes in the path of the folder that Ray's temporary folder is made in."""
ROOM = 4 << 20
"""Bytes that have to be free there: Ray writes 1 to 2 MB, and without room would try for half a minute."""


def run(packs: Sequence[Pack], question: Question, machine: Machine, driver: Driver) -> str | None:
    """See Runner. UserError if Ray cannot start, or the cluster cannot be reached or lacks what a pack
    needs."""

    takes: dict[str, Callable[[Any], None]] = {
        "record": driver.record,
        "checkpoint": driver.checkpoint,
        "progress": driver.progress,
    }

    def take(kind: str, content: Any) -> None:
        takes[kind](content)

    return watch(PROGRAM, (packs, question), machine, driver.interrupted, take)


def watch(
    program: str,
    request: tuple[Any, ...],
    machine: Machine,
    interrupted: Callable[[], bool],
    take: Callable[[str, Any], None],
) -> str | None:
    """Run a program on Ray, in a process and a session of its own.

    It is sent the plug-ins, and then (*request, machine, its temporary folder). `take` gets what it reports,
    by kind: "record" for a result that may not be lost, "checkpoint" likewise, "progress". Returns why it
    ended early; None: it did not, or was `interrupted`. UserError: what it refuses.
    """
    with ExitStack() as stack:
        temporary = _temporary(stack)
        process, connection = _child(program, temporary, machine)
        with connection:
            try:
                with suppress(OSError):  # it is gone already, as the next line will see
                    connection.send(plugins.loaded())  # before the cells, which are made of them
                    connection.send((*request, machine, temporary))
                servers = _Servers(process.pid)
                while not interrupted():
                    if (dead := servers.dead()) is not None:
                        return f"Ray's {dead} died"
                    message = _receive(connection, POLL_S) or ("", None)
                    if message == GONE:
                        return _death(process, temporary)
                    if message[0] == "ended":
                        return message[1]
                    _take(message, take)
                return None
            finally:
                _end(process)
                while (last := _receive(connection, 0) or GONE) != GONE:
                    if last[0] in ("record", "checkpoint"):  # handed over, and not taken yet
                        _take(last, take)


class _Servers:
    """Ray's servers in the session of `leader`. Without them, Ray would wait half a minute as it starts, with
    none of its threads running, and later try to go on."""

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._seen: set[str] = set()
        self._next = 0.0

    def dead(self) -> str | None:
        """One that has ended, in words; None: none has, as far as the last look told."""
        if time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + LOOK_S
        living = set(sessions.members(self._leader).values())
        gone = sessions.ended(self._leader) | (self._seen - living)
        self._seen |= living
        return next((what for program, what in SERVERS.items() if program in gone), None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it started. A second signal waits until that is done."""
    with signals.held_back():
        sessions.kill(process.pid)
        with suppress(subprocess.TimeoutExpired):  # a GPU's driver can hold a killed process back
            process.wait(timeout=1)


Message = tuple[str, Any]
GONE: Message = ("gone", None)


def _receive(connection: Connection, seconds: float) -> Message | None:
    """What the process that runs Ray reports next; None: nothing in this time; GONE: it has ended."""
    try:
        return connection.recv() if connection.poll(seconds) else None
    except (EOFError, OSError):
        return GONE


def _take(message: Message, take: Callable[[str, Any], None]) -> None:
    """Pass on what was reported."""
    match message:
        case ("record" | "checkpoint" | "progress" as kind, content):
            take(kind, content)
        case ("refused", text):
            raise UserError(text)
        case ("broken", report):
            raise RuntimeError(f"in the process that runs Ray:\n{report}")


def _death(process: subprocess.Popen[bytes], temporary: Path) -> str:
    """Why the process that runs Ray has ended, in words."""
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return "Ray no longer answers"
    if code == -signal.SIGKILL:
        return "Ray was killed (out of memory? fewer JOBS need less)"
    if code < 0:
        return f"Ray was ended by signal {-code}"
    error = named_error((temporary / "output").read_text(encoding="utf-8", errors="replace"))
    return f"Ray ended early ({shorten(error, 200)})" if error else "Ray ended early"


def _child(program: str, temporary: Path, machine: Machine) -> tuple[subprocess.Popen[bytes], Connection]:
    """The process that runs Ray, and our end of the connection to it. What it prints goes to a file in the
    temporary folder: Ray talks about its own affairs."""
    ours, theirs = Pipe()
    with theirs, (temporary / "output").open("wb") as output:
        process = subprocess.Popen(
            # -P: no file of the user's, a random.py say, is imported in place of Python's
            [sys.executable, "-P", "-c", program, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=temporary,  # Ray puts the working folder on its workers' path
            env=_environment(machine),
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return process, ours


def _environment(machine: Machine) -> dict[str, str]:
    """Of the process that runs Ray and, unless they are on a cluster, of Ray's workers."""
    env = {
        **QUIET,
        **os.environ,
        # paths that do not depend on the working folder
        "HARNESS_DATA": str(places.data().absolute()),
        "OMNIGLOT_ROOT": str(places.omniglot().absolute()),
    }
    if places.CHECKOUT:  # so that workers import this code
        paths = [str(places.CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
        env["PYTHONPATH"] = os.pathsep.join(paths)
    if machine.ray_address is None:
        # A Ray of our own listens on the loopback alone, as it does where it knows no clusters, and asks for
        # a token that nobody else has: another user of this machine could have it run code.
        env |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
        env["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    return env


def _temporary(stack: ExitStack) -> Path:
    """A folder for Ray's temporary files: in RAY_TMPDIR, or else in TMPDIR, or in /tmp if that is too long.
    It goes when `stack` is closed. UserError."""
    wanted = os.environ.get("RAY_TMPDIR")
    candidates = [Path(wanted)] if wanted else [Path(tempfile.gettempdir()), Path("/tmp")]
    parent = next((path for path in candidates if len(os.fsencode(path.absolute())) <= LONGEST), None)
    if parent is None:
        raise UserError(
            f"{candidates[0]}: too long a path for the sockets that Ray makes there; set RAY_TMPDIR to a "
            f"folder of at most {LONGEST} characters, or use RUNNER=serial"
        )
    way_out = "set RAY_TMPDIR to another folder, or use RUNNER=serial"
    try:
        made = stack.enter_context(scratch.folder(parent.absolute()))
        if shutil.disk_usage(made).free < ROOM:
            raise UserError(f"{parent}: there is no room for Ray's temporary files (it is full); {way_out}")
    except OSError as error:
        raise UserError(
            f"{parent}: Ray's temporary files cannot be written there ({reason(error)}); {way_out}"
        ) from None
    return made
