"""The process in which Ray runs, started by `supervisor`: one trial of Ray Tune for each pack. The records go
to the supervisor as they come.

The only file that imports ray. Tune schedules the packs and isolates them. It keeps nothing that we need,
because the store is the truth: its own files go to the temporary folder, which the supervisor deletes.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback

from harness.cell import Cell, Question
from harness.common import plugins
from harness.common.errors import UserError
from harness.common.text import named_error
from harness.records import Progress, load_header
from harness.records.checkpoint import about_of
from harness.sweeping import raystart
from harness.sweeping.runner import Machine, Pack, sources

HEARTBEAT_S = 1.0
"""Seconds between two reports of a worker's progress; more reports would cost the driver time."""
ATTEMPTS = 3
"""How often a cell whose worker died is submitted in all: another cell may have been the cause. And when
Ray's memory monitor kills one worker, it ends the whole `fit()`: what is left is submitted again as long as
rounds bring new records. After this many rounds in a row without any, the cells left stay without a record,
and the next sweep runs them. An error in the training itself is not tried again here: the worker finds the
cell that it is of."""
Plugins = Sequence[dict[str, Any]]
"""See plugins.loaded."""
SETTLED_S = 1.0
"""Seconds in which the supervisor writes the last checkpoints, from which the next round goes on."""
CHUNK = 500
"""Trials in one `fit()`: the driver's memory grows with their number."""


def trainable(
    config: dict[str, Any], sent: Plugins = (), starts: Sequence[ray.ObjectRef] = ()
) -> dict[str, Any]:
    """One trial: trains the pack in `config` and reports its records, each as it ends, and its checkpoints.
    sent: the plug-ins that its cells are made of. starts: of all packs, where those go on that do not begin;
    `config` says which is this one's."""
    from harness.sweeping.work import work  # late: it loads torch, which the driver does without

    plugins.receive(sent)
    pack = tuple(Cell.model_validate_json(text) for text in config["cells"])
    question = Question.model_validate_json(config["question"])
    last_report = time.monotonic()

    def observe(now: list[Progress]) -> None:
        nonlocal last_report
        if time.monotonic() - last_report > HEARTBEAT_S:
            last_report = time.monotonic()
            tune.report({"progress": [(p.cell.cell_id, p.row) for p in now]})

    def save(content: bytes) -> None:
        tune.report({"checkpoint": content})

    start = config["start"]
    sources = [] if start is None else ray.get(starts[start])
    machine = config["device"], config["threads"]
    for content in work(pack, question, *machine, observe, config["keeping"], save, sources):
        tune.report({"record": content})
    return {}


@dataclass(frozen=True, kw_only=True)
class _Sweep:
    connection: Connection
    """To the supervisor."""
    cells: dict[str, Cell]
    """By id."""
    recorded: set[str] = field(default_factory=set)
    """The cells whose records were handed over."""
    advanced: set[str] = field(default_factory=set)
    """The cells of which a checkpoint was handed over in this round."""
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def send(self, kind: str, content: object) -> None:
        """Report to the supervisor."""
        with self._alone:
            self.connection.send((kind, content))

    def checkpoint(self, content: bytes) -> None:
        """Hand over a checkpoint."""
        self.advanced.update(cell.cell_id for cell in about_of(content).cells)
        self.send("checkpoint", content)

    def record(self, content: bytes) -> None:
        """Hand over a record."""
        self.recorded.add(load_header(content).cell.cell_id)
        self.send("record", content)


_current: _Sweep
"""The sweep that this process serves; global because Tune would pickle it anywhere else."""


class _Handover(TrialProgressCallback):
    """Runs in the driver and passes on what the trials report. Tune pickles it, so it has no state.

    It replaces Tune's own callback of this kind, which prints a line for each trial whatever the verbosity.
    """

    def log_result(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""

    def on_trial_complete(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Take from what was reported the records, the checkpoints, and how far the cells in training are."""
        content = result.pop("record", None)  # Tune would keep it in its own state
        if content is not None:
            _current.record(content)
        state = result.pop("checkpoint", None)
        if state is not None:
            _current.checkpoint(state)
        now = [Progress(cell=_current.cells[cell_id], row=row) for cell_id, row in result.pop("progress", ())]
        if now:
            _current.send("progress", now)


def serve(handle: int) -> None:
    """Run what the supervisor asks for, and report to it: each record, how far cells are, and the end.

    handle: of the connection to it, a file descriptor. When the supervisor is gone, this process goes too,
    with all that it started.
    """
    global _current
    connection = Connection(handle)
    try:
        plugins.receive(connection.recv())
        packs, question, machine, temporary = connection.recv()
    except UserError as error:
        connection.send(("refused", str(error)))
        return
    _current = _Sweep(connection=connection, cells={cell.cell_id: cell for pack in packs for cell in pack})
    raystart.attended(
        lambda: _run(packs, question, machine, temporary), connection, _current.send, machine, temporary
    )


def _run(packs: Sequence[Pack], question: Question, machine: Machine, temporary: Path) -> str | None:
    """Run the packs in rounds. Returns why cells are left without a record, or None."""
    left, attempts, errors = list(packs), Counter[str](), dict[str, str]()
    fruitless = 0  # rounds in a row without a new record
    while left and fruitless < ATTEMPTS:
        before = len(_current.recorded)
        _current.advanced.clear()
        for at in range(0, len(left), CHUNK):
            errors |= _fit(left[at : at + CHUNK], question, machine, temporary)
        fruitless = 0 if len(_current.recorded) > before or _current.advanced else fruitless + 1
        for cell_id in errors.keys() - _current.recorded:  # one that came further may die again
            attempts[cell_id] = 1 if cell_id in _current.advanced else attempts[cell_id] + 1
        for pack in left:
            for cell in pack:
                if attempts[cell.cell_id] >= ATTEMPTS:
                    from harness.sweeping.work import failed  # late, as above

                    message = errors[cell.cell_id]
                    _current.record(failed(pack, cell.cell_id, message, machine.device))
        rest = (tuple(c for c in pack if c.cell_id not in _current.recorded) for pack in left)
        left = [pack for pack in rest if pack]
        errors.clear()
        if left:
            time.sleep(SETTLED_S)
    return "Ray stopped early each time (out of memory? fewer JOBS need less)" if left else None


def _fit(packs: Sequence[Pack], question: Question, machine: Machine, temporary: Path) -> dict[str, str]:
    """One run of Tune over these packs. Returns the cells whose trial failed: cell id -> error."""
    storage = temporary / "tune"
    refs: list[ray.ObjectRef] = []

    def start_of(pack: Pack) -> int | None:
        """Its place in `refs`; None: it begins."""
        if not (found := sources(pack, question, machine)):
            return None
        refs.append(ray.put(found))
        return len(refs) - 1

    configs = [
        {
            "cells": [cell.model_dump_json() for cell in pack],
            "question": question.model_dump_json(),
            "device": machine.device,
            "threads": machine.threads,
            "keeping": machine.keeping,
            "start": start_of(pack),
        }
        for pack in packs
    ]
    needs = {"cpu": float(machine.threads), "gpu": 1.0 if machine.device == "cuda" else 0.0}
    tuner = tune.Tuner(
        tune.with_resources(_with_parameters(plugins.loaded(), refs), needs),
        param_space={"pack": tune.grid_search(configs)},
        tune_config=tune.TuneConfig(
            reuse_actors=True,  # otherwise each trial needs two seconds for a new process
            max_concurrent_trials=machine.jobs or None,
            trial_name_creator=lambda trial: trial.trial_id,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(storage),
            verbose=0,
            callbacks=[_Handover()],
        ),
    )
    try:
        results = tuner.fit()
    except RuntimeError:  # the memory monitor killed a worker; it does not say which
        return {}
    finally:
        shutil.rmtree(storage, ignore_errors=True)
    return {
        cell.cell_id: _line(str(result.error))
        for pack, result in zip(packs, list(results), strict=False)  # type: ignore[call-overload]
        if result.error is not None
        for cell in pack
    }


def _line(error: str) -> str:
    """The line of Ray's report that names the error, or its last one."""
    return named_error(error) or error.strip().split("\n")[-1].strip() or "no message"


def _unpack(
    config: dict[str, Any], sent: Plugins = (), starts: Sequence[ray.ObjectRef] = ()
) -> dict[str, Any]:
    return trainable(config["pack"], sent, starts)


def _with_parameters(sent: Plugins, starts: Sequence[ray.ObjectRef]) -> Callable[..., dict[str, Any]]:
    """What Tune runs. The plug-ins go to each worker once, not with every trial; a checkpoint goes where its
    pack does."""
    return tune.with_parameters(_unpack, sent=sent, starts=starts) if sent or starts else _unpack
