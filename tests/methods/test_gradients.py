"""What an iteration of each method computes, counted, and what the method says of it."""

from __future__ import annotations

import pytest
import torch

from harness.cell import Cell, Protocol
from harness.methods import METHODS
from harness.paper import counters
from harness.problems.setting import MAX_ITERATIONS
from harness.training.autodiff import LoopedEngine, MappedEngine
from harness.training.pack import Pack
from tests.conftest import SMALL
from tests.methods.test_methods import HYPER, SINUSOID, every, variant
from tests.training import own

STEPS = pytest.mark.parametrize("inner_steps", [1, 3])


def pack(protocol: Protocol, method: str) -> Pack:
    """One cell, one task at a time. It does not validate after iteration 1."""
    quiet = variant(protocol, validation_every=MAX_ITERATIONS)
    return Pack([Cell(protocol=quiet, method=method, hyper=HYPER[method], seed=0)], torch.device("cpu"), 1)


def counted(of: Pack) -> int:
    """Backward passes of iteration 2."""
    with counters.counting() as passes:
        of.advance(range(2, 3))
    return counters.backward(passes)


def said(protocol: Protocol, method: str) -> int:
    """Of all tasks of an iteration, by the method."""
    return protocol.meta_batch * METHODS[method].gradients(HYPER[method], protocol)


@every
@STEPS
@pytest.mark.usefixtures("noise")
def test_what_a_method_says_is_what_conv4_computes(method: str, inner_steps: int) -> None:
    protocol = variant(SMALL, inner_steps=inner_steps)
    assert counted(pack(protocol, method)) == said(protocol, method)


@pytest.mark.parametrize("method", ["maml", "alpha-maml", "anil", "meta-sgd"])
@STEPS
@pytest.mark.usefixtures("noise")
def test_and_in_first_order(method: str, inner_steps: int) -> None:
    """A gradient for each step and one of the query loss, of 3 tasks."""
    protocol = variant(SMALL, inner_steps=inner_steps, first_order=True)
    assert counted(pack(protocol, method)) == said(protocol, method) == 3 * (inner_steps + 1)


@every
@STEPS
def test_and_what_torch_computes_task_by_task(
    method: str, inner_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For convolutions on a CPU each gradient and each product is a call of torch.autograd.grad, which enters
    itself once more to pass by the mode of training/batchnorm.py."""
    protocol = variant(own.protocol(monkeypatch), inner_steps=inner_steps)
    of = pack(protocol, method)
    assert isinstance(of.engine, LoopedEngine)
    assert counted(of) == 2 * said(protocol, method)


@every
@STEPS
def test_and_what_torch_computes_for_all_tasks_at_once(method: str, inner_steps: int) -> None:
    """Elsewhere torch.func takes them of all tasks in one call: as many calls as a task has gradients, until
    the operations are recorded, and then none."""
    protocol = variant(SINUSOID, inner_steps=inner_steps)
    of = pack(protocol, method)
    of.engine.chunk = protocol.meta_batch
    assert isinstance(of.engine, MappedEngine)
    assert counted(of) * protocol.meta_batch == said(protocol, method)


@pytest.mark.parametrize(
    ("method", "gradients"), [("maml", 7), ("alpha-maml", 7), ("meta-sgd", 7), ("fomaml", 4), ("reptile", 3)]
)
def test_with_three_steps(method: str, gradients: int) -> None:
    """Three by the support loss, one by the query loss, three products; Reptile's steps are its own."""
    assert METHODS[method].gradients(HYPER[method], variant(SMALL, inner_steps=3)) == gradients
