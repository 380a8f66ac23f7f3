"""One panel of Figures 2 and 3: a pair of initial rates, with MAML's count and Alpha-MAML's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.paper.judging.boards import Board, Pair, Place, SeedCounts
from harness.paper.judging.by_seed import Finding
from harness.paper.judging.logic import Answer, Share, share
from harness.paper.judging.verdict import Verdict
from harness.paper.words import at, in_words, shown

FEW = "; too few choices of the hyper-rates to judge a share"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The counts of one seed for one target at one pair of initial rates."""

    board: Board
    pair: Pair
    enough: bool
    """Whether a share of its choices can be judged."""

    @property
    def maml(self) -> float:
        return self.board.count_at((self.pair, None))

    @property
    def places(self) -> tuple[Place, ...]:
        """The cells asked for."""
        maml: tuple[Place, ...] = ((self.pair, None),) if self.pair in self.board.maml else ()
        return (*maml, *((self.pair, choice) for choice in self.board.alpha.get(self.pair, {})))

    def share(self, test: Callable[[float], Answer]) -> Share:
        """The share of the choices of the hyper-rates asked for that pass the test."""
        return share(test(count) for count in self.board.alpha.get(self.pair, {}).values())

    def finding(self, strict: Answer, weak: Answer, of: Share, what: str) -> Finding:
        """`of`: the share of the choices of the hyper-rates that did `what`, in words."""
        maml = in_words(self.maml, self.board.target, self.board.budget)
        numbers: dict[str, Any] = {"pair": at(self.pair), "maml": shown(self.maml)}
        return Finding(
            strict=strict,
            why=f"at {at(self.pair)} MAML {maml}; {of.words('Alpha-MAML cells')} {what}"
            + FEW * (not self.enough),
            numbers=numbers
            | {"cells": of.yes, str(Verdict.OPEN): of.unknown, "of": of.total, "share": [of.low, of.high]},
            places=self.places,
            weak=weak,
            value=math.nan if of.unknown else of.low,
        )


def panel(counts: SeedCounts, target: float, pair: Pair) -> Panel | None:
    """None: no cell of Alpha-MAML was asked for there."""
    board = counts.boards[target]
    return Panel(board=board, pair=pair, enough=pair in counts.enough) if board.alpha.get(pair) else None


def passed(count: float) -> Answer:
    """Whether a run passed the target; None: not run long enough to tell."""
    return None if math.isnan(count) else math.isfinite(count)
