"""Products in three TF32 products: how exact they are, and the kernels beside their formulas."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from harness.common.places import ROOT
from harness.training.conv4 import operators as op
from tests.training.conv4.interpreted import random

SHAPES = ((980, 576, 64), (3920, 64, 576), (62720, 64, 64))
"""Rows, k and f: the second layer forward and with respect to its input; the most rows that are summed."""


def tf32(x: Tensor) -> Tensor:
    """The nearest number with 10 bits behind the point; of two the one further from 0."""
    bits = x.view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


def once(product: Callable[..., Tensor], x: Tensor, w: Tensor, *more: Any) -> Tensor:
    return product(tf32(x), tf32(w), *more)


def thrice(product: Callable[..., Tensor], x: Tensor, w: Tensor, *more: Any) -> Tensor:
    """As the tensor cores do it: each product of two such numbers is exact, and the sums are float32."""
    x_hi, w_hi = tf32(x), tf32(w)
    x_lo, w_lo = tf32(x - x_hi), tf32(w - w_hi)
    small = product(x_lo, w_hi, *more) + product(x_hi, w_lo, *more)
    return small + product(x_hi, w_hi, *more)


def plainly(product: Callable[..., Tensor], x: Tensor, w: Tensor, *more: Any) -> Tensor:
    return product(x, w, *more)


def test_a_tf32_number_has_ten_bits() -> None:
    ours = tf32(torch.tensor([1.0, 1 + 2**-10, 1 + 2**-11, -1 - 2**-11, 1 + 2**-12, 3.0e-20]))
    expected = [1.0, 1 + 2**-10, 1 + 2**-10, -1 - 2**-10, 1.0, float(tf32(torch.tensor([3.0e-20])))]
    assert ours.tolist() == expected
    assert 0 < abs(ours[-1].item() / 3.0e-20 - 1) < 2**-11


@pytest.mark.parametrize("shape", SHAPES, ids="{0[0]} rows, {0[1]} by {0[2]}".format)
def test_three_are_as_exact_as_float32(shape: tuple[int, int, int]) -> None:
    """Against float64: a root mean square below twice float32's, and a hundredth of TF32's."""
    rows, k, f = shape
    x, w, y = (random(1, *size, seed=i) for i, size in enumerate([(rows, k), (k, f), (rows, f)]))
    for product, a, b, more in ((op.product, x, w, ()), (op.correlation, x, y, (1,))):
        single = a.float(), b.float()
        exact = product(*(one.double() for one in single), *more)
        error = {
            how: float((how(product, *single, *more).double() - exact).square().mean().sqrt())
            for how in (once, thrice, plainly)
        }
        assert error[thrice] < 2 * error[plainly]
        assert error[thrice] < error[once] / 100


def test_the_kernels_equal_their_formulas() -> None:
    """In Triton's interpreter, which runs on a CPU; its float32 products are numpy's."""
    pytest.importorskip("triton", reason="Triton comes with torch for GPUs")
    words = [sys.executable, "-W", "ignore", "-m", "tests.training.conv4.interpreted"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    products, layers, single = map(float, done.stdout.split())
    assert products < 1e-12
    assert layers < 1e-10
    assert single < 1e-5


@pytest.mark.parametrize(("capability", "instruction"), [(80, "mma.sync"), (90, "wgmma")])
def test_the_kernels_compile_for_tensor_cores(capability: int, instruction: str) -> None:
    """For GPUs that are not here, by the compiler that Triton brings. With the shapes of the layers they run
    on the tensor cores, in TF32, and nowhere else; plain float32 does not."""
    triton = pytest.importorskip("triton", reason="Triton comes with torch for GPUs")
    from triton.backends.compiler import GPUTarget

    from harness.training.conv4 import triton_products as ours

    wide = {"ROWS": ours.ROWS, "COLUMNS": ours.COLUMNS, "DEPTH": ours.DEPTH}
    tall = {"HIGH": 64, "WIDE": 64, "DEPTH": ours.DEPTH, "MASKED": False}
    forward = {"K": 576, "F": 64, "x_k": 1, "w_f": 1, "ALSO": "plus"} | wide
    back = {"K": 64, "F": 576, "x_k": 1, "w_k": 1, "ALSO": ""} | wide
    summed = {"K": 576, "F": 64, "x_k": 1, "y_f": 1} | tall
    first = {"K": 10, "DEPTH": 16}, {"K": 10, "HIGH": 16, "MASKED": True}

    def lines(kernel: Any, known: dict[str, Any], **options: int) -> tuple[int, int]:
        """On the tensor cores, and off them."""
        names = kernel.arg_names
        types = dict.fromkeys(names, "i32") | dict.fromkeys(known, "constexpr")
        types |= dict.fromkeys({"x", "w", "y", "out", "over", "parts"} & set(names), "*fp32")
        constants = {(names.index(name),): value for name, value in known.items()}
        source = triton.compiler.ASTSource(fn=kernel, signature=types, constexprs=constants)
        made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
        code = made.asm["ptx"].splitlines()
        on = [line for line in code if ("wgmma" in line or "mma.sync" in line) and ".tf32" in line]
        assert all(instruction in line for line in on if known.get("HIGH") != 16)
        return len(on), len([line for line in code if "fma.rn.f32" in line])

    for kernel, known, options in (
        (ours._product, forward, {"num_warps": 8}),
        (ours._product, back, {"num_warps": 8}),
        (ours._product, forward | first[0] | {"ALSO": "relu"}, {"num_warps": 8}),
        (ours._product, forward | first[0] | {"ALSO": "mask"}, {"num_warps": 8}),
        (ours._correlation, summed, {}),
        (ours._correlation, summed | first[1], {}),
    ):
        on, off = lines(kernel, known | {"PRECISION": "tf32x3"}, **options)
        assert on > 0
        assert off == 0
        if known["K"] == 10:
            on, off = lines(kernel, known | {"PRECISION": "ieee"}, **options)
            assert on == 0
            assert off > 0
