"""Other ways to compute an operator compute the same: else their times would mean nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.bench import alternatives
from harness.training.conv4 import native

pytestmark = pytest.mark.skipif(not native.knows(64, torch.float32), reason="no C compiler")


def as_rows(maps: list[Tensor]) -> Tensor:
    """[n, c, h, w] of each task -> [tasks, n * h * w, c]."""
    return torch.stack([one.movedim(1, -1).flatten(0, 2) for one in maps])


def test_convolutions() -> None:
    torch.manual_seed(0)
    forward, by_input, by_weights = (dict(ways) for _, ways in alternatives.convolutions(4))
    value = forward["C"]()
    torch.testing.assert_close(forward["formulas"](), value, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(as_rows(forward["torch's convolution"]()), value, rtol=1e-4, atol=1e-3)
    assert forward["product alone"]().shape == value.shape

    dx = by_input["C"]()
    torch.testing.assert_close(by_input["formulas"](), dx, rtol=1e-4, atol=1e-3)
    others = as_rows([one[0] for one in by_input["torch's convolution"]()])
    torch.testing.assert_close(others, dx.flatten(1, 3), rtol=1e-4, atol=1e-3)

    dw = torch.stack([one[1] for one in by_weights["torch's convolution"]()])
    ours = by_weights["product alone"]().unflatten(1, (3, 3, -1)).permute(0, 4, 3, 1, 2)
    torch.testing.assert_close(dw, ours, rtol=1e-4, atol=1e-3)


def test_float32_is_as_near_by_the_kernels_as_by_the_formulas() -> None:
    found = alternatives.errors(tasks=1)
    assert 0 < found["C"] < max(2 * found["formulas"], 1e-6)
