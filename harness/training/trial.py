"""What a user brings, tried on a task before anything trains: what cannot be trained is refused in one line.

Nothing of harness's own is tried: its tests do that.
"""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from harness.cell import Cell, Protocol, alike, with_tuples
from harness.common import plugins
from harness.common.errors import UserError
from harness.methods import METHODS
from harness.methods.base import State
from harness.problems import PROBLEMS, problem_of
from harness.problems.networks import NETWORKS
from harness.records import provenance
from harness.training import replay
from harness.training.pack import Pack
from harness.training.trial_parts import (
    TESTED,
    Wrong,
    check_curves,
    check_states,
    check_tasks,
    loss_of,
    outputs_of,
    shape_of,
    started,
    tensor_of,
)

MOST = 16
"""Cells of one protocol and method that are tried until the loss of one is finite."""
TOGETHER = 3
"""Iterations after which cells that influence each other differ: under Adam the first two hardly tell."""


def check(cells: Sequence[Cell]) -> None:
    """UserError: a problem, network or method that a plug-in brings cannot be trained, or no cell has a
    finite loss at iteration 1."""
    groups: dict[tuple[Protocol, str], list[Cell]] = {}
    for cell in cells:
        if provenance.others(cell):
            groups.setdefault((cell.protocol, cell.method), []).append(cell)
    for protocol in dict.fromkeys(protocol for protocol, _ in groups):
        _check_protocol(protocol)
    tried = [_check_method(group) for group in groups.values()]
    if cells and not any(tried) and sum(map(len, groups.values())) == len(cells):
        raise UserError(
            f"{_prefix(cells[0])}the loss is not finite at iteration 1 of any cell, not even with the "
            "smallest rates; look at the loss, the scale of the inputs and the first weights"
        )


def check_test(protocol: Protocol) -> None:
    """UserError: a plug-in's problem has no tasks that a meta-test could take. Nothing of harness's own is
    tried."""
    module = PROBLEMS.module(protocol.problem)
    if not plugins.is_ours(module):
        with _said(f"problem '{protocol.problem}'", module):
            problem = problem_of(protocol)
            check_tasks(protocol, shape_of(problem.shape()), TESTED)
            check_curves(problem)


def _check_protocol(protocol: Protocol) -> None:
    """Its fields, its problem and its network, without a method."""
    _check_kept(protocol)
    problem_module, network_module = PROBLEMS.module(protocol.problem), NETWORKS.module(protocol.network)
    what = f"problem '{protocol.problem}'"
    with _said(what, problem_module):
        shape = shape_of(problem_of(protocol).shape())
        if not plugins.is_ours(problem_module):
            check_tasks(protocol, shape)
        tasks = problem_of(protocol).tasks(0, "train", 1)
    if plugins.is_ours(problem_module) and plugins.is_ours(network_module):
        return
    with _said(f"network '{protocol.network}'", network_module, problem_module):
        network, weights = started(protocol, shape)
        inputs, targets = (tensor_of(one, protocol)[0] for one in (tasks.query, tasks.query_targets))
        outputs = outputs_of(network, weights, inputs, shape[1])
    with _said(what, problem_module):
        loss = loss_of(problem_of(protocol), outputs, targets)
    with _said(f"network '{protocol.network}'", network_module, problem_module):
        _check_reach(protocol, loss, weights)


def _check_kept(protocol: Protocol) -> None:
    """UserError: a field's value does not come back from a record."""
    fields = protocol.model_dump()
    written = json.loads(protocol.model_dump_json())
    for brings in (PROBLEMS[protocol.problem].Fields, NETWORKS[protocol.network].Fields):
        for name in brings.model_fields:
            if with_tuples(written)[name] != fields[name]:
                raise UserError(
                    f"protocol: {name} is {fields[name]!r}, which no record can keep; use numbers, texts, "
                    "flags and tuples of them"
                )


def _check_reach(protocol: Protocol, loss: Tensor, weights: dict[str, Tensor]) -> None:
    """UserError: the loss does not reach some weights."""
    if not loss.requires_grad:
        within = plugins.within(PROBLEMS.module(protocol.problem))
        raise UserError(
            f"{within}problem '{protocol.problem}': its loss cannot be differentiated: it does not depend on "
            "the outputs, or is detached from them"
        )
    slopes = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    missed = [name for name, slope in zip(weights, slopes, strict=True) if slope is None]
    if missed:
        names = ", ".join(missed[:3]) + ", ..." * (len(missed) > 3)
        within = plugins.within(NETWORKS.module(protocol.network))
        raise UserError(
            f"{within}network '{protocol.network}': the loss does not reach its parameters {names}; "
            "leave them out, or give them requires_grad=False"
        )


def _check_method(cells: Sequence[Cell]) -> bool:
    """One iteration of the cells that go furthest last. Returns whether the loss of one is finite."""
    method, parts = METHODS[cells[0].method], provenance.others(cells[0])
    modules = [METHODS.module(cells[0].method), *(part.module for part in parts)]
    for cell in sorted(cells, key=lambda one: one.hyper.pace())[:MOST]:
        with _said(f"method '{cell.method}'", *dict.fromkeys(modules)):
            pack = Pack([cell], torch.device("cpu"))
            before, copied = pack.state, replay.each(torch.clone, pack.state)
            (moment,) = pack.advance(range(1, 2))
            check_states(before, copied, pack.state)
            sizes = [tuple(torch.as_tensor(one).shape) for one in moment.recorded]
            if sizes != [(1,)] * len(method.columns):
                raise Wrong(
                    f"record gives {sizes}; it must give [cells] for each of {', '.join(method.columns)}"
                )
            if math.isfinite(moment.loss.item()):
                if not plugins.is_ours(modules[0]):
                    _check_apart(cell, cells)
                return True
    return False


def _check_apart(cell: Cell, others: Sequence[Cell]) -> None:
    """Raises Wrong unless some iterations, in float64, lead a cell to the same state alone and beside
    another. A norm over the gradients of all cells does not, nor does what is kept outside the state."""
    beside = next((one for one in others if one != cell and alike(one) == alike(cell)), cell)
    fields = {"precision": "float64", "meta_batch": min(2, cell.protocol.meta_batch), "validation_tasks": 1}
    protocol = cell.protocol.model_copy(update=fields)
    mine = cell.model_copy(update={"protocol": protocol})
    other = beside.model_copy(update={"protocol": protocol, "seed": (cell.seed + 1) % 2**63})
    try:
        alone, _ = _states(mine)
    except RuntimeError:  # of a network that can do float32 alone
        return
    together, recorded = _states(other, mine)
    for one, two in zip(alone[1:], together[1:], strict=True):
        if not _same(alone[0], one, two):
            raise Wrong(
                "a cell that is trained again, beside another, ends elsewhere; what it returns must depend "
                "on its arguments alone, for each cell apart: the cells are the first axis of every tensor, "
                "so reduce over the others, as in norm(dim=1, keepdim=True)"
            )
    if [len(one) for one in recorded] != [2] * len(recorded):
        raise Wrong("record gives one number for two cells; it must give [cells] for each of its columns")


def _states(*cells: Cell) -> tuple[list[State], tuple[Tensor, ...]]:
    """Of a pack of these cells before and after each of TOGETHER iterations; and what the first recorded."""
    pack = Pack(cells, torch.device("cpu"))
    moments = pack.advance(range(1, TOGETHER + 1))
    return [*(moment.state for moment in moments), pack.state], moments[0].recorded


def _same(before: State, alone: State, together: State) -> bool:
    """Whether the second of two cells is where it is alone. What is not finite is not compared."""
    for was, one, two in zip(*map(replay.leaves, (before, alone, together)), strict=True):
        moved = 1e-3 * (one - was).double().norm() + 1e-9 * was.double().norm()
        if len(two) != 2 or (one.isfinite().all() and (one - two[1:]).double().norm() > moved):
            return False
    return True


@contextmanager
def _said(what: str, *modules: str) -> Iterator[None]:
    """Errors in this block are UserErrors that name `what`, the plug-in, and the line in it.

    modules: those that may be at fault, the first of them if no other is seen in the traceback.
    """
    try:
        yield
    except Exception as error:
        files = {module: plugins.file_of(module) for module in modules if not plugins.is_ours(module)}
        at = next(iter(files), modules[0])
        prefix = plugins.within(at)
        if isinstance(error, Wrong | UserError):
            text = str(error)
            if isinstance(error, Wrong):
                text = f"{what}: {text}"
        elif isinstance(error, NotImplementedError) and not str(error):
            text = f"{what}: it has no {traceback.extract_tb(error.__traceback__)[-1].name}; write it"
        else:
            text = f"{what}: {plugins.explain(error, *(Path(file) for file in files.values() if file))}"
            if "derivative" in text or "double backward" in text:
                text += "; a method without second derivatives, fomaml say, may do without"
        raise UserError(text if text.startswith("plug-in ") else prefix + text) from error


def _prefix(cell: Cell) -> str:
    parts = provenance.others(cell)
    return plugins.within(parts[0].module) if parts else ""
