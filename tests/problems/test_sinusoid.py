"""Sinusoid regression: what a task is, what it depends on, and its values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from harness.cell import PRESETS, Cell, Protocol, protocol_of
from harness.problems import Batch, problem_of
from harness.problems.base import TEST_BLOCK, Tasks
from harness.training.pack import Pack

PAPER = PRESETS["sinusoid"]
CPU = torch.device("cpu")


def drawn(protocol: Protocol = PAPER, seed: int = 0, split: str = "train", iteration: int = 1) -> Tasks:
    return problem_of(protocol).tasks(seed, split, iteration)


def variant(**fields: object) -> Protocol:
    return protocol_of(problem="sinusoid", **fields)


def same(a: Tasks, b: Tasks) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def amplitudes_and_phases(tasks: Tasks) -> tuple[np.ndarray, np.ndarray]:
    """From the points alone: y = p sin x + q cos x has p = A cos phase and q = -A sin phase."""
    pairs = []
    for x, y in zip(tasks.support[..., 0], tasks.support_targets[..., 0], strict=True):
        (p, q), rest, *_ = np.linalg.lstsq(np.stack([np.sin(x), np.cos(x)], 1), y, rcond=None)
        assert rest < 1e-20
        pairs.append((np.hypot(p, q), np.arctan2(-q, p)))
    return tuple(np.array(pairs).T)


def test_the_preset_is_the_papers_experiment() -> None:
    tasks = drawn()
    assert [part.shape for part in tasks] == [(25, 10, 1)] * 4
    assert (PAPER.layers, PAPER.width, PAPER.network) == (2, 40, "mlp")
    assert [part.shape for part in drawn(variant(k_shot=5, k_query=7, meta_batch=3))] == [
        (3, 5, 1),
        (3, 5, 1),
        (3, 7, 1),
        (3, 7, 1),
    ]


def test_support_and_query_are_of_one_sinusoid() -> None:
    tasks = drawn()
    for one, other in zip(
        amplitudes_and_phases(tasks),
        amplitudes_and_phases(Tasks(tasks.query, tasks.query_targets, *tasks[:2])),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    assert not np.isin(tasks.query, tasks.support).any()


def test_amplitudes_phases_and_points_are_uniform_in_their_ranges() -> None:
    """MAML, section 5.1."""
    tasks = drawn(variant(meta_batch=4000))
    amplitudes, phases = amplitudes_and_phases(tasks)
    for values, low, high in (
        (amplitudes, 0.1, 5.0),
        (phases, 0.0, np.pi),
        (tasks.support.ravel(), -5.0, 5.0),
        (tasks.query.ravel(), -5.0, 5.0),
    ):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        shares = np.histogram(values, 10, (low, high))[0] / values.size
        assert np.abs(shares - 0.1).max() < 5 * np.sqrt(0.09 / values.size)
    assert abs(np.corrcoef(amplitudes, phases)[0, 1]) < 5 / np.sqrt(4000)
    assert abs(np.corrcoef(amplitudes, tasks.support[:, 0, 0])[0, 1]) < 5 / np.sqrt(4000)


def test_a_smaller_meta_batch_is_the_start_of_a_larger_one() -> None:
    smaller, larger = (drawn(variant(meta_batch=tasks), 3, "train", 7) for tasks in (4, 30))
    assert same(smaller, Tasks(*(part[:4] for part in larger)))


def test_tasks_depend_on_seed_split_and_iteration_alone() -> None:
    ours = drawn(seed=2, iteration=5)
    others = variant(inner_steps=3, meta_optimizer="sgd", width=7, precision="float64", perturbation=1)
    assert same(ours, drawn(others, 2, "train", 5))
    places = [
        (2, "train", 6),
        (3, "train", 5),
        (5, "train", 2),
        (2, "validation", 5),
        (2**53 + 1, "train", 5),
    ]
    for place in places:
        assert not np.isin(drawn(PAPER, *place).support, ours.support).any(), place


def test_a_batch_is_the_tasks_of_its_seeds_in_its_precision() -> None:
    problem = problem_of(PAPER)
    batch = problem.batch([4, 1], "train", 2, CPU, torch.float64)
    for at, seed in enumerate((4, 1)):
        tasks = drawn(seed=seed, iteration=2)
        for name in Tasks._fields:
            assert np.array_equal(getattr(batch, name)[at].numpy(), getattr(tasks, name))
    rounded = problem.batch([4, 1], "train", 2, CPU, torch.float32)
    assert isinstance(rounded, Batch)
    assert all(torch.equal(a, b.float()) for a, b in zip(rounded, batch, strict=True))


def test_validation_tasks_are_the_same_for_all_seeds() -> None:
    hyper = {"alpha0": 0.01, "beta0": 1e-3}
    protocol = variant(validation_tasks=6)
    held_out = [
        Pack([Cell(protocol=protocol, method="maml", hyper=hyper, seed=seed) for seed in seeds], CPU).held_out
        for seeds in ((0,), (3, 8))
    ]
    assert held_out[0].support.shape == (1, 6, 10, 1)
    assert all(map(torch.equal, *held_out))


def test_its_loss_is_the_mean_squared_error_and_it_has_no_metrics() -> None:
    problem = problem_of(PAPER)
    outputs, targets = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([[1.0], [0.0], [1.0]])
    assert float(problem.loss(outputs, targets)) == pytest.approx((0 + 4 + 9) / 3)
    assert problem.measure(outputs, targets) == problem.metrics == ()
    assert (problem.chance, problem.unit, problem.digest, problem.scale) == (None, "", None, 1)
    assert problem.shape() == ((1,), 1)


def test_golden_values() -> None:
    """If these move, no record made before may stand beside one made now: raise records.NUMERICS."""
    tasks = drawn()
    ours = [float(part[at, at, 0]) for part in tasks for at in (0, 3)]
    assert ours == pytest.approx(GOLDEN, rel=1e-14)
    amplitudes, phases = amplitudes_and_phases(tasks)
    x, y = tasks.query[3, 3, 0], tasks.query_targets[3, 3, 0]
    assert y == pytest.approx(amplitudes[3] * np.sin(x - phases[3]), rel=1e-9)


GOLDEN = [
    *(0.09647623247008497, 2.407863518435401, -0.15538538691600995, 0.5303158925942346),
    *(4.978261123227304, 1.8685812899125622, 0.6604679604264357, 0.4278736211765647),
]


def test_tasks_of_a_meta_test_are_others_in_blocks() -> None:
    blocks = [drawn(PAPER, 0, "test", block) for block in (0, 1)]
    others = [drawn(PAPER, 0, "train", 0), drawn(PAPER, 0, "train", 1), drawn(PAPER, 0, "validation", 0)]
    assert len(blocks[0].support) == TEST_BLOCK
    for one, other in itertools.combinations([*blocks, *others], 2):
        assert not np.isin(one.support, other.support).any()


def test_its_curves_are_those_of_its_tasks() -> None:
    curves, tasks = problem_of(PAPER).curves(2, "test", 1), drawn(PAPER, 2, "test", 1)
    amplitudes, phases = amplitudes_and_phases(tasks)
    assert (curves.x[0], curves.x[-1]) == (-5, 5)
    np.testing.assert_allclose(
        curves.y, amplitudes[:, None] * np.sin(curves.x - phases[:, None]), rtol=1e-6, atol=1e-6
    )
