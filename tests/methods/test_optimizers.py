"""The meta-optimizers against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.cell import PRESETS
from harness.methods import optimizers

CELLS, P, STEPS = 3, 7, 20
ADAM = optimizers.optimizer_of(PRESETS["paper-adam"])


def gradients() -> Tensor:
    """[STEPS, CELLS, P] of very different sizes, and exact zeros."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(STEPS, CELLS, P, generator=generator, dtype=torch.float64)
    sizes = torch.tensor([0, 1e-12, 1e-8, 1e-3, 1, 1e3, 1e8], dtype=torch.float64)
    return noise * sizes


@pytest.mark.parametrize(
    ("preset", "kind"), [("paper-adam", torch.optim.Adam), ("paper-sgd", torch.optim.SGD)]
)
def test_equals_torch_over_20_steps(preset: str, kind: type[torch.optim.Optimizer]) -> None:
    """Weights from 0, so that nothing but the steps is compared."""
    ours = torch.zeros(CELLS, P, dtype=torch.float64)
    theirs = ours.clone().requires_grad_()
    reference = kind([theirs], lr=0.125)
    start, optimize = optimizers.optimizer_of(PRESETS[preset])
    state = start(ours)
    for gradient in gradients():
        theirs.grad = gradient.clone()
        reference.step()
        state, direction = optimize(state, gradient)
        ours = ours - 0.125 * direction
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=0)
    assert (ours[:, 1:] != 0).all()


def test_adam_is_pure_and_every_cell_counts_its_own_updates() -> None:
    """A cell that joins another's matrix later gives what it gives alone: bit for bit."""
    first, second = gradients()[:2]
    fresh = ADAM.start(torch.zeros(1, P, dtype=torch.float64))
    kept = [part.clone() for part in fresh]
    old, _ = optimizers.adam(fresh, first[:1])
    assert all(torch.equal(a, b) for a, b in zip(fresh, kept, strict=True))
    mixed = tuple(torch.cat(parts) for parts in zip(old, fresh, strict=True))
    _, together = optimizers.adam(mixed, second[:2])
    for row, state in enumerate((old, fresh)):
        assert torch.equal(together[row : row + 1], optimizers.adam(state, second[row : row + 1])[1])


def test_the_first_direction_of_adam_is_the_sign() -> None:
    gradient = torch.tensor([[3.0, -2e4, 0.5]])
    state = ADAM.start(gradient)
    _, direction = optimizers.adam(state, gradient)
    assert direction.dtype == torch.float32
    torch.testing.assert_close(direction, gradient.sign(), rtol=1e-5, atol=0)


def test_adam_in_float32_is_as_exact_as_torch() -> None:
    """Against float64: an error of the rounding's size, not that of 1 - 0.999 taken in float32 (7e-6)."""
    gradient = torch.randn(CELLS, P, generator=torch.Generator().manual_seed(0))
    directions = []
    for dtype in (torch.float32, torch.float64):
        state = ADAM.start(torch.zeros(CELLS, P, dtype=dtype))
        for step in (1.0, 0.5, -2.0):
            state, direction = ADAM.step(state, (step * gradient).to(dtype))
        directions.append(direction.double())
    torch.testing.assert_close(directions[0], directions[1], rtol=1e-6, atol=1e-7)
