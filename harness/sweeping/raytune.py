"""The runner on Ray Tune: one trial for each pack; its records go to the driver as they come.

The only file that imports ray. Tune schedules the packs and isolates them. It keeps nothing that we need,
because the store is the truth: its own files go to a scratch folder that is deleted afterwards.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# Read by Ray when it is imported: no output, no telemetry, no change of folder, no state that we never read.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU sees none
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # ours also knows SIGTERM
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "3600",
}
for _name, _value in _ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

import ray  # noqa: E402
from ray import tune  # noqa: E402
from ray.tune.progress_reporter import TrialProgressCallback  # noqa: E402

from harness.cell import Cell, Question  # noqa: E402
from harness.common.errors import UserError  # noqa: E402
from harness.common.places import CHECKOUT  # noqa: E402
from harness.records import Progress, load_header  # noqa: E402
from harness.sweeping.runner import Driver, Machine, Pack  # noqa: E402

HEARTBEAT_S = 1.0
"""Seconds between two reports of a worker's progress; more reports would cost the driver time."""
ATTEMPTS = 3
"""How often a cell whose worker died is submitted in all: another cell may have been the cause. And when
Ray's memory monitor kills one worker, it ends the whole `fit()`: what is left is submitted again as long as
rounds bring new records. After this many rounds in a row without any, the cells left stay without a record,
and the next sweep runs them. An error in the training itself gives a failed record at once."""
CHUNK = 500
"""Trials in one `fit()`: the driver's memory grows with their number."""


def trainable(config: dict[str, Any]) -> dict[str, Any]:
    """One trial: trains the pack in `config` and reports its records, each as it ends."""
    from harness.sweeping.work import work  # late: it loads torch, which the driver does without

    pack = tuple(Cell.model_validate_json(text) for text in config["cells"])
    question = Question.model_validate_json(config["question"])
    last_report = time.monotonic()

    def observe(now: list[Progress]) -> None:
        nonlocal last_report
        if time.monotonic() - last_report > HEARTBEAT_S:
            last_report = time.monotonic()
            tune.report({"progress": [(p.cell.cell_id, p.row) for p in now]})

    for content in work(pack, question, config["device"], config["threads"], observe):
        tune.report({"record": content})
    return {}


@dataclass(frozen=True, kw_only=True)
class _Sweep:
    driver: Driver
    cells: dict[str, Cell]
    """By id."""
    recorded: set[str] = field(default_factory=set)
    """The cells whose records were handed over."""

    def record(self, content: bytes) -> None:
        self.recorded.add(load_header(content).cell.cell_id)
        self.driver.record(content)


_current: _Sweep
"""The sweep that this process drives; global because Tune would pickle it anywhere else."""


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
        """Take from what was reported the records, and how far the cells in training are."""
        content = result.pop("record", None)  # Tune would keep it in its own state
        if content is not None:
            _current.record(content)
        now = [Progress(cell=_current.cells[cell_id], row=row) for cell_id, row in result.pop("progress", ())]
        if now:
            _current.driver.progress(now)


class _Interrupt(tune.Stopper):
    """Stops the whole `fit()` when the user asks for it."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return _current.driver.interrupted()


def run(packs: Sequence[Pack], question: Question, machine: Machine, driver: Driver) -> None:
    """See Runner. UserError if the cluster cannot be reached or lacks what a pack needs."""
    global _current
    _current = _Sweep(driver=driver, cells={cell.cell_id: cell for pack in packs for cell in pack})
    _start(machine)
    driver.listen()
    try:
        left, attempts, errors = list(packs), Counter[str](), dict[str, str]()
        fruitless = 0  # rounds in a row without a new record
        while left and fruitless < ATTEMPTS:
            before = len(_current.recorded)
            for at in range(0, len(left), CHUNK):
                if not driver.interrupted():
                    errors |= _fit(left[at : at + CHUNK], question, machine)
            if driver.interrupted():
                return
            fruitless = 0 if len(_current.recorded) > before else fruitless + 1
            attempts.update(errors.keys() - _current.recorded)
            for pack in left:
                for cell in pack:
                    if attempts[cell.cell_id] >= ATTEMPTS:
                        from harness.sweeping.work import failed  # late, as above

                        message = errors[cell.cell_id]
                        _current.record(failed(pack, cell.cell_id, message, machine.device))
            rest = (tuple(c for c in pack if c.cell_id not in _current.recorded) for pack in left)
            left = [pack for pack in rest if pack]
            errors.clear()
    finally:
        ray.shutdown()


def _start(machine: Machine) -> None:
    """Start Ray on this machine, or join the cluster."""
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if machine.ray_address is None:
        if CHECKOUT:  # so that workers import this code
            paths = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
            os.environ["PYTHONPATH"] = os.pathsep.join(paths)
        options |= {
            "address": "local",  # never a cluster that happens to be running
            "include_dashboard": False,
            "num_cpus": machine.jobs,
            "num_gpus": _gpus() if machine.device == "cuda" else 0,
            "object_store_memory": 200 * 2**20,
            # torch is loaded while Tune still prepares its trials
            "runtime_env": {"worker_process_setup_hook": "harness.sweeping.work.ready"},
        }
    else:
        options["address"] = machine.ray_address
        _reach(machine.ray_address)
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        if machine.ray_address is None:
            raise UserError(f"Ray cannot be started: {reason}") from None
        raise UserError(
            f"no Ray cluster to join at {machine.ray_address}: {reason} (is it up? If it asks for a token, "
            "RAY_AUTH_MODE=token in the environment makes Ray show the one in ~/.ray/auth_token)"
        ) from None
    for name in ("ray.tune", "ray.train"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    needed = "GPU" if machine.device == "cuda" else "CPU"
    if ray.cluster_resources().get(needed, 0) < 1:
        ray.shutdown()
        raise UserError(f"the Ray cluster has no {needed}; DEVICE={machine.device} needs one")


def _gpus() -> int:
    import torch  # late: a sweep on the CPU does without it in the driver

    return torch.cuda.device_count()


def _reach(address: str) -> None:
    """UserError at once if nothing listens at host:port; Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # `auto`, or a form that Ray knows
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise UserError(f"no Ray cluster to join at {address}: {error.strerror or error}") from None


def _fit(packs: Sequence[Pack], question: Question, machine: Machine) -> dict[str, str]:
    """One run of Tune over these packs. Returns the cells whose trial failed: cell id -> error."""
    scratch = tempfile.mkdtemp(prefix="harness-")
    configs = [
        {
            "cells": [cell.model_dump_json() for cell in pack],
            "question": question.model_dump_json(),
            "device": machine.device,
            "threads": machine.threads,
        }
        for pack in packs
    ]
    needs = {"cpu": float(machine.threads), "gpu": 1.0 if machine.device == "cuda" else 0.0}
    tuner = tune.Tuner(
        tune.with_resources(_unpack, needs),
        param_space={"pack": tune.grid_search(configs)},
        tune_config=tune.TuneConfig(
            reuse_actors=True,  # otherwise each trial needs two seconds for a new process
            max_concurrent_trials=machine.jobs or None,
            trial_name_creator=lambda trial: trial.trial_id,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=scratch,
            verbose=0,
            callbacks=[_Handover()],
            stop=_Interrupt(),
        ),
    )
    try:
        results = tuner.fit()
    except RuntimeError:  # the memory monitor killed a worker; it does not say which
        return {}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {
        cell.cell_id: _line(str(result.error))
        for pack, result in zip(packs, list(results), strict=False)  # type: ignore[call-overload]
        if result.error is not None
        for cell in pack
    }


def _line(error: str) -> str:
    """The line of Ray's report that names the error, or its last one."""
    lines = [line.strip() for line in error.strip().splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b.*:", line)]
    return (named or lines or ["no message"])[-1]


def _unpack(config: dict[str, Any]) -> dict[str, Any]:
    return trainable(config["pack"])
