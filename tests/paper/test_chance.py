"""Losses of networks that never learn: they equal those of the inner loop with alpha 0; their summary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from harness.cell import Protocol, protocol_of
from harness.paper import chance as analysis
from harness.paper import chance_study as study
from harness.problems import datasets, episodes
from harness.problems.episodes import Images
from harness.problems.networks.conv4 import initial
from harness.records.passages import first_passage, sustained_passage
from harness.training.conv4 import adapt, meta_gradient
from tests.conftest import SMALL


def made(rows: dict[tuple[int, str], list[list[float]]]) -> pd.DataFrame:
    """(seed, head) -> losses [iterations][tasks] as a frame."""
    return pd.DataFrame(
        [
            {"seed": seed, "head": head, "iteration": i}
            | {f"task{k}": loss for k, loss in enumerate(tasks, 1)}
            for (seed, head), iterations in rows.items()
            for i, tasks in enumerate(iterations, 1)
        ]
    )


def flat(*runs: list[float], tasks: int = 4) -> pd.DataFrame:
    """Inits of one head whose tasks all have the same loss."""
    return made({(seed, "linear"): [[loss] * tasks for loss in run] for seed, run in enumerate(runs)})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"k_query": 2, "loss_scale": "sum_over_shots", "layers": 1},
        {"norm_scale": True, "norm_adapted": True, "meta_batch": 5, "k_shot": 2},
    ],
)
def test_a_loss_is_that_of_the_inner_loop_with_alpha_0(noise: datasets.Dataset, changes: dict) -> None:
    protocol = SMALL.model_copy(update=changes)
    images = torch.tensor(noise.images)
    found = study.losses(protocol, 3, [1, 7], images)
    assert found.shape == (4, 2, protocol.meta_batch)
    assert found.dtype == np.float64
    for h, head in enumerate(study.HEADS):
        same = protocol.model_copy(update={"head_init": head})
        weights = torch.from_numpy(initial(same, 3)).unsqueeze(0)
        still = weights.new_zeros(1, 1)
        for i, iteration in enumerate((1, 7)):
            drawn = episodes.gather(episodes.training(same, 3, iteration), images, same.k_shot, torch.float64)
            for at in range(protocol.meta_batch):
                one = Images(*(part[None, at : at + 1] for part in drawn))
                for loss in (adapt, meta_gradient):
                    want = float(loss(same, weights, still, one, chunk=2).loss)
                    assert found[h, i, at] == pytest.approx(want, abs=1e-9)


def test_the_first_tasks_are_a_smaller_meta_batch(noise: datasets.Dataset) -> None:
    images = torch.tensor(noise.images)
    many, few = (
        study.losses(SMALL.model_copy(update={"meta_batch": tasks}), 0, [2], images) for tasks in (6, 4)
    )
    np.testing.assert_allclose(many[..., :4], few, rtol=0, atol=1e-12)


def test_heads_are_those_of_the_protocol() -> None:
    assert study.HEADS == ("linear", "xavier", "normal", "small")


def test_passages() -> None:
    low, high = [2.98], [3.0]
    runs = [high * 11 + low, low + high * 11, high * 12, high * 2 + [2.8] + high * 9]
    assert analysis.passages(runs, first_passage).tolist() == [12, 1, np.inf, 3]
    # one low loss among ten: their mean is 3.0 - 0.02 / 10 = 2.998, or 3.0 - 0.2 / 10 = 2.98
    assert analysis.passages(runs, sustained_passage).tolist() == [np.inf, np.inf, np.inf, 10]
    assert analysis.passages([high], first_passage, 3.0).tolist() == [1]


def test_a_smaller_meta_batch_takes_the_first_tasks() -> None:
    frame = made({(0, "small"): [[1.0, 2.0, 3.0, 4.0, 9.0, 9.0, 9.0, 9.0]]})
    assert analysis.training_losses(frame, "small", 4).tolist() == [[2.5]]
    assert analysis.training_losses(frame, "small", 8).tolist() == [[5.75]]
    assert set(analysis.summary(frame)["small"]) == {"4", "8"}


def test_the_summary() -> None:
    """Four inits: one passes at 1, one at 200, two never."""
    early, late, never = [2.9, 3.1], [3.1] * 199 + [2.9], [3.0, 3.2]
    long = [run + [3.1] * (200 - len(run)) for run in (early, late, never, never)]
    found = analysis.summary(flat(*long))["linear"]["4"]
    assert (found["inits"], found["iterations"], found["target"]) == (4, 200, 2.99)
    assert (found["passed"], found["passed_share"]) == (2, 0.5)
    assert (found["passed_by_paper"], found["passed_by_paper_share"]) == (1, 0.25)
    assert (found["sustained"], found["sustained_share"]) == (0, 0.0)
    assert found["batches_below_share"] == 2 / 800
    assert found["median_first_passage"] is None
    # Wilson at 2 of 4: 0.5 -+ z / sqrt(16 + 4 z^2) * sqrt(4 + z^2) with z = 1.96, that is 0.5 -+ 0.35
    assert found["passed_interval"] == pytest.approx([0.15004, 0.84996], abs=1e-5)
    assert json.loads(json.dumps(found)) == found


def test_means_and_spreads() -> None:
    found = analysis.summary(flat([3.0, 3.2], [3.4, 3.6]))["linear"]["4"]
    assert found["mean_loss"] == pytest.approx(3.3)
    assert found["init_sd"] == pytest.approx(np.sqrt(0.08))  # means 3.1 and 3.5
    assert found["batch_sd"] == pytest.approx(np.sqrt(0.02))
    alone = analysis.summary(flat([3.0]))["linear"]["4"]
    assert (alone["init_sd"], alone["batch_sd"]) == (None, None)


def test_a_median_that_is_a_passage() -> None:
    found = analysis.summary(flat([2.9, 3.1], [3.1, 2.9], [3.1, 3.1]))["linear"]["4"]
    assert found["median_first_passage"] == 2.0


def test_an_interrupted_study_continues(
    noise: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = protocol_of(**SMALL.model_dump() | {"meta_batch": 4, "precision": "float32"})
    asked: list[int] = []
    plain = study.losses

    def losses(protocol: Protocol, seed: int, *more: object) -> np.ndarray:
        asked.append(seed)
        if asked == [0, 1]:
            raise KeyboardInterrupt
        return plain(protocol, seed, *more)

    monkeypatch.setattr(study, "losses", losses)
    with pytest.raises(KeyboardInterrupt):
        study.study(protocol, 2, 3, tmp_path, str)
    assert analysis.read(tmp_path) is None
    study.study(protocol, 2, 3, tmp_path, str)
    assert asked == [0, 1, 1]
    frame = analysis.read(tmp_path)
    assert list(frame) == ["seed", "head", "iteration", "task1", "task2", "task3", "task4"]
    assert len(frame) == 2 * 4 * 3
    assert frame["task1"].dtype == np.float32
    again = plain(protocol, 1, [1, 2, 3], torch.tensor(noise.images))
    want = again[study.HEADS.index("normal")].mean(1)
    assert analysis.training_losses(frame, "normal", 4)[1] == pytest.approx(want, abs=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "losses.parquet"]
    about = json.loads(pq.read_metadata(tmp_path / "losses.parquet").metadata[b"harness.noise"])
    assert (about["dataset_sha256"], about["iterations"]) == ("0" * 64, 3)


def test_parts_of_another_run_do_not_count(
    noise: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = protocol_of(**SMALL.model_dump() | {"meta_batch": 4})
    with monkeypatch.context() as kept:
        kept.setattr(study, "rmtree", lambda folder: None)
        study.study(protocol, 1, 2, tmp_path, str)
    study.study(protocol, 1, 3, tmp_path, str)
    assert analysis.read(tmp_path)["iteration"].max() == 3


def test_the_readme_has_a_row_for_each_setting(noise: datasets.Dataset, tmp_path: Path) -> None:
    protocol = protocol_of(**SMALL.model_dump() | {"meta_batch": 8})
    study.study(protocol, 1, 2, tmp_path, str)
    text = (tmp_path / "README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and " of 1 |" in line]
    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| {head}", tasks] for head in study.HEADS for tasks in ("4", "8")
    ]
    assert "commit" in text
