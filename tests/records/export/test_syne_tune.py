"""Blackbox files, read by Syne Tune's own loader where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.common.places import ROOT
from harness.records import export, tables
from harness.records.export.asked import Asked
from tests.records.export.made_up import asked, cell, made, square

REPTILE = [
    cell(seed, "reptile", changes, alpha0=alpha0, steps=steps)
    for changes in ("{}", '{"width": 3}')
    for seed in (0, 1, 2)
    for alpha0 in (0.0, 100.0)
    for steps in (1, 5)
]


def loader() -> Any:
    """syne_tune's deserialize."""
    why = "Syne Tune is not installed: pip install '.[export]'"
    pytest.importorskip("syne_tune.blackbox_repository", reason=why, exc_type=ImportError)
    from syne_tune.blackbox_repository.blackbox_tabular import deserialize

    return deserialize


def test_the_files(tmp_path: Path) -> None:
    notes = export.write("syne-tune", asked(made(*REPTILE)), tmp_path)
    folder = tmp_path / "reptile"
    values = np.load(folder / "objectives_evaluations.npy")
    assert (values.dtype, values.shape) == (np.float32, (2, 4, 3, 2, 4))
    assert values[1, 2, 1, 1, 0] == np.float32(200.2)  # alpha0 100, seed 1, iteration 10
    assert np.load(folder / "fidelities_values.npy").tolist() == [5, 10]
    table = pd.read_parquet(folder / "hyperparameters.parquet")
    assert table.to_dict("list") == {"alpha0": [0, 0, 100, 100], "steps": [1, 5, 1, 5]}
    space = json.loads((folder / "configspace.json").read_text())
    assert space["alpha0"]["domain_kwargs"] == {"categories": [0, 100], "log_scale": False}
    about = json.loads((folder / "metadata.json").read_text())
    assert about["task_names"] == ["sinusoid", "sinusoid, width=3"]
    assert about["objectives_names"] == ["val_loss", "train_loss", "diverged", "elapsed_iterations"]
    assert notes == []


def test_what_does_not_vary_is_no_hyper_parameter(tmp_path: Path) -> None:
    trials = [cell(method="reptile", alpha0=a, steps=5) for a in (1.0, 10.0)] + [cell(alpha0=1.0)]
    notes = export.write("syne-tune", asked(made(*trials)), tmp_path)
    about = json.loads((tmp_path / "reptile" / "metadata.json").read_text())
    assert about["constants"] == {"steps": 5}
    assert list(pd.read_parquet(tmp_path / "reptile" / "hyperparameters.parquet")) == ["alpha0"]
    assert not (tmp_path / "maml").exists()
    assert notes == ["maml: left out, since it has one setting: there is nothing to search"]


@pytest.mark.filterwarnings("ignore")
def test_choices_and_flags_are_categories(tmp_path: Path) -> None:
    deserialize = loader()
    read = made(*square())
    read.trials["rule"], read.trials["msl"] = ["a", "b"] * 2, pd.array([True, False] * 2, "boolean")
    export.write("syne-tune", asked(read), tmp_path)
    box = deserialize(str(tmp_path / "maml"))["sinusoid"]
    found = box.objective_function({"alpha0": 10.0, "rule": "b", "msl": False}, {"iteration": 5}, seed=0)
    assert found["val_loss"] == np.float32(110.05)
    assert box.configuration_space["msl"].categories == [True, False]


def test_pairs_are_not_the_whole_space(tmp_path: Path) -> None:
    trials = [cell(method="reptile", alpha0=a, steps=n) for a, n in ((1.0, 1), (10.0, 5))]
    (note,) = export.write("syne-tune", asked(made(*trials)), tmp_path)
    assert note.startswith("reptile: 2 of the 4 combinations of its values are there")


@pytest.mark.filterwarnings("ignore")  # pandas 3 says that fastparquet, which the loader uses, will go
def test_syne_tune_reads_it(tmp_path: Path) -> None:
    deserialize = loader()
    export.write("syne-tune", asked(made(*REPTILE)), tmp_path)
    boxes = deserialize(str(tmp_path / "reptile"))
    assert list(boxes) == ["sinusoid", "sinusoid, width=3"]
    box = boxes["sinusoid"]
    assert box.all_configurations()[2] == {"alpha0": 100.0, "steps": 1}
    found = box.objective_function({"alpha0": 100.0, "steps": 5}, fidelity={"iteration": 10}, seed=2)
    assert found["val_loss"] == np.float32(200.3)
    assert (box.fidelity_values == [5, 10]).all()
    for domain in box.configuration_space.values():
        assert domain.sample() in domain.categories


@pytest.mark.filterwarnings("ignore")
def test_syne_tune_reads_the_reference(tmp_path: Path) -> None:
    deserialize = loader()
    read = tables.read(ROOT / "results" / "reference" / "fig1")
    export.write("syne-tune", Asked(name="fig1", source="reference", tables=read), tmp_path)
    box = deserialize(str(tmp_path / "maml"))["paper-adam"]
    trial = read.trials[(read.trials["method"] == "maml") & (read.trials["seed"] == 3)].iloc[0]
    config = {name: trial[name] for name in ("alpha0", "beta0")}
    found = box.objective_function(config, fidelity={"iteration": 500}, seed=3)
    assert found["val_loss"] == np.float32(trial["final_val_loss"])
    assert found["train_loss"] == np.float32(trial["final_train_loss"])
