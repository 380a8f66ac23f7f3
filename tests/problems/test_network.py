"""The network's weights as drawn, and the flat vector's parts."""

from __future__ import annotations

from math import prod, sqrt

import numpy as np
import pytest

from harness import problems
from harness.cell import PRESETS, Protocol, protocol_of
from harness.common.errors import UserError
from harness.problems.networks.conv4 import initial, layout

PAPER = PRESETS["paper-adam"]


def parts_of(protocol: Protocol, flat: np.ndarray) -> dict[str, np.ndarray]:
    """The flat vector [P] as named tensors."""
    parts = layout(protocol).parts
    ends = np.cumsum([prod(part.shape) for part in parts])
    assert ends[-1] == sum(layout(protocol).sizes) == len(flat)
    pieces = np.split(flat, ends[:-1])
    return {part.name: piece.reshape(part.shape) for part, piece in zip(parts, pieces, strict=True)}


def test_initial_is_a_function_of_seed_and_network_alone() -> None:
    ours = initial(PAPER, 5)
    assert np.array_equal(ours, initial(PAPER, 5))
    others = {"k_shot": 3, "inner_steps": 4, "dataset": "glyphs", "split_seed": 1, "precision": "float64"}
    assert np.array_equal(ours, initial(protocol_of(**others), 5))
    drawn = ours != 0
    assert not (ours == initial(PAPER, 6))[drawn].any()


def test_a_network_of_our_own_that_does_not_fit_is_refused_before_training() -> None:
    with pytest.raises(UserError, match=r"^network conv4: takes images .*, not inputs of shape \(1,\)$"):
        problems.check(protocol_of(problem="sinusoid", network="conv4"))
    problems.check(protocol_of(problem="sinusoid"))


def test_a_reading_of_the_head_or_norm_moves_nothing_else() -> None:
    ours, other = (
        parts_of(p, initial(p, 0)) for p in (PAPER, protocol_of(head_init="small", norm_scale=True))
    )
    for name, values in ours.items():
        assert np.array_equal(values, other[name]) == (name != "head"), name


def test_a_perturbation_moves_each_weight_by_a_rounding() -> None:
    ours, noisy = (initial(PAPER, 0, draw) for draw in (0, 1))
    assert np.array_equal(ours, initial(PAPER, 0))
    drawn = ours != 0
    assert not noisy[~drawn].any()
    share = noisy[drawn] / ours[drawn] - 1
    assert 0.99e-7 < np.abs(share).max() < 1.001e-7
    assert abs(share.mean()) < 4e-7 / sqrt(3 * share.size)
    moved = noisy[drawn].astype(np.float32) != ours[drawn].astype(np.float32)
    assert 0.3 < moved.mean() < 0.9  # the others round to the weight that they were


def test_perturbations_of_draws_seeds_and_parts_are_independent() -> None:
    def shares(draw: int, seed: int) -> dict[str, np.ndarray]:
        noisy = initial(PAPER, seed, draw) / np.where(ours := initial(PAPER, seed), ours, 1)
        return {name: part.ravel() for name, part in parts_of(PAPER, noisy - 1).items()}

    first = shares(1, 0)["conv1"]
    for other in (shares(2, 0)["conv1"], shares(1, 1)["conv1"], shares(1, 0)["conv2"]):
        assert abs(np.corrcoef(first, other)[0, 1]) < 5 / sqrt(first.size)


def test_golden_values() -> None:
    """If these move, records made before are of other weights: raise records.NUMERICS."""
    ours = parts_of(PAPER, initial(PAPER, 0))
    assert ours["conv0"][0, :2].tolist() == pytest.approx(
        [-0.01434923165310768, 0.029244685963677266], rel=1e-15
    )
    assert ours["conv3"][-1, -2:].tolist() == pytest.approx(
        [-0.04793720160307351, 0.011672574063220987], rel=1e-15
    )
    assert ours["head"][0, :2].tolist() == pytest.approx(
        [-0.049288219135391415, 0.007401526985139767], rel=1e-15
    )


@pytest.mark.parametrize("i", range(4))
def test_convolutions_are_xavier_uniform(i: int) -> None:
    """torch.nn.init.xavier_uniform_ of the kernel [filters, channels, 3, 3] has this bound."""
    weights = parts_of(PAPER, initial(PAPER, 0))[f"conv{i}"]
    fan_in, fan_out = 9 * (64 if i else 1), 9 * 64
    assert weights.shape == (fan_in, 64)
    uniform(weights, sqrt(6 / (fan_in + fan_out)))


def uniform(values: np.ndarray, bound: float) -> None:
    assert 0.97 * bound < np.abs(values).max() < bound
    assert values.var() == pytest.approx(bound**2 / 3, rel=0.15)
    assert abs(values.mean()) < 4 * bound / sqrt(3 * values.size)


@pytest.mark.parametrize(("kind", "bound"), [("linear", 1 / 8), ("xavier", sqrt(6 / (64 + 20)))])
def test_uniform_heads(kind: str, bound: float) -> None:
    protocol = protocol_of(head_init=kind)
    uniform(parts_of(protocol, initial(protocol, 0))["head"], bound)


@pytest.mark.parametrize(("kind", "deviation"), [("normal", 1.0), ("small", 0.01)])
def test_normal_heads(kind: str, deviation: float) -> None:
    protocol = protocol_of(head_init=kind)
    head = parts_of(protocol, initial(protocol, 0))["head"] / deviation
    assert head.var() == pytest.approx(1, rel=0.15)
    assert abs(head.mean()) < 4 / sqrt(head.size)
    assert np.mean(np.abs(head) < 1) == pytest.approx(0.683, abs=0.05)
    assert 2.5 < np.abs(head).max() < 5


def test_biases_and_norms_start_neutral() -> None:
    protocol = protocol_of(norm_scale=True)
    for name, values in parts_of(protocol, initial(protocol, 3)).items():
        if name == "bias" or name.startswith("shift"):
            assert not values.any(), name
        if name.startswith("scale"):
            assert (values == 1).all(), name


CONV_HEAD = (9 + 3 * 9 * 64) * 64 + 64 * 20 + 20


@pytest.mark.parametrize(
    ("fields", "adapted", "others"),
    [
        ({}, CONV_HEAD, 4 * 64),
        ({"norm_scale": True}, CONV_HEAD, 8 * 64),
        ({"norm_adapted": True}, CONV_HEAD + 4 * 64, 0),
        ({"norm_scale": True, "norm_adapted": True}, CONV_HEAD + 8 * 64, 0),
        ({"n_way": 5}, CONV_HEAD - 15 * 65, 4 * 64),
        ({"layers": 2, "filters": 8}, (9 + 9 * 8) * 8 + 9 * 20, 2 * 8),
    ],
    ids=["paper", "scale", "adapted", "both", "5-way", "small"],
)
def test_layout(fields: dict, adapted: int, others: int) -> None:
    protocol = protocol_of(**fields)
    assert layout(protocol).adapted_size == adapted
    assert sum(prod(part.shape) for part in layout(protocol).others) == others
    assert initial(protocol, 0).shape == (adapted + others,)
