"""What a computation needs at its peak."""

from __future__ import annotations

import torch

from harness.training import memory

CPU = torch.device("cpu")
MB = 1 << 20


def test_the_peak_is_what_lives_at_the_same_time() -> None:
    def one_after_another() -> None:
        for _ in range(5):
            torch.zeros(MB, dtype=torch.uint8)

    def together() -> list[torch.Tensor]:
        return [torch.zeros(MB, dtype=torch.uint8) for _ in range(5)]

    assert memory.peak(one_after_another, CPU) <= 2 * memory.SCRATCH * MB
    assert memory.peak(together, CPU) == 5 * memory.SCRATCH * MB


def test_views_and_what_was_there_before_count_for_nothing() -> None:
    given = torch.zeros(MB, dtype=torch.uint8)
    assert memory.peak(lambda: given.view(2, -1).T[1:].unsqueeze(0), CPU) == 0


def test_what_autograd_keeps_counts() -> None:
    x = torch.zeros(MB // 4, requires_grad=True)

    def second_derivative() -> None:
        (first,) = torch.autograd.grad(x.sin().sin().sum(), x, create_graph=True)
        torch.autograd.grad(first.sum(), x)

    assert memory.peak(second_derivative, CPU) >= 4 * memory.SCRATCH * MB
