"""Sweeps that are killed, and what they keep: `python -m tests.faults.kills [--full]`.

Each kill starts a sweep of a small grid, waits for its moment, sends a signal to its victim and lets the
sweep end. Then the same command finishes the grid. A kill is well survived if the sweep ended as the docs
say, in time; if every record that was in the store before is there afterwards, byte for byte; if nothing is
left over; and if in the end all records hold the numbers of an undisturbed sweep.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals

from harness.common.errors import UserError
from harness.records import DamagedRecord, tables
from harness.records.store import Store
from tests.faults import processes

GRID = """
title: Killed
figure: {kind: heatmap, panels: [beta0], x: beta_hyperlr, y: alpha_hyperlr}
protocol: {dataset: glyphs, n_way: 5, meta_batch: 2, layers: 2, filters: 4, validation_tasks: 2}
target_loss: 1e-9
max_iterations: 400
cells:
  - {method: maml, alpha0: 0.1, beta0: [1e-3, 1e-4]}
  - {method: alpha-maml, alpha0: 0.1, beta0: [1e-3, 1e-4], alpha_hyperlr: [1e-2, 1], beta_hyperlr: 1e-5}
"""
CELLS = 6
OURS = ("driver", "group", "both")
NAMES = {"ray": "raytune", "control plane": "gcs_server", "raylet": "raylet/raylet", "worker": "ray::Impl"}
"""What the command lines of these victims contain."""
SOON_S = 5.0
"""Within so many seconds a sweep ends after a signal, tables and figures made."""
AT_ONCE_S = 2.0
"""And after a second signal."""
APART_S = 0.7
"""Between a first and a second signal, which would otherwise count as one."""
LONG_S = 120.0
"""Whoever waits longer than this for anything waits in vain."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill."""

    runner: str
    """`ray` or `serial`."""
    victim: str
    """`driver`, `group` (the driver's process group), `both` (one after the other, as `timeout` does), `ray`
    (the process that runs it), `control plane`, `raylet` or `worker`."""
    signal: Signals
    twice: bool = False
    """A second signal follows the first."""
    moment: str = "training"
    """`starting` (no cell trains yet), `training` (at least one has ended) or `tables` (all have)."""

    @property
    def words(self) -> str:
        """In words, for a line."""
        times = " twice" * self.twice
        return f"{self.runner:6} {self.victim:13} {self.signal.name[3:]}{times:6} {self.moment:8}"

    @property
    def codes(self) -> set[int]:
        """The exit codes that are right."""
        if self.victim in OURS:
            if self.signal == SIGKILL:
                return {-SIGKILL}
            return {0, 130} if self.moment == "tables" and not self.twice else {130}
        return {0} if self.victim == "worker" else {1}

    @property
    def limit(self) -> float:
        """Seconds within which the sweep has to end."""
        if self.victim == "worker":
            return LONG_S  # it goes on
        return AT_ONCE_S if self.twice else SOON_S

    @property
    def makes_tables(self) -> bool:
        """Whether the sweep has to leave tables."""
        return self.signal != SIGKILL or self.victim not in OURS


def _kills() -> Iterator[Kill]:
    """All 45, in an order in which the first 12 cover the most."""
    sent = [(SIGTERM, False), (SIGINT, False), (SIGKILL, False), (SIGTERM, True), (SIGINT, True)]
    for number, twice in sent:
        yield Kill(runner="ray", victim="group", signal=number, twice=twice)
    yield Kill(runner="ray", victim="control plane", signal=SIGKILL)
    yield Kill(runner="ray", victim="worker", signal=SIGKILL)
    yield Kill(runner="ray", victim="ray", signal=SIGKILL)
    yield Kill(runner="ray", victim="group", signal=SIGTERM, moment="starting")
    yield Kill(runner="serial", victim="group", signal=SIGTERM)
    yield Kill(runner="serial", victim="driver", signal=SIGKILL)
    yield Kill(runner="ray", victim="both", signal=SIGTERM)
    for number, twice in sent:
        yield Kill(runner="ray", victim="driver", signal=number, twice=twice)
        yield Kill(runner="ray", victim="driver", signal=number, twice=twice, moment="starting")
        if (number, twice) != (SIGTERM, False):
            yield Kill(runner="ray", victim="group", signal=number, twice=twice, moment="starting")
    yield Kill(runner="ray", victim="control plane", signal=SIGTERM)
    yield Kill(runner="ray", victim="control plane", signal=SIGKILL, moment="starting")
    yield Kill(runner="ray", victim="worker", signal=SIGTERM)
    yield Kill(runner="ray", victim="ray", signal=SIGTERM)
    yield Kill(runner="ray", victim="ray", signal=SIGKILL, moment="starting")
    yield Kill(runner="ray", victim="raylet", signal=SIGKILL)
    yield Kill(runner="ray", victim="raylet", signal=SIGTERM)
    for number, twice in sent:
        for victim in ("driver", "group"):
            first = {("group", SIGTERM, False), ("driver", SIGKILL, False), ("group", SIGINT, True)}
            if (victim, number, twice) not in first:
                yield Kill(runner="serial", victim=victim, signal=number, twice=twice)
    for runner, numbers in (("serial", (SIGTERM, SIGINT, SIGKILL)), ("ray", (SIGTERM, SIGKILL))):
        for number in numbers:
            yield Kill(runner=runner, victim="driver", signal=number, moment="tables")


KILLS = tuple(_kills())
SHORT = 12


@dataclass(kw_only=True)
class Found:
    """What came of a kill."""

    seconds: float = 0.0
    """From the (last) signal to the end of the sweep."""
    kept: int = 0
    wrong: list[str] = field(default_factory=list)


def survive(kill: Kill, folder: Path, undisturbed: dict[str, object]) -> Found:
    """Kill a sweep in the empty `folder`, and finish it. undisturbed: cell id -> the rows of its record."""
    found, results = Found(), folder / "results"
    words = command(folder)
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary), "RAY_TMPDIR": str(temporary)}
    with (folder / "output").open("w") as output:
        driver = subprocess.Popen(
            [*words, "--runner", kill.runner],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        began = processes.below(driver.pid)
        try:
            victim = _wait_for(lambda: _victim(kill, driver.pid, results), driver)
            before = _bytes(results)
            began = processes.below(driver.pid)
            sent = time.monotonic()
            _send(kill, victim)
            if kill.twice:
                time.sleep(APART_S)
                if driver.poll() is None:
                    sent = time.monotonic()
                    _send(kill, victim)
            code = driver.wait(LONG_S)
            found.seconds = time.monotonic() - sent
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(driver.pid, SIGKILL)
    after = _bytes(results)
    found.kept = len(after)
    if code not in kill.codes:
        found.wrong.append(f"exit code {code}")
    if found.seconds > kill.limit:
        found.wrong.append(f"late: {found.seconds:.1f} s, {kill.limit:.0f} allowed")
    if lost := len(before.keys() - after.keys()):
        found.wrong.append(f"{lost} records lost")
    if changed := sum(after.get(name, content) != content for name, content in before.items()):
        found.wrong.append(f"{changed} records changed")
    text = (folder / "output").read_text()
    if "Traceback" in text:
        found.wrong.append("traceback")
    if kill.makes_tables and after and not kill.twice:
        found.wrong += _wrong_tables(results, len(after))
    if survivors := _still_there(began):
        found.wrong.append(f"{len(survivors)} processes left over")
    if kill.runner == "ray" and (left := [path.name for path in temporary.iterdir()]):
        found.wrong.append(f"left in the temporary folder: {' '.join(left)}")
    found.wrong += _finish(words, results, after, undisturbed)
    return found


def command(folder: Path) -> list[str]:
    """The sweep's command, with its grid's file and results in `folder`."""
    (folder / "killed.yaml").write_text(GRID)
    path, results = str(folder / "killed.yaml"), str(folder / "results")
    return [sys.executable, "-m", "harness", "sweep", path, "--results", results, "--jobs", "2"]


def _finish(
    words: list[str], results: Path, before: dict[str, bytes], undisturbed: dict[str, object]
) -> list[str]:
    """Run the same command again, without Ray, and compare what there is then: what is wrong."""
    done = subprocess.run([*words, "--runner", "serial"], capture_output=True, text=True, check=False)
    wrong = [] if done.returncode == 0 else [f"the same command ends with {done.returncode}"]
    after = _bytes(results)
    if twice := sum(after[name] != content for name, content in before.items() if name in after):
        wrong.append(f"{twice} cells run twice")
    store = Store(results)
    rows = {cell_id: store.read(cell_id).rows for cell_id in store.scan().headers}
    if rows.keys() != undisturbed.keys():
        wrong.append(f"{len(undisturbed.keys() - rows.keys())} cells missing in the end")
    if different := sum(rows[i] != undisturbed[i] for i in rows.keys() & undisturbed.keys()):
        wrong.append(f"{different} cells with other numbers")
    if leftovers := [path.name for path in results.rglob("*.tmp")]:
        wrong.append(f"temporary files: {' '.join(leftovers)}")
    return wrong + _wrong_tables(results, CELLS)


def _wrong_tables(results: Path, kept: int) -> list[str]:
    """What is wrong with the tables and figures of so many records."""
    folder = results / "killed"
    try:
        trials = tables.read(folder).trials
    except UserError as error:
        return [str(error)]
    wrong = []
    if (rows := int(trials["outcome"].notna().sum())) != kept:
        wrong.append(f"{rows} cells in the tables, {kept} in the store")
    figure = folder / "killed.png"
    if not figure.exists() or figure.stat().st_mtime < (folder / "trials.parquet").stat().st_mtime:
        wrong.append("no figure of these tables")
    return wrong


def _bytes(results: Path) -> dict[str, bytes]:
    """The records' files by name."""
    found = {}
    for path in (results / "store").glob("*.parquet"):
        with contextlib.suppress(FileNotFoundError):
            found[path.name] = path.read_bytes()
    return found


def _victim(kill: Kill, driver: int, results: Path) -> int | None:
    """The process to kill, if its moment has come."""
    ended = len(list((results / "store").glob("*.parquet")))
    wanted = {"starting": 0, "training": 1, "tables": CELLS}[kill.moment]
    if ended < wanted:
        return None
    children = processes.below(driver)
    if kill.victim in OURS:
        # Ray's processes stand for its start, and the lock for that of the serial runner
        started = any("raylet" in name for name in children.values()) or kill.runner == "serial"
        return driver if started or kill.moment == "tables" else None
    return next((pid for pid, name in children.items() if NAMES[kill.victim] in name), None)


def _send(kill: Kill, victim: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if kill.victim != "group":
            os.kill(victim, kill.signal)
        if kill.victim in ("group", "both"):
            os.killpg(victim, kill.signal)


def _still_there(family: dict[int, str], seconds: float = 5.0) -> list[int]:
    """Those of these processes that live on for so many seconds."""
    end = time.monotonic() + seconds
    while True:
        left = [pid for pid, name in family.items() if processes.line(pid) == name]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.1)


def _wait_for(condition: Callable[[], int | None], driver: subprocess.Popen) -> int:
    """The first answer of `condition` that is not None. RuntimeError if the driver ends before."""
    end = time.monotonic() + LONG_S
    while time.monotonic() < end and driver.poll() is None:
        if (answer := condition()) is not None:
            return answer
        time.sleep(0.02)
    raise RuntimeError("the moment never came")


def undisturbed(folder: Path) -> dict[str, object]:
    """The rows of each record of a sweep that nobody disturbs."""
    subprocess.run([*command(folder), "--runner", "serial"], capture_output=True, check=True)
    store = Store(folder / "results")
    return {cell_id: store.read(cell_id).rows for cell_id in store.scan().headers}


def run(kills: Sequence[Kill]) -> int:
    """Kill, print a line for each, and return how many were not well survived."""
    signal.signal(SIGINT, signal.default_int_handler)  # ignored in the background of a shell
    bad = 0
    with tempfile.TemporaryDirectory(prefix="k-") as parent:
        known = undisturbed(_made(Path(parent) / "undisturbed"))
        for number, kill in enumerate(kills, 1):
            try:
                found = survive(kill, _made(Path(parent) / str(number)), known)
            except (RuntimeError, subprocess.TimeoutExpired, DamagedRecord) as error:
                found = Found(wrong=[f"{type(error).__name__}: {error}"])
            bad += bool(found.wrong)
            wrong = "; ".join(found.wrong) or "nothing lost, changed, run twice or left over"
            line = f"{kill.words} ended in {found.seconds:4.1f} s, {found.kept} kept: {wrong}"
            print(f"[{number:2}/{len(kills)}] {line}", flush=True)
    print(f"{len(kills)} kills, {bad} of them not well survived", flush=True)
    return bad


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> int:
    """Some kills: 1 if one was not well survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills")
    parser.add_argument("--full", action="store_true", help=f"all {len(KILLS)} kills, not {SHORT}")
    parser.add_argument("--only", default="", help="of all, those whose line has this text")
    given = parser.parse_args()
    among = KILLS if given.full or given.only else KILLS[:SHORT]
    return int(bool(run([kill for kill in among if given.only in kill.words])))


if __name__ == "__main__":
    sys.exit(main())
