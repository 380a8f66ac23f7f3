"""Event files, read by TensorBoard itself."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.common.places import ROOT
from harness.records import export, tables
from harness.records.export.asked import Asked
from tests.records.export.made_up import asked, cell, loss, made, square

WHY = "TensorBoard is not installed: pip install '.[export]'"
accumulator: Any = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason=WHY, exc_type=ImportError
)


def load(folder: Path) -> Any:
    """A run, with all its scalars."""
    run = accumulator.EventAccumulator(str(folder), {accumulator.TENSORS: 0, accumulator.SCALARS: 0})
    run.Reload()
    return run


def scalars(folder: Path, tag: str) -> dict[int, float]:
    return {one.step: one.value for one in load(folder).Scalars(tag)}


def tab(folder: Path) -> Any:
    """What the tab HPARAMS knows of a run, or of all."""
    from tensorboard.plugins.hparams import metadata

    (tag, content), *others = load(folder).PluginTagToContent(metadata.PLUGIN_NAME).items()
    assert not others
    if tag == metadata.EXPERIMENT_TAG:
        return metadata.parse_experiment_plugin_data(content)
    return metadata.parse_session_start_info_plugin_data(content)


def test_scalars_are_the_trajectories(tmp_path: Path) -> None:
    """Validation at iterations 1, 5 and 10 alone."""
    trials = square()
    assert export.write("tensorboard", asked(made(*trials)), tmp_path) == []
    run = tmp_path / "maml" / "alpha0=10" / "seed=1"
    expected = {i: np.float32(loss(trials[3], i)) for i in range(1, 11)}
    assert scalars(run, "train_loss") == expected
    assert scalars(run, "val_loss") == {i: np.float32(100 + loss(trials[3], i)) for i in (1, 5, 10)}
    assert set(load(run).Tags()["scalars"]) == {"train_loss", "val_loss", "alpha"}
    times = [one.wall_time for one in load(run).Scalars("train_loss")]
    ended = 1795824010.0  # 2026-11-28T00:00:10+00:00
    assert times == pytest.approx([ended - 2 + 0.2 * i for i in range(1, 11)], abs=1e-6)


def test_what_is_not_finite_is_there_and_what_is_null_is_not(tmp_path: Path) -> None:
    known = made(cell(alpha0=1.0, ending="diverged", ran=3))
    known.trajectories.loc[2, "train_loss"] = math.inf
    known.trajectories.loc[2, "alpha"] = None
    export.write("tensorboard", asked(known), tmp_path)
    run = tmp_path / "maml" / "alpha0=1" / "seed=0"
    assert scalars(run, "train_loss")[3] == math.inf
    assert list(scalars(run, "alpha")) == [1, 2]


def test_counts_are_scalars_of_the_last_iteration(tmp_path: Path) -> None:
    trials = [cell(alpha0=1.0, ending="stopped", ran=7, passage=6, target=2), cell(alpha0=2.0, target=2)]
    export.write("tensorboard", asked(made(*trials)), tmp_path)
    assert scalars(tmp_path / "maml" / "alpha0=1" / "seed=0", "iterations_to_target") == {7: 6}
    missed = load(tmp_path / "maml" / "alpha0=2" / "seed=0")
    assert "iterations_to_target" not in missed.Tags()["scalars"]


def test_the_tab_knows_hyper_parameters_and_groups_seeds(tmp_path: Path) -> None:
    reptile = [cell(method="reptile", changes='{"width": 3}', alpha0=2.0, steps=5)]
    known = made(*square(), *reptile)
    known.trials["msl"] = [True, False, True, False, None]
    export.write("tensorboard", asked(known), tmp_path)
    whole = tab(tmp_path)
    values = {info.name: [*map(str, info.domain_discrete)] for info in whole.hparam_infos}
    assert set(values) == {"method", "protocol", "alpha0", "steps", "msl"}
    assert [info.name.tag for info in whole.metric_infos] == ["val_loss", "train_loss", "alpha"]
    one = tab(tmp_path / "reptile" / "sinusoid_width=3" / "alpha0=2_steps=5" / "seed=0")
    given = {name: getattr(value, value.WhichOneof("kind")) for name, value in one.hparams.items()}
    assert given == {
        "method": "reptile",
        "protocol": "sinusoid, width=3",
        "alpha0": 2.0,
        "steps": 5,
    }
    setting = "maml/sinusoid/alpha0=1_msl=true"
    assert {tab(tmp_path / setting / f"seed={seed}").group_name for seed in (0, 1)} == {setting}


def test_what_was_not_run_is_left_out(tmp_path: Path) -> None:
    trials = square()
    trials[3] = cell(1, alpha0=10.0, ending=None)
    notes = export.write("tensorboard", asked(made(*trials)), tmp_path)
    assert notes == ["1 of 4 cells not run, or failed"]
    assert len([*tmp_path.rglob("seed=*")]) == 3
    assert json.loads((tmp_path / export.ABOUT).read_text())["notes"] == notes


def test_the_reference_is_read_back(tmp_path: Path) -> None:
    known = tables.read(ROOT / "results" / "reference" / "limit")
    export.write("tensorboard", Asked(name="limit", source="reference", tables=known), tmp_path / "a")
    export.write("tensorboard", Asked(name="limit", source="reference", tables=known), tmp_path / "b")
    files = sorted(path for path in (tmp_path / "a").rglob("*tfevents*"))
    assert len(files) == len(known.trials) + 1
    for file in files:  # the same records, the same bytes
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()
    trial = known.trials.iloc[-1]
    rows = known.trajectories[known.trajectories["cell_id"] == trial["cell_id"]]
    kept = rows.set_index("iteration")["train_loss"].astype(np.float32).to_dict()
    assert any(scalars(file.parent, "train_loss") == kept for file in files if "seed=" in str(file))
