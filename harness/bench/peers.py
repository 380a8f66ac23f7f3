"""The peers: the same meta-gradient by the libraries that one would use instead, and by torch alone.

Each is written as its users would write it, after the library's own example of MAML on Omniglot. All of them
share the network and the loss of torchnet.py. What a user builds once (network, optimizers, tasks on the
device) is built before the clock starts; what a user runs in every meta-iteration, up to the gradients of the
meta-loss, is timed. The libraries are loaded when they are needed and may be missing.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.bench.torchnet import LOSSES, Task, gradient, network, tasks
from harness.bench.workload import Answer, Prepare, Program, Workload
from harness.problems.datasets.omniglot import torchvision_omniglot

LAYOUTS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}

Loop = Callable[[nn.Module, list[Task], Workload], Callable[[], Tensor]]
"""Builds a peer's meta-iteration: it returns the mean query loss and leaves the meta-gradient in `.grad`."""


def _learn2learn(net: nn.Module, batch: list[Task], work: Workload) -> Callable[[], Tensor]:
    """examples/vision/maml_omniglot.py"""
    criterion = LOSSES[work.protocol.problem]
    maml = _load("learn2learn").algorithms.MAML(net, lr=work.alpha)

    def step() -> Tensor:
        net.zero_grad()
        losses = []
        for task in batch:
            learner = maml.clone()
            for _ in range(work.protocol.inner_steps):
                learner.adapt(criterion(learner(task.support), task.support_targets))
            loss = criterion(learner(task.query), task.query_targets) / len(batch)
            loss.backward()
            losses.append(loss.detach())
        return torch.stack(losses).sum()

    return step


def _higher(net: nn.Module, batch: list[Task], work: Workload) -> Callable[[], Tensor]:
    """examples/maml-omniglot.py"""
    criterion = LOSSES[work.protocol.problem]
    higher = _load("higher")
    inner = torch.optim.SGD(net.parameters(), lr=work.alpha)

    def step() -> Tensor:
        net.zero_grad()
        losses = []
        for task in batch:
            with higher.innerloop_ctx(net, inner, copy_initial_weights=False) as (fast, optimizer):
                for _ in range(work.protocol.inner_steps):
                    optimizer.step(criterion(fast(task.support), task.support_targets))
                loss = criterion(fast(task.query), task.query_targets) / len(batch)
                loss.backward()
                losses.append(loss.detach())
        return torch.stack(losses).sum()

    return step


def _torchopt(net: nn.Module, batch: list[Task], work: Workload) -> Callable[[], Tensor]:
    """examples/few-shot/maml_omniglot.py: MetaSGD, one backward pass for all tasks"""
    criterion = LOSSES[work.protocol.problem]
    torchopt = _load("torchopt")
    inner = torchopt.MetaSGD(net, lr=work.alpha)

    def step() -> Tensor:
        net.zero_grad()
        losses = []
        start = torchopt.extract_state_dict(net, by="reference", detach_buffers=True)
        fresh = torchopt.extract_state_dict(inner, by="reference")
        for task in batch:
            for _ in range(work.protocol.inner_steps):
                inner.step(criterion(net(task.support), task.support_targets))
            losses.append(criterion(net(task.query), task.query_targets))
            torchopt.recover_state_dict(net, start)
            torchopt.recover_state_dict(inner, fresh)
        loss = torch.stack(losses).mean()
        loss.backward()
        return loss.detach()

    return step


def _torchopt_functional(net: nn.Module, batch: list[Task], work: Workload) -> Callable[[], Tensor]:
    """The same with `torchopt.sgd` and `apply_updates`, one backward pass per task"""
    criterion = LOSSES[work.protocol.problem]
    torchopt = _load("torchopt")
    inner = torchopt.sgd(lr=work.alpha)
    start: dict[str, Tensor] = dict(net.named_parameters())

    def step() -> Tensor:
        net.zero_grad()
        losses = []
        for task in batch:
            fast, state = start, inner.init(start)
            for _ in range(work.protocol.inner_steps):
                loss = criterion(functional_call(net, fast, task.support), task.support_targets)
                gradients = torch.autograd.grad(loss, tuple(fast.values()), create_graph=True)
                updates, state = inner.update(dict(zip(fast, gradients, strict=True)), state, inplace=False)
                fast = torchopt.apply_updates(fast, updates, inplace=False)
            loss = criterion(functional_call(net, fast, task.query), task.query_targets) / len(batch)
            loss.backward()
            losses.append(loss.detach())
        return torch.stack(losses).sum()

    return step


def _plain(net: nn.Module, batch: list[Task], work: Workload) -> Callable[[], Tensor]:
    """torch.func.functional_call and autograd, task by task"""
    criterion = LOSSES[work.protocol.problem]
    start: dict[str, Tensor] = dict(net.named_parameters())

    def step() -> Tensor:
        net.zero_grad()
        losses = []
        for task in batch:
            fast = start
            for _ in range(work.protocol.inner_steps):
                loss = criterion(functional_call(net, fast, task.support), task.support_targets)
                gradients = torch.autograd.grad(loss, tuple(fast.values()), create_graph=True)
                fast = {name: fast[name] - work.alpha * g for name, g in zip(fast, gradients, strict=True)}
            loss = criterion(functional_call(net, fast, task.query), task.query_targets) / len(batch)
            loss.backward()
            losses.append(loss.detach())
        return torch.stack(losses).sum()

    return step


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A library, or torch alone, and the ways of using it."""

    loops: dict[str, Loop]
    """The part of it that is used -> how."""
    install: str | None = None
    """How to get it; None: nothing to install."""


PEERS: dict[str, Peer] = {
    "learn2learn": Peer(loops={"MAML": _learn2learn}, install="make bench builds it"),
    "higher": Peer(loops={"innerloop_ctx": _higher}, install="pip install higher==0.2.1"),
    "torchopt": Peer(
        loops={"MetaSGD": _torchopt, "functional": _torchopt_functional},
        install="pip install torchopt==0.7.3",
    ),
    "torch": Peer(loops={"plain loop": _plain}),
}
"""By the name of the package."""

LIBRARIES = ("learn2learn", "higher", "torchopt")
"""Those that ours is compared with; the plain loop is what one writes without any library."""


def missing(package: str) -> str | None:
    """Why a peer cannot be used here; None: it can."""
    try:
        _load(package)
    except ModuleNotFoundError as error:
        if error.name == package:
            return f"not installed: {PEERS[package].install}"
        return f"cannot be imported: {error}; {PEERS[package].install}"
    except Exception as error:  # an old library beside new ones may break in any way
        return f"cannot be imported: {error}"
    return None


def programs(
    package: str, layouts: Sequence[str] = tuple(LAYOUTS)
) -> Iterator[tuple[str, str | None, Prepare]]:
    """Name, memory layout and preparation of every way of using a peer that is installed.

    layouts: some of LAYOUTS; none: the inputs are no images, and there is only one.
    """
    release = version(package).split("+")[0]
    for use, loop in PEERS[package].loops.items():
        name = f"{package} {release} {use}"
        for memory in layouts:
            yield f"{name}, {memory}", memory, _preparation(loop, memory)
        if not layouts:
            yield name, None, _preparation(loop, "contiguous")


def _preparation(loop: Loop, memory: str) -> Prepare:
    def prepare(work: Workload) -> Program:
        net = network(work)
        net.to(memory_format=LAYOUTS[memory])  # type: ignore[call-overload]
        step = loop(net, tasks(work, LAYOUTS[memory]), work)

        def answer(loss: Tensor) -> Answer:
            return Answer(loss.double().reshape(1), gradient(work.network, net).unsqueeze(0))

        return Program(step=step, answer=answer)

    return prepare


def _load(package: str) -> Any:
    """The package, without the output and warnings of it and of what it loads (torchvision, gym)."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        if package == "learn2learn":
            torchvision_omniglot()  # leaves a torchvision that can be imported beside any torch
        return importlib.import_module(package)
