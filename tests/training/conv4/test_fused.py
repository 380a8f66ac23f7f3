"""Batch norm by torch's compiler, here for a CPU, beside the formulas: first and second order in float64."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import InternalTorchDynamoError
from torch._dynamo.utils import counters

from harness.common.errors import UserError
from harness.training.conv4 import derivatives, fused, gpu
from harness.training.conv4.table import PLAIN, Operators
from harness.training.replay import graphed, leaves
from tests.training.conv4.test_derivatives import moved, random_images, variant
from tests.training.conv4.test_operators import EPS, close, random
from tests.training.test_replay import again

NETWORK = variant(filters=4, layers=3, norm_scale=True, norm_adapted=True)
"""Its gradients come to a batch norm as a view, as by `scatter`, and as rows."""


def table() -> Operators:
    return replace(PLAIN, **fused.fused(gpu.FUSED))


def made() -> int:
    """Graphs that torch has compiled so far."""
    return counters["stats"]["unique_graphs"]


@pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="no C++ compiler")
def test_all_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replayed as on a GPU: compiled in the first call, which no recording sees, and not again for fewer
    groups."""

    def computed(weights: Tensor, images: Tensor, along: Tensor) -> tuple[Tensor, ...]:
        with torch.inference_mode():
            loss = derivatives.loss(NETWORK, weights, derivatives.cut(NETWORK, images))
            gradient = derivatives.gradient(NETWORK, loss)
            bent = derivatives.hessian_product(NETWORK, loss, gradient, along)
        return tuple(one.clone() for one in (loss.mean, loss.scores, gradient.flat, bent))

    def both(groups: int, call: Callable[..., tuple[Tensor, ...]]) -> None:
        weights, images = moved(NETWORK, groups), random_images(NETWORK, groups)
        inputs = weights, images, random(groups, weights.shape[1], seed=3)
        monkeypatch.setattr(derivatives, "operators_for", lambda *_: ours)
        results = call(*inputs)
        monkeypatch.setattr(derivatives, "operators_for", lambda *_: PLAIN)
        for one, expected in zip(results, computed(*inputs), strict=True):
            close(one, expected)

    ours, replayed, before = table(), graphed(computed, again), made()
    both(3, replayed)
    after = made()
    assert after - before >= len(gpu.FUSED)
    both(3, replayed)  # recorded
    both(2, replayed)
    both(2, replayed)
    assert made() == after


def test_where_torch_cannot_compile_the_formulas_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so, once."""

    def cannot(function: Callable, **options: object) -> Callable:
        def call(*arguments: object) -> None:
            raise InternalTorchDynamoError("no\n  compiler\nand much more")

        return call

    monkeypatch.setattr(torch, "compile", cannot)
    ours = table()
    x, scale, shift, dy = (random(2, rows, 3, seed=i) for i, rows in enumerate((8, 1, 1, 8)))
    expected = PLAIN.norm_relu(x.clone(), scale, shift, EPS)
    with pytest.warns(UserWarning, match="batch norm runs unfused, since .* it here: no compiler$"):
        at = ours.norm_relu(x.clone(), scale, shift, EPS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient = ours.norm_relu_gradient(at, dy)
    *gradients, _ = PLAIN.norm_relu_gradient(expected, dy)
    for one, other in zip(leaves((at, gradient[:-1])), leaves((expected, tuple(gradients))), strict=True):
        assert torch.equal(one, other)


@pytest.fixture(name="_anew")
def _made_anew() -> Iterator[None]:
    made = gpu.trouble, gpu._operators
    for one in made:
        one.cache_clear()
    yield
    for one in made:
        one.cache_clear()


@pytest.mark.usefixtures("_anew")
@pytest.mark.parametrize(
    ("found", "why"), [(False, "there is no Triton"), (True, "Triton does not work here: no compiler")]
)
def test_where_triton_does_not_work_a_gpu_has_the_formulas(
    found: bool, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*arguments: object, **options: object) -> None:
        raise RuntimeError("no\n  compiler")

    monkeypatch.setattr(gpu, "find_spec", lambda name: name if found else None)
    monkeypatch.setattr(torch, "ones", cannot)
    monkeypatch.setitem(sys.modules, "triton", ModuleType("triton"))
    monkeypatch.setitem(sys.modules, "harness.training.conv4.triton_products", ModuleType("ours"))
    with pytest.warns(UserWarning, match=f"^nothing is fused: {why}$"):
        assert gpu.operators("float32", fuse=True) is PLAIN
    with pytest.raises(UserError, match=f"^precision 'tf32x3': {why}; write float32 or tf32$"):
        gpu.operators("tf32x3")


@pytest.mark.usefixtures("_anew")
def test_nothing_is_fused_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(gpu.SWITCH, raising=False)
    assert gpu.operators("float32") is gpu.operators("tf32") is PLAIN
    monkeypatch.setattr(gpu, "_operators", lambda precision, fuse: (precision, fuse))
    monkeypatch.setenv(gpu.SWITCH, "1")
    assert gpu.operators("float32") == ("float32", True)
