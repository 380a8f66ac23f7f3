"""One member of a population: MAML that trains interval by interval, whose rates and state may change."""

from __future__ import annotations

import io
import math
from typing import Any

import torch
from torch import Tensor

from harness.cell import Cell
from harness.training import replay
from harness.training.pack import Pack


class Learner:
    """Trains a cell as harness.training.loop does, to the last digit, and can be stopped and changed between
    intervals."""

    def __init__(self, cell: Cell) -> None:
        self._pack = Pack([cell], torch.device("cpu"))
        self._done = 0
        self._start = math.nan
        self._losses: list[float] = []
        self._diverged = False

    def train(self, iterations: int) -> dict[str, Any]:
        """Some more iterations, fewer if it diverges, none if it has.

        `ran`: how many; `losses`: the training losses of all iterations that led to its weights, those of the
        learner whose state it took over included; `loss`: the validation loss at the last of them, or at
        iteration 1 if it has diverged.
        """
        loss, before = self._start, self._done
        for iteration in range(self._done + 1, self._done + iterations + 1) if not self._diverged else ():
            (moment,) = self._pack.advance(range(iteration, iteration + 1))
            self._done = iteration
            self._losses.append(moment.loss.item())
            if iteration == 1:
                assert moment.validation is not None
                self._start = moment.validation.loss.item()
            self._diverged = not math.isfinite(self._losses[-1])
            if self._diverged:
                loss = self._start
                break
            if iteration == before + iterations:
                loss = (moment.validation or self._pack.score(moment.state)).loss.item()
        loss = loss if math.isfinite(loss) else self._start
        return {"ran": self._done - before, "losses": [*self._losses], "loss": loss}

    def state(self) -> bytes:
        """All that training has changed."""
        content = io.BytesIO()
        kept = (self._done, self._start, self._losses, self._diverged)
        torch.save((replay.leaves(self._pack.state), kept), content)
        return content.getvalue()

    def take(self, state: bytes, alpha: float, beta: float) -> None:
        """Go on from a state, with these rates."""
        leaves, kept = torch.load(io.BytesIO(state))
        self._done, self._start, self._losses, self._diverged = kept
        stored = iter(leaves)
        whole = replay.each(lambda _: next(stored), self._pack.state)
        self._pack.state = whole._replace(alpha=_all(whole.alpha, alpha), beta=_all(whole.beta, beta))


def _all(rates: Tensor, value: float) -> Tensor:
    return torch.full_like(rates, value)
