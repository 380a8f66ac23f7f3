"""The multilayer perceptron: its initial weights, and what it computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.problems.networks.mlp import MLP

PAPER = MLP([1, 40, 40, 1])


def weights_of(network: MLP, seed: int = 0) -> dict[str, np.ndarray]:
    return {p.name: w for p, w in zip(network.layout.parts, network.initial(seed), strict=True)}


def test_parts_and_head() -> None:
    shapes = {part.name: part.shape for part in PAPER.layout.parts}
    assert shapes == {
        "layer0.weight": (40, 1),
        "layer0.bias": (40,),
        "layer1.weight": (40, 40),
        "layer1.bias": (40,),
        "layer2.weight": (1, 40),
        "layer2.bias": (1,),
    }
    assert PAPER.layout.head == {"layer2.weight", "layer2.bias"}
    assert PAPER.layout.adapted_size == sum(PAPER.layout.sizes) == 1761
    assert {part.name for part in MLP([3, 2]).layout.parts} == MLP([3, 2]).layout.head


def test_initial_weights_are_of_seed_and_name_alone() -> None:
    """Another layer, or another number of outputs, leaves the others as they are."""
    ours, deeper, wider = (weights_of(MLP([1, *sizes])) for sizes in ([40, 40, 1], [40, 40, 40, 5], [80, 1]))
    for name in ("layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias"):
        assert np.array_equal(ours[name], deeper[name]), name
    assert np.array_equal(wider["layer0.weight"][:40], ours["layer0.weight"])
    assert all(np.array_equal(a, b) for a, b in zip(PAPER.initial(3), PAPER.initial(3), strict=True))
    assert not any(np.isin(a, b).any() for a, b in zip(PAPER.initial(3), PAPER.initial(4), strict=True))
    pieces = [piece.ravel() * np.sqrt(40 if name > "layer1" else 1) for name, piece in ours.items()]
    assert len(np.unique(np.concatenate(pieces))) == 1761  # no two parts share their draws


@pytest.mark.parametrize("name", ["layer0.weight", "layer0.bias", "layer1.weight", "layer2.weight"])
def test_they_are_uniform_as_torch_makes_them(name: str) -> None:
    """U(-1/sqrt(fan in), 1/sqrt(fan in))."""
    draws = np.concatenate([weights_of(PAPER, seed)[name].ravel() for seed in range(20)])
    bound = 1 if name.startswith("layer0") else 1 / np.sqrt(40)
    assert 0.99 * bound < np.abs(draws).max() < bound
    shares = np.histogram(draws, 10, (-bound, bound))[0] / draws.size
    assert np.abs(shares - 0.1).max() < 5 * np.sqrt(0.09 / draws.size)


def test_by_hand() -> None:
    """Two inputs, two hidden units, one output: one unit is cut off by ReLU."""
    weights = {
        "layer0.weight": torch.tensor([[1.0, 2.0], [-3.0, 1.0]]),
        "layer0.bias": torch.tensor([0.5, 1.0]),
        "layer1.weight": torch.tensor([[2.0, 10.0]]),
        "layer1.bias": torch.tensor([-1.0]),
    }
    inputs = torch.tensor([[1.0, 1.0], [-1.0, 0.0]])
    # (3.5, -1 -> 0): 2 * 3.5 - 1 = 6; (-0.5 -> 0, 4): 10 * 4 - 1 = 39
    assert MLP([2, 2, 1]).apply(weights, inputs).tolist() == [[6.0], [39.0]]


def test_inputs_of_any_shape_are_flattened() -> None:
    network = MLP([12, 4, 3])
    weights = {name: torch.from_numpy(part) for name, part in weights_of(network).items()}
    images = torch.rand(5, 3, 2, 2, dtype=torch.float64)
    assert torch.equal(network.apply(weights, images), network.apply(weights, images.view(5, 12)))


def test_numbers_of_parts_and_of_their_entries() -> None:
    """A rate for each tensor as one for each weight, and the sums back."""
    layout = MLP([1, 2, 1]).layout  # of 2, 2, 2 and 1 entries
    of_parts = torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    entries = torch.tensor([[1.0, 1, 2, 2, 3, 3, 4], [5, 5, 6, 6, 7, 7, 8]])
    assert torch.equal(layout.per_weight(of_parts), entries)
    assert layout.per_weight(entries) is entries
    assert layout.per_part(entries).tolist() == [[2, 4, 6, 4], [10, 12, 14, 8]]
    assert layout.per_part(entries.view(2, 1, 7)).tolist() == [[[2, 4, 6, 4]], [[10, 12, 14, 8]]]


def test_golden_values() -> None:
    """If these move, records made before are of other weights: raise records.NUMERICS."""
    ours = [float(part.ravel()[-1]) for part in PAPER.initial(0)]
    assert ours == pytest.approx(GOLDEN, rel=1e-14)


GOLDEN = [
    *(-0.6522271778577291, 0.34125053231791935, 0.127731455883671),
    *(-0.016054744003194017, -0.013084434062851875, 0.1488129210866538),
]
