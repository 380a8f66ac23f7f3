"""Studies, read by Optuna itself."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.records import export
from tests.records.export.made_up import asked, cell, made, square

optuna: Any = pytest.importorskip("optuna", reason="Optuna is not installed: pip install '.[race]'")
STUDY = "maml, sinusoid"


def load(folder: Path, name: str = STUDY) -> Any:
    file = optuna.storages.journal.JournalFileBackend(str(folder / "studies.log"))
    return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(file))


def test_a_trial_is_a_setting_and_its_value_a_mean(tmp_path: Path) -> None:
    assert export.write("optuna", asked(made(*square())), tmp_path) == []
    study = load(tmp_path)
    assert study.user_attrs["metric"] == "val_loss"
    assert study.user_attrs["seeds"] == [0, 1]
    first, second = study.trials
    assert second.params == {"alpha0": 10.0}
    assert second.value == pytest.approx(110.15, abs=1e-12)
    assert second.intermediate_values == pytest.approx({5: 110.1, 10: 110.15}, abs=1e-12)
    assert second.user_attrs["cells"] == ["maml alpha0=10 {} 0", "maml alpha0=10 {} 1"]
    assert second.user_attrs["value of each seed"] == pytest.approx([110.1, 110.2], abs=1e-12)
    assert second.user_attrs["diverged"] == 0
    assert second.datetime_complete == datetime(2026, 11, 28, 0, 0, 10)
    assert second.datetime_start == datetime(2026, 11, 28, 0, 0, 8)
    assert study.best_trial.number == first.number == 0


def test_the_whole_range_may_be_searched(tmp_path: Path) -> None:
    """A study that goes on between the grid's values."""
    trials = [cell(method="reptile", alpha0=a, steps=n) for a in (0.1, 10.0) for n in (1, 5)]
    export.write("optuna", asked(made(*trials)), tmp_path)
    study = load(tmp_path, "reptile, sinusoid")
    assert study.trials[0].distributions == {
        "alpha0": optuna.distributions.FloatDistribution(0.1, 10.0, log=True),
        "steps": optuna.distributions.IntDistribution(1, 5),
    }
    assert study.trials[1].params == {"alpha0": 0.1, "steps": 5}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    own = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=1))
    own.add_trials(study.trials)
    own.optimize(lambda trial: trial.suggest_float("alpha0", 0.01, 100, log=True), n_trials=2)
    assert len(own.trials) == 6


def test_where_runs_stopped_it_counts(tmp_path: Path) -> None:
    """Medians of 3, 5, 9 and of 4, never, never; for every method."""
    trials = [
        cell(seed, alpha0=a, ending="stopped" if n else "budget", passage=n, ran=n or 10, target=2)
        for a, counts in ((1.0, (5, 3, 9)), (10.0, (4, None, None)))
        for seed, n in enumerate(counts)
    ]
    trials += [cell(seed, "fomaml", alpha0=1.0, passage=8, target=2) for seed in (0, 1, 2)]
    notes = export.write("optuna", asked(made(*trials)), tmp_path)
    assert notes[-1] == "since runs stopped at their target, a trial's value is its iterations to the target"
    study = load(tmp_path)
    assert study.user_attrs["metric"] == "iterations_to_target"
    assert [trial.value for trial in study.trials] == [5, math.inf]
    assert study.trials[1].user_attrs["value of each seed"] == [4, None, None]
    assert load(tmp_path, "fomaml, sinusoid").best_value == 8
    assert math.isclose(study.trials[1].intermediate_values.get(5, 0), 0)  # one seed has stopped before


def test_choices_and_flags_stay_what_they_are(tmp_path: Path) -> None:
    tables = made(*square())
    tables.trials["rule"], tables.trials["msl"] = ["a", "b"] * 2, pd.array([True, False] * 2, "boolean")
    export.write("optuna", asked(tables), tmp_path)
    study = load(tmp_path)
    assert [trial.params for trial in study.trials] == [
        {"alpha0": 1.0, "rule": "a", "msl": True},
        {"alpha0": 10.0, "rule": "b", "msl": False},
    ]
    assert study.trials[0].distributions["msl"] == optuna.distributions.CategoricalDistribution((True, False))


def test_all_trials_are_in_one_table(tmp_path: Path) -> None:
    export.write("optuna", asked(made(*square(), *square(changes='{"width": 3}'))), tmp_path)
    table = pd.read_csv(tmp_path / "trials.csv")
    assert table["study"].tolist() == [STUDY] * 2 + [f"{STUDY}, width=3"] * 2
    assert table["params_alpha0"].tolist() == [1, 10, 1, 10]
    assert set(table["state"]) == {"COMPLETE"}
