"""The kernels in C against the formulas that they stand for, in float64, and what they must not depend on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from harness.bench.threads import threads
from harness.cell import Cell, Question
from harness.methods import maml
from harness.problems.episodes import Images
from harness.training.conv4 import derivatives, meta_gradient, native
from harness.training.conv4 import operators as op
from harness.training.conv4.chosen import operators_for
from harness.training.conv4.native import NATIVE
from harness.training.conv4.table import PLAIN
from harness.training.loop import train
from tests.training.conv4.test_derivatives import moved, random_images, variant
from tests.training.conv4.test_operators import EPS, close, random

C, F = 16, 48  # what any processor takes; F is no whole number of tiles
WIDE = variant(filters=16, layers=4, norm_scale=True, norm_adapted=True, inner_steps=2)

pytestmark = pytest.mark.skipif(not native.knows(C, torch.float64), reason="no C compiler")


@pytest.fixture(params=[1, 3], ids="{} threads".format, autouse=True)
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    with threads(request.param):
        yield


def parts_of_flat(shared: int, *shape: int, seed: int) -> Tensor:
    """[shared, *shape], but not contiguous: as weights lie in flat vectors."""
    size = torch.Size(shape).numel()
    return random(shared, size + 7, seed=seed)[:, 3 : 3 + size].unflatten(1, shape)


@pytest.mark.parametrize("shared", [4, 2, 1], ids="weights for each {} of 4 groups".format)
@pytest.mark.parametrize("side", [28, 14, 7, 4, 2, 1])
def test_convolution(side: int, shared: int) -> None:
    shape = (4, 3, side, side, C)
    x, other, w = random(*shape), random(*shape, seed=1), parts_of_flat(shared, 9 * C, F, seed=2)
    w_dot = parts_of_flat(4, 9 * C, F, seed=3)
    rows = 3 * op.halved(side) ** 2
    dy, dy_dot = random(4, rows, F, seed=4), random(4, rows, F, seed=5)
    plain_x, plain_other = (PLAIN.input(one, shape, 2) for one in (x, other))

    close(NATIVE.convolve(x, w, None), PLAIN.convolve(plain_x, w, None))
    close(NATIVE.convolve(x, w, dy.clone()), PLAIN.convolve(plain_x, w, dy.clone()))
    for pairs in ([(dy, w)], [(dy, w), (dy_dot, w_dot)]):
        close(NATIVE.by_input(pairs, shape, 2), PLAIN.by_input(pairs, shape, 2))
    out, expected = (parts_of_flat(shared, 9 * C, F, seed=6) for _ in range(2))
    NATIVE.by_weights([(x, dy)], out)
    PLAIN.by_weights([(plain_x, dy)], expected)
    close(out, expected)
    NATIVE.by_weights([(x, dy), (other, dy_dot)], out)
    PLAIN.by_weights([(plain_x, dy), (plain_other, dy_dot)], expected)
    close(out, expected)


def test_weights_gradient_of_more_rows_than_a_partial_sum_has() -> None:
    x, dy = random(1, 40, 7, 7, C), random(1, 40 * 16, F, seed=1)
    out = random(1, 9 * C, F)
    NATIVE.by_weights([(x, dy)], out)
    close(out, op.correlation(op.windows(x), dy, 1))


@pytest.mark.parametrize("rows", [3, 300])
def test_norm_relu(rows: int) -> None:
    shape, small = (2, rows, F), (2, 1, F)
    x, dy, x_dot, dy_dot = (random(*shape, seed=seed) for seed in range(4))
    scale, shift, scale_dot, shift_dot = (random(*small, seed=seed) for seed in range(4, 8))
    results = []
    for table in (NATIVE, PLAIN):
        at = table.norm_relu(x.clone(), scale, shift, EPS)
        *gradient, pulled = table.norm_relu_gradient(at, dy.clone())
        tangent, pushed = table.norm_relu_tangent(at, x_dot.clone(), scale_dot, shift_dot)
        bent = table.norm_relu_gradient_tangent(at, pulled, pushed, dy_dot, scale_dot)
        results.append((*at, *gradient, tangent, *bent))
    for ours, expected in zip(*results, strict=True):
        close(ours, expected)


@pytest.mark.parametrize("side", [28, 9])
def test_first_block(side: int) -> None:
    images, rows = random(2, 3, side, side, 1), 3 * op.halved(side) ** 2
    w, w_dot = random(2, 9, F, seed=1), random(2, 9, F, seed=2)
    scale, shift, scale_dot, shift_dot = (random(2, 1, F, seed=seed) for seed in range(3, 7))
    dy, dy_dot = random(2, rows, F, seed=7), random(2, rows, F, seed=8)
    results = []
    for table in (NATIVE, PLAIN):
        of = table.patches(images, False)
        at = table.first_block(of, w, scale, shift, EPS)
        *gradient, pulled = table.first_block_gradient(of, at, w, dy)
        tangent, r_dot = table.first_block_tangent(of, at, w, w_dot, scale_dot, shift_dot)
        bent = table.first_block_gradient_tangent(of, at, pulled, w, r_dot, w_dot, scale_dot, dy_dot)
        results.append((*of, *at, *gradient, tangent, r_dot, *bent))
    for ours, expected in zip(*results, strict=True):
        close(ours, expected)


@pytest.mark.parametrize("shared", [4, 2, 1], ids="weights for each {} of 4 groups".format)
def test_all_layers(shared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, images = moved(WIDE, shared), random_images(WIDE, 4)
    along = random(4, weights.shape[1], seed=3)
    results = []
    assert operators_for(WIDE, weights) is NATIVE
    for table in (NATIVE, PLAIN):
        monkeypatch.setattr(derivatives, "operators_for", lambda *_, table=table: table)
        loss = derivatives.loss(WIDE, weights, derivatives.cut(WIDE, images))
        gradient = derivatives.gradient(WIDE, loss)
        bent = derivatives.hessian_product(WIDE, loss, gradient, along)
        results.append((loss.mean, loss.scores, gradient.flat, bent))
    for ours, expected in zip(*results, strict=True):
        close(ours, expected)


def test_the_number_of_threads_changes_no_bit() -> None:
    weights, images = moved(WIDE, 2).float(), random_images(WIDE, 4).float()

    def computed() -> list[Tensor]:
        loss = derivatives.loss(WIDE, weights, derivatives.cut(WIDE, images))
        gradient = derivatives.gradient(WIDE, loss)
        along = gradient.flat.flip(1)
        return [loss.mean, gradient.flat, derivatives.hessian_product(WIDE, loss, gradient, along)]

    ours = computed()
    with threads(1):
        for one, expected in zip(ours, computed(), strict=True):
            assert torch.equal(one, expected)


def test_nan_stays_nan() -> None:
    """A cell that diverges has to be seen: where y is nan, so are its ReLU and what comes back."""
    x = random(1, 12, F)
    x[0, 5, 3] = torch.nan
    ones = torch.ones(1, 1, F).double()
    at = NATIVE.norm_relu(x, ones, ones, EPS)
    assert at.y[..., 3].isnan().all()
    assert NATIVE.norm_relu_gradient(at, random(1, 12, F))[0][..., 3].isnan().all()
    assert not at.y[..., 4].isnan().any()


def test_other_numbers_of_filters_are_left_to_the_formulas() -> None:
    assert operators_for(variant(filters=5), moved(variant(filters=5), 1)) is PLAIN


def test_float32_has_its_digits() -> None:
    """As near to float64 as the formulas in float32 are."""
    x, dy = random(2, 20, 14, 14, C), random(2, 980, F, seed=1)
    out = torch.empty(2, 9 * C, F)
    NATIVE.by_weights([(x.float(), dy.float())], out)
    exact = op.correlation(op.windows(x), dy, 2)
    formula = op.correlation(op.windows(x.float()), dy.float(), 2)
    assert (out - exact).norm() <= 2 * (formula - exact).norm()


@pytest.mark.parametrize("filters", [16, 5])
def test_records_say_whether_it_was_compiled(filters: int) -> None:
    protocol = variant(filters=filters, precision="float32")
    cell = Cell(protocol=protocol, method="maml", hyper=maml.Hyper(alpha0=0.1, beta0=1e-3), seed=0)
    (record,) = train([cell], Question(target_loss=None, max_iterations=1))
    assert record.header.provenance.get("compiled") == (True if filters == 16 else None)


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_a_pack_that_fills_a_chunk_equals_its_cells(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many cells as pairs go through at once, each group has weights of its own from the start."""
    weights, images = moved(WIDE, 4), random_images(WIDE, 6).unflatten(0, (2, 3))
    batch = Images(images[:1], images[1:])
    rates = torch.full((4, 1), 0.1, dtype=torch.float64)
    ours = meta_gradient(WIDE, weights, rates, batch, chunk)
    monkeypatch.setattr(derivatives, "operators_for", lambda *_: PLAIN)
    expected = meta_gradient(WIDE, weights, rates, batch, chunk)
    for one, other in zip(ours, expected, strict=True):
        close(one, other)
