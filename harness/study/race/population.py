"""The process in which a population trains, started by `live`: Population Based Training (Jaderberg et al.
2017) as Ray Tune has it. The only file of the race that imports Ray.

Members train in turn on one core, an interval each; then the worst quarter takes over state and rates of a
member of the best quarter, and moves the rates.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import PopulationBasedTraining
from ray.tune.search import BasicVariantGenerator

from harness.cell import Cell
from harness.common import plugins
from harness.common.errors import UserError
from harness.common.text import named_error
from harness.study.league import RATES
from harness.study.race.live import Population, Step
from harness.sweeping import raystart

STATE = "state"
"""File of a checkpoint."""


class Member(tune.Trainable):
    """A member of a population. Tune makes its process once, and gives it one member after the other."""

    def setup(self, config: dict[str, Any]) -> None:
        """As Tune asks for."""
        import torch  # late: the driver does without it

        torch.set_num_threads(1)
        plugins.receive(config["plugins"])
        self._begin(config)

    def _begin(self, config: dict[str, Any]) -> None:
        from harness.study.race.learner import Learner  # late, as above

        cell = Cell.model_validate_json(config["cell"])
        hyper = cell.hyper.model_copy(update={name: config[name] for name in RATES})
        self._learner = Learner(cell.model_copy(update={"hyper": hyper}))

    def step(self) -> dict[str, Any]:
        """An interval."""
        return {**self._learner.train(self.config["interval"]), **{name: self.config[name] for name in RATES}}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """The whole training state."""
        (Path(checkpoint_dir) / STATE).write_bytes(self._learner.state())

    def load_checkpoint(self, checkpoint_dir: Any) -> None:
        """The same; the rates are those of the configuration, which may have moved."""
        state = (Path(checkpoint_dir) / STATE).read_bytes()
        self._learner.take(state, *(self.config[name] for name in RATES))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Another member in the same process."""
        self.config = new_config
        self._begin(new_config)
        return True


class _Patient(BasicVariantGenerator):
    """The members, as Tune would list them itself; but it is finished only when they are. Else Tune ends the
    process of a member that waits for the others, and needs seconds for a new one."""

    _ended = 0

    def on_trial_complete(self, *trial: Any, **how: Any) -> None:
        """Count."""
        super().on_trial_complete(*trial, **how)
        self._ended += 1

    def is_finished(self) -> bool:
        """Whether all are."""
        return bool(super().is_finished() and self._ended >= self.total_samples)


_steps: list[Step] = []
"""What the members of the population in training have reported; global because Tune would pickle it anywhere
else."""


class _Reports(TrialProgressCallback):
    """Runs in the driver and keeps what the members report, in place of Tune's own callback, which prints."""

    def log_result(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""

    def on_trial_complete(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Keep what an interval gave."""
        names = ("ran", "losses", "loss", *RATES)
        place = {"member": trials.index(trial), "interval": result["training_iteration"] - 1}
        _steps.append(place | {name: result[name] for name in names})


def serve(handle: int) -> None:
    """Train the populations that are asked for, one after the other, and report each. handle: of the
    connection to the supervisor."""
    connection = Connection(handle)
    try:
        plugins.receive(connection.recv())
        populations, machine, temporary = connection.recv()
    except UserError as error:
        connection.send(("refused", str(error)))
        return

    def send(kind: str, content: object) -> None:
        connection.send((kind, content))

    def work() -> str | None:
        for one in populations:
            failed = _fit(one, temporary)
            if failed:
                return failed
            send("record", (one, sorted(_steps, key=lambda step: (step["interval"], step["member"]))))
        return None

    raystart.attended(work, connection, send, machine, temporary)


def _fit(one: Population, temporary: Path) -> str | None:
    """Train a population; what went wrong, or None."""
    _steps.clear()
    random.seed(one.tuner_seed)  # the scheduler draws from these two
    np.random.seed(one.tuner_seed)  # noqa: NPY002
    storage = temporary / "tune"
    tuner = tune.Tuner(
        tune.with_resources(Member, {"cpu": 1.0}),
        param_space={
            "member": tune.grid_search([*range(len(one.members))]),
            "cell": one.cell.model_dump_json(),
            "interval": one.interval,
            "plugins": plugins.loaded(),
            **{name: _of_member(one.members, name) for name in RATES},
        },
        tune_config=tune.TuneConfig(
            scheduler=PopulationBasedTraining(
                time_attr="training_iteration",
                metric="loss",
                mode="min",
                perturbation_interval=1,
                hyperparam_mutations={name: [*levels] for name, levels in one.levels.items()},
                quantile_fraction=one.quantile,
                resample_probability=one.resample,
                synch=True,
            ),
            search_alg=_Patient(),
            reuse_actors=True,
            trial_name_creator=lambda trial: trial.trial_id,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name="race",
            storage_path=str(storage),
            stop={"training_iteration": one.intervals},
            verbose=0,
            callbacks=[_Reports()],
        ),
    )
    try:
        errors = [str(error) for error in tuner.fit().errors]
    finally:
        shutil.rmtree(storage, ignore_errors=True)
    if len(_steps) != len(one.members) * one.intervals:
        why = named_error(errors[0]) if errors else None
        return f"Tune ended a population early: {why or 'it says nothing of an error'}"
    return None


def _of_member(members: Sequence[dict[str, float]], name: str) -> Any:
    """Where each member's rate begins."""

    def begins(spec: Any) -> float:
        return members[spec.config.member][name]

    return tune.sample_from(begins)
