"""Two engines, one meaning: parts of a pack add up, and the fast path
for Conv-4 equals the general one. All in float64."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from harness.cell import Protocol, protocol_of
from harness.methods import METHODS
from harness.methods.base import Adapted, MetaGradient
from harness.problems import Batch, Problem, problem_of
from harness.problems.networks import Built, built
from harness.training.autodiff import LoopedEngine, MappedEngine
from harness.training.conv4 import Conv4Engine
from harness.training.engine import Engine, mask_of
from harness.training.pack import initial
from tests.conftest import SMALL
from tests.training.plain import named, plain_scores

CPU, ALL = torch.device("cpu"), 10**6
GENERAL = (MappedEngine, LoopedEngine)
"""The general engine's two ways: all tasks at a time, or one after another."""
H = 1e-7
"""Step of the differences: at 1e-6 some already cross a kink of a ReLU."""
SINUSOID = protocol_of(problem="sinusoid", precision="float64", meta_batch=3, width=6, k_query=7)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Some cells before an iteration."""

    protocol: Protocol
    problem: Problem
    network: Built
    weights: Tensor
    """[cells, P], moved off special values such as 0 and 1."""
    batch: Batch

    def engine(self, kind: type[Engine], chunk: int = ALL, mask: Tensor | None = None) -> Engine:
        return kind(self.protocol, self.problem, self.network, mask, chunk)

    def rates(self, kind: str) -> Tensor:
        """[cells, n] or [cells, steps, n] about .1, all different."""
        layout = self.network.layout
        numbers = {"one": 1, "tensors": len(layout.adapted), "weights": layout.adapted_size}
        steps = (self.protocol.inner_steps,) if kind.startswith("steps, ") else ()
        shape = (len(self.weights), *steps, numbers[kind.removeprefix("steps, ")])
        return 0.05 + 0.1 * torch.rand(shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


RATES = ("one", "tensors", "weights", "steps, one", "steps, tensors", "steps, weights")


def case(protocol: Protocol, cells: int = 2, own_tasks: bool = False) -> Case:
    problem = problem_of(protocol)
    network = built(protocol, *problem.shape())
    weights = initial(network, protocol, range(cells))
    noise = torch.randn(weights.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    batch = problem.batch(range(cells if own_tasks else 1), "train", 1, CPU, torch.float64)
    return Case(
        protocol=protocol, problem=problem, network=network, weights=weights + 0.1 * noise, batch=batch
    )


def meta(engine: Engine, of: Case, rates: Tensor) -> MetaGradient:
    """With the squares, which both engines are to agree on too."""
    p = of.protocol
    return engine.meta_gradient(of.weights, rates, of.batch, p.inner_steps, p.first_order, squares=True)


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("kind", ["one", "steps, weights"])
@pytest.mark.parametrize("engine", [Conv4Engine, *GENERAL])
def test_the_squares_change_nothing_else(engine: type[Engine], kind: str) -> None:
    """Bit for bit; and the product is no longer than its factors."""
    of = case(variant(inner_steps=2))
    one, rates = of.engine(engine), of.rates(kind)
    with_squares = meta(one, of, rates)
    without = one.meta_gradient(of.weights, rates, of.batch, 2, False)
    assert without.squares == ()
    for name in ("loss", "gradient", "by_rates"):
        assert torch.equal(getattr(without, name), getattr(with_squares, name)), name
    q, g = with_squares.squares
    assert q.shape == g.shape == rates.shape
    assert (with_squares.by_rates**2 <= q * g * (1 + 1e-9)).all()


def test_an_engine_may_be_asked_for_one_rate_and_for_rates_of_steps() -> None:
    of = case(SINUSOID.model_copy(update={"inner_steps": 2}))
    engine = of.engine(MappedEngine)
    for kind in ("one", "steps, one"):
        assert meta(engine, of, of.rates(kind)).by_rates.shape == of.rates(kind).shape


def adapted(engine: Engine, of: Case, rates: Tensor) -> Adapted:
    return engine.adapted(of.weights, rates, of.batch, of.protocol.inner_steps)


def close(ours: object, expected: object, rtol: float = 1e-10) -> None:
    """Relative to each number, or to a thousandth of the largest where terms cancel."""
    if isinstance(expected, Tensor):
        largest = float(expected.abs().max()) if expected.numel() else 0.0
        torch.testing.assert_close(ours, expected, rtol=rtol, atol=rtol * 1e-3 * largest)
        return
    for one, other in zip(ours, expected, strict=True):
        close(one, other, rtol)


def variant(**fields: object) -> Protocol:
    return protocol_of(**SMALL.model_dump() | fields)


# The fast path and the general engine.

READINGS = {
    "small": {},
    "paper's depth": {"layers": 4, "filters": 3},
    "1 layer": {"layers": 1},
    "3 layers, 2-way": {"layers": 3, "n_way": 2},
    "3 shots, 2 queries": {"k_shot": 3, "k_query": 2},
    "2 shots, 4 queries": {"n_way": 3, "k_shot": 2, "k_query": 4, "inner_steps": 2},
    "2 steps": {"inner_steps": 2},
    "3 steps": {"inner_steps": 3},
    "first order": {"first_order": True},
    "first order, 3 steps": {"first_order": True, "inner_steps": 3, "norm_adapted": True},
    "sum over tasks": {"task_reduction": "sum", "inner_steps": 2},
    "sum over shots": {"loss_scale": "sum_over_shots", "k_shot": 2, "inner_steps": 2},
    "both sums": {"task_reduction": "sum", "loss_scale": "sum_over_shots", "first_order": True},
    "norm's scale": {"norm_scale": True, "norm_eps": 0.1},
    "norm adapted": {"norm_adapted": True, "inner_steps": 2},
    "scale adapted": {"norm_scale": True, "norm_adapted": True, "inner_steps": 3, "layers": 3},
}


@pytest.mark.parametrize("fields", READINGS.values(), ids=READINGS)
def test_the_network_in_torchs_operators_is_the_papers(fields: dict) -> None:
    """What the general engine trains in place of the fast path, against the network as one reads it."""
    protocol = variant(**fields)
    network = built(protocol, (1, 28, 28), protocol.n_way)
    generator = torch.Generator().manual_seed(1)
    flat = initial(network, protocol, [0])[0]
    flat = flat + 0.1 * torch.randn(flat.shape, generator=generator, dtype=torch.float64)
    images = torch.rand(6, 1, 28, 28, generator=generator, dtype=torch.float64)
    scores = plain_scores(protocol, named(protocol, flat), images.movedim(1, -1))
    torch.testing.assert_close(
        network.apply(network.layout.named(flat), images), scores, rtol=1e-12, atol=1e-14
    )


def both_agree(of: Case, rates: Tensor, mask: Tensor | None = None, chunk: int = ALL) -> None:
    fast = of.engine(Conv4Engine, chunk, mask)
    ours, moved = meta(fast, of, rates), adapted(fast, of, rates)
    assert ours.by_rates.shape == rates.shape
    for general in (of.engine(kind, chunk, mask) for kind in GENERAL):
        close(ours, meta(general, of, rates))
        close(moved, adapted(general, of, rates))


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("kind", ["one", "steps, weights"])
@pytest.mark.parametrize("fields", READINGS.values(), ids=READINGS)
def test_the_fast_path_equals_the_general_engine(fields: dict, kind: str) -> None:
    of = case(variant(**fields))
    both_agree(of, of.rates(kind))


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("kind", RATES)
@pytest.mark.parametrize("first_order", [False, True], ids=["second order", "first order"])
def test_they_agree_for_all_kinds_of_rates(kind: str, first_order: bool) -> None:
    of = case(variant(inner_steps=3, first_order=first_order, norm_adapted=True), own_tasks=True)
    both_agree(of, of.rates(kind))


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("kind", RATES)
def test_they_agree_where_the_head_alone_is_adapted(kind: str) -> None:
    of = case(variant(inner_steps=2, meta_batch=2))  # a mean of two equal numbers is exact
    mask = mask_of(METHODS["anil"], of.network, CPU)
    both_agree(of, of.rates(kind), mask)
    before, after = of.weights, adapted(of.engine(MappedEngine, ALL, mask), of, of.rates(kind)).weights
    size = of.network.layout.adapted_size
    assert torch.equal(before[:, size:], after[:, size:])
    assert torch.equal((before != after)[:, :size], mask.bool().expand(2, -1))


@pytest.mark.parametrize("kind", RATES)
def test_a_rate_counts_for_what_the_method_adapts(kind: str) -> None:
    """Its derivative is that of the loss as it is: 0 where nothing moves, by differences elsewhere."""
    of = case(protocol_of(**SINUSOID.model_dump() | {"inner_steps": 2}))
    mask = mask_of(METHODS["anil"], of.network, CPU)
    engine, rates = of.engine(MappedEngine, ALL, mask), of.rates(kind) / 5
    along = torch.rand(rates.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    up, down = (adapted(engine, of, rates + h * along).loss for h in (H, -H))
    ours = meta(engine, of, rates).by_rates
    torch.testing.assert_close((ours * along).flatten(1).sum(1), (up - down) / (2 * H), rtol=1e-6, atol=1e-9)
    if "weights" in kind:
        assert not ours[..., mask == 0].any()
        assert ours[..., mask == 1].any(-1).all()


@pytest.mark.usefixtures("noise")
def test_they_agree_with_rates_below_zero_and_at_zero() -> None:
    of = case(variant(inner_steps=2))
    rates = of.rates("weights") - 0.1
    rates[:, ::3] = 0
    both_agree(of, rates)


# In parts.

PARTS = [1, 2, 3, 4, 7]
"""Pairs at once, of 3 cells and 3 tasks: fewer than the cells, as many, more, with a rest."""


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("own_tasks", [False, True], ids=["shared tasks", "own tasks"])
@pytest.mark.parametrize("chunk", PARTS)
@pytest.mark.parametrize("engine", [Conv4Engine, *GENERAL])
def test_parts_of_a_pack_add_up(engine: type[Engine], chunk: int, own_tasks: bool) -> None:
    of = case(variant(layers=1, n_way=2), cells=3, own_tasks=own_tasks)
    parts_add_up(of, engine, chunk, of.rates("one"))


@pytest.mark.parametrize("chunk", PARTS)
def test_parts_of_a_pack_of_sinusoids_add_up(chunk: int) -> None:
    of = case(protocol_of(**SINUSOID.model_dump() | {"inner_steps": 2}), cells=3, own_tasks=True)
    for kind in RATES:
        parts_add_up(of, MappedEngine, chunk, of.rates(kind))


def parts_add_up(of: Case, kind: type[Engine], chunk: int, rates: Tensor) -> None:
    whole, in_parts = (of.engine(kind, size) for size in (ALL, chunk))
    close(meta(in_parts, of, rates), meta(whole, of, rates), 1e-12)
    close(adapted(in_parts, of, rates), adapted(whole, of, rates), 1e-12)


# The general engine, plainly.
