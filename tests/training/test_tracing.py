"""Functions recorded as plain lists of operations."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import grad, vmap

from harness.training import tracing
from harness.training.tracing import traced


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "FEW", 2)


class Counted:
    """A function that counts how often it is run as it is."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        self.runs += 1
        return vmap(grad(lambda a, b: (a.sin() * b).sum()))(x, y), x.detach() + y


def pair(rows: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(rows, 3, generator=generator, dtype=dtype) for _ in range(2))


def test_a_recorded_call_gives_the_same_bits_for_other_numbers() -> None:
    plain = Counted()
    fast = traced(plain)
    for seed in range(5):
        for ours, expected in zip(fast(*pair(4, seed)), Counted()(*pair(4, seed)), strict=True):
            assert torch.equal(ours, expected)
    assert plain.runs == 2  # once as it is, once to be recorded


def test_other_shapes_and_precisions_are_recorded_apart() -> None:
    plain = Counted()
    fast = traced(plain)
    for _ in range(4):
        fast(*pair(4))
        fast(*pair(5))
        fast(*pair(4, dtype=torch.float32))
    assert plain.runs == 6


def test_what_writes_in_place_is_run_as_it_is() -> None:
    runs = 0

    def writes(x: Tensor) -> Tensor:
        nonlocal runs
        runs += 1
        return (x + 1).relu_().mul_(2)

    fast = traced(writes)
    for k in range(4):
        assert torch.equal(fast(torch.full((2,), float(k))), torch.full((2,), 2.0 * (k + 1)))
    assert runs == 5  # each of the calls, and the recording


def test_what_cannot_be_recorded_is_run_as_it_is() -> None:
    double = torch.compile(lambda x: 2 * x, backend="eager")
    fast = traced(lambda x: double(x) + 1)
    for k in range(4):
        assert torch.equal(fast(torch.full((2,), float(k))), torch.full((2,), 2.0 * k + 1))


def test_tensors_laid_out_otherwise_are_recorded_apart() -> None:
    """A view of contiguous tensors is none of expanded ones, as of tasks that all cells share."""
    calls = []

    def flat(x: Tensor) -> Tensor:
        calls.append(x)
        return x.reshape(-1) * 2

    fast = traced(flat)
    whole = torch.arange(6.0).view(2, 3)
    for _ in range(3):
        assert torch.equal(fast(whole), 2 * whole.reshape(-1))
    shared = torch.arange(3.0).expand(2, 3)
    for _ in range(3):
        assert torch.equal(fast(shared), 2 * shared.reshape(-1))
    assert len(calls) == 4  # each is run once as it is and once to be recorded
