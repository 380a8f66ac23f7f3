"""Figures drawn several at a time, in processes that have loaded what figures are drawn with.

They print nothing: this process does, in the order of the figures. When it ends, so do they.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from types import FrameType

from harness.cli.console import Line, kept, tell, working
from harness.common import places, plugins, signals
from harness.common.machine import cores

FEW = 4
"""So many figures are drawn in this process: to start others takes as long."""
PROGRAM = "import sys; from harness.cli.drawing import serve; serve(*map(int, sys.argv[1:]))"
SOON_S = 0.2
"""Seconds after which the driver of a sweep has started Ray's process, and waits."""
PATIENCE_S = 2.0
"""How long a process may take to remove the files that it was writing."""

Call = Callable[[], object]
"""Draws, and says what there is to say. It can be sent to another process."""
Answer = tuple[list[Line], BaseException | None]
"""What a call said, and what it raised."""


def warm() -> None:
    """Load what figures are drawn with, so that they are drawn sooner. What goes wrong is said by those who
    draw."""
    with suppress(Exception):
        import seaborn  # noqa: F401

        from harness.plots import meta_test, render, style  # noqa: F401

        style.warm()


class Loading:
    """`warm`, in a thread beside what this process does. matplotlib is not made for two threads: wait for it
    before anything is drawn."""

    def __init__(self) -> None:
        self._thread = threading.Timer(SOON_S, warm)
        self._thread.daemon = True  # nobody waits for it where the process has to end at once

    def start(self) -> None:
        """Begin in a moment, if it has not begun: a sweep may run cells twice."""
        if self._thread.ident is None:
            self._thread.start()

    def wait(self) -> None:
        """Until it is done, if it has begun; if not, it never will."""
        self._thread.cancel()
        if self._thread.is_alive():
            self._thread.join()


class Drawers:
    """Inside its `with`, processes that draw `figures` figures or so, one for each core; none for a FEW."""

    def __init__(self, figures: int) -> None:
        self._count = min(cores(), figures) if figures > FEW else 1
        self._idle: list[Connection] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Drawers:
        if self._count > 1:
            pairs = [Pipe() for _ in range(self._count)]
            handles = [theirs.fileno() for _, theirs in pairs]
            self._process = subprocess.Popen(
                # -P: no file of the user's is imported in place of Python's
                [sys.executable, "-P", "-c", PROGRAM, *map(str, handles)],
                stdin=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=handles,
                start_new_session=True,  # Ctrl-C is for this process to hear
            )
            for ours, theirs in pairs:
                theirs.close()
                self._idle.append(ours)
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is None:
            return
        with signals.held_back():
            for connection in self._idle:
                connection.close()
            end = time.monotonic() + PATIENCE_S
            while self._process.poll() is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL if time.monotonic() > end else signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=0.1)

    def draw(self, calls: Iterable[Call]) -> None:
        """Make these calls, and print in their order what they say. What one of them raises is raised in its
        turn. `calls` is iterated here, in this process, while others draw."""
        if self._process is None:
            for call in calls:
                call()
            return
        for lines, error in self._answers(calls):
            for line in lines:
                tell(line)
            if error is not None:
                raise error

    def _answers(self, calls: Iterable[Call]) -> Iterator[Answer]:
        """Of each call, in their order."""
        waiting = enumerate(calls)
        busy: dict[Connection, tuple[int, Call]] = {}
        done: dict[int, Answer] = {}
        turn = 0
        idle, sent = list(self._idle), plugins.loaded()
        while True:
            while idle and (job := next(waiting, None)) is not None:
                connection = idle.pop()
                busy[connection] = job
                with suppress(OSError):  # it is gone, as the next lines will see
                    connection.send(sent)
                    connection.send(job[1])
            while turn in done:
                yield done.pop(turn)
                turn += 1
            if not busy:
                if (job := next(waiting, None)) is None:
                    return
                done[job[0]] = _made(job[1])  # no other process is left
                continue
            with working("drawing"):
                ready = [one for one in wait([*busy]) if isinstance(one, Connection)]
            for connection in ready:
                number, call = busy.pop(connection)
                try:
                    done[number] = connection.recv()
                    idle.append(connection)
                except (EOFError, OSError):  # killed, for want of memory say
                    done[number] = _made(call)


def _environment() -> dict[str, str]:
    """Of the processes: they import this code, and each of them computes on one core."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if places.CHECKOUT:
        env["PYTHONPATH"] = os.pathsep.join(
            [str(places.CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
    return env


def serve(*handles: int) -> None:
    """Draw what is asked for, in a process for each of these connections, until they are closed."""
    signal.signal(signal.SIGTERM, _leave)
    warm()
    children = []
    for handle in handles:
        if (child := os.fork()) == 0:  # nothing else runs in this process: it has no threads
            for other in handles:
                if other != handle:
                    os.close(other)
            _answer(Connection(handle))
            os._exit(0)
        children.append(child)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends when they have
    for handle in handles:
        os.close(handle)
    for child in children:
        os.waitpid(child, 0)


def _leave(number: int, frame: FrameType | None) -> None:
    """On the way out, files that were being written are removed. Where Python ignores what is raised, as when
    it deletes an object, it says nothing: the signal comes again."""
    sys.unraisablehook = lambda _: None
    raise SystemExit


def _answer(connection: Connection) -> None:
    with suppress(EOFError, OSError, SystemExit):
        while True:
            plugins.receive(connection.recv())
            connection.send(_made(connection.recv()))


def _made(call: Call) -> Answer:
    with kept() as lines:
        try:
            call()
        except Exception as error:
            return lines, error
    return lines, None
