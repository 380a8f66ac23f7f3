"""The meta-test: what a cell's weights reach on tasks that nobody trained on, step by step.

The tasks are treated as cells with weights of their own: an engine moves all of them by one step at a time,
so k steps cost k steps, and the loss after each is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from harness.cell import Cell
from harness.common.errors import UserError
from harness.common.text import counted
from harness.methods.base import Adapted, State
from harness.problems import Batch
from harness.problems.base import TEST_BLOCK
from harness.records.meta_tests import Fit, Reached
from harness.records.schema import judged
from harness.training import replay, trial
from harness.training.engine import Engine
from harness.training.pack import Pack

FITS = 3
"""Test tasks whose functions are kept for a figure."""

Tell = Callable[[int], None]
"""Told how many tasks of a cell are done."""


class MetaTester:
    """Tests cells of one protocol and method, which share an engine."""

    def __init__(
        self,
        cell: Cell,
        *,
        tasks: int,
        steps: int,
        rates: Sequence[float | None] = (None,),
        device: str = "cpu",
    ) -> None:
        """cell: any of them. Of each task the loss after 0, 1, ... `steps` inner steps is measured, with each
        of the rates; None: those that the cell has.

        UserError: a plug-in's problem has no tasks to test it on.
        """
        self.tasks, self.steps, self.rates = tasks, steps, tuple(rates)
        self._device = torch.device(device)
        trial.check_test(cell.protocol)
        self._pack = Pack([cell], self._device)

    @property
    def digest(self) -> str | None:
        """SHA-256 of the problem's data; None: it is drawn, not read."""
        return self._pack.problem.digest

    def test_cell(self, cell: Cell, state: State, tell: Tell = lambda done: None) -> Reached:
        """What the cell reaches with its state, [1, ...] each.

        UserError: weights or rates are not of this cell's network, or there are rates for fewer steps.
        """
        pack = self._pack
        self._check(cell, state)
        state = replay.each(lambda tensor: tensor.to(self._device), state)
        state = state._replace(weights=state.weights.to(pack.dtype))
        names, parts = judged(cell), []
        for at in range(0, self.tasks, TEST_BLOCK):
            block = pack.problem.batch([0], "test", at // TEST_BLOCK, self._device, pack.dtype)
            some = Batch(*(part[:, : self.tasks - at] for part in block))
            parts.append(by_steps(pack.engine, state, some, self.rates, self.steps).cpu().numpy())
            tell(min(at + TEST_BLOCK, self.tasks))
        whole = np.concatenate(parts, 2)
        values = {name: np.ascontiguousarray(whole[..., i]) for i, name in enumerate(names)}
        return Reached(values=values, fit=self._fit(state))

    def _check(self, cell: Cell, state: State) -> None:
        """UserError: a state is not of the cell's network and method, or has rates for fewer steps."""
        for name in ("weights", "alpha"):
            found, right = (list(getattr(one, name).shape) for one in (state, self._pack.state))
            if found != right:
                raise UserError(
                    f"cell {cell.cell_id}: its {name} are {found}, where its network and method have {right}"
                )
        if None in self.rates and state.alpha.dim() == 3 and self.steps > (most := state.alpha.shape[1]):
            raise UserError(
                f"cell {cell.cell_id}: {counted(self.steps, 'step')} in the meta-test; {cell.method} has "
                f"inner rates for {most}: ask for fewer, or for a rate of the test's own, such as 0.01"
            )

    def _fit(self, state: State) -> Fit | None:
        """Of a problem that has functions to draw."""
        pack = self._pack
        curves = pack.problem.curves(0, "test", 0)
        if curves is None:
            return None
        tasks = min(FITS, self.tasks)
        block = pack.problem.batch([0], "test", 0, self._device, pack.dtype)
        some = Batch(*(part[0, :tasks].unsqueeze(1) for part in block))
        shown = tuple(sorted({0, min(1, self.steps), self.steps}))
        x = torch.from_numpy(curves.x).to(self._device, pack.dtype).unsqueeze(1)
        predicted = [
            [
                [self._predicted(theta, x) for theta in now.weights]
                for step, now in enumerate(walk(pack.engine, state, some, rate, self.steps))
                if step in shown
            ]
            for rate in self.rates
        ]
        return Fit(
            x=curves.x,
            true=curves.y[:tasks],
            support_x=some.support.double().cpu().numpy().reshape(tasks, -1),
            support_y=some.support_targets.double().cpu().numpy().reshape(tasks, -1),
            steps=shown,
            predicted=np.array(predicted),
        )

    @torch.no_grad()
    def _predicted(self, theta: Tensor, x: Tensor) -> np.ndarray:
        network = self._pack.engine.network
        outputs = network.apply(network.layout.named(theta), x)
        return outputs.double().cpu().numpy()[:, 0]


def by_steps(engine: Engine, state: State, batch: Batch, rates: Sequence[float | None], steps: int) -> Tensor:
    """Loss and metrics, float64 [rates, steps + 1, tasks, 1 + metrics], after 0, 1, ... `steps` steps.

    state: of one cell, [1, ...] each; batch: [1, tasks, n, ...] each; rates: as in MetaTester.
    """
    parts = []
    for at in range(0, batch.support.shape[1], engine.chunk):  # few: in memory there are weights for each
        some = Batch(*(part[0, at : at + engine.chunk].unsqueeze(1) for part in batch))
        walks = [[_scores(one) for one in walk(engine, state, some, rate, steps)] for rate in rates]
        parts.append(torch.stack([torch.stack(one) for one in walks]))
    return torch.cat(parts, 2)


def walk(engine: Engine, state: State, batch: Batch, rate: float | None, steps: int) -> Iterator[Adapted]:
    """After 0, 1, ... `steps` steps: what the tasks, [tasks, 1, n, ...] each, have by then. rate: as in
    MetaTester."""
    tasks = len(batch.support)
    now = engine.unadapted(state.weights.expand(tasks, -1), batch)
    yield now
    for step in range(steps):
        rates = _rates(state, rate, step)
        now = engine.adapted(now.weights, rates.expand(tasks, -1), batch, 1)
        yield now


def _rates(state: State, rate: float | None, step: int) -> Tensor:
    """[1, n]: the inner rates of a step (0, 1, ...)."""
    if rate is not None:
        return state.alpha.new_full((1, 1), rate)
    return state.alpha[:, step] if state.alpha.dim() == 3 else state.alpha


def _scores(of: Adapted) -> Tensor:
    """[tasks, 1 + metrics]"""
    return torch.stack([of.loss.double(), *(one.double() for one in of.metrics)], 1)
