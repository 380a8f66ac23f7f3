"""The claims on Figure 2, iterations to a training loss of 2.5: C1 and C2."""

from __future__ import annotations

from collections.abc import Sequence

from harness.paper.claims.claim import Claim
from harness.paper.definitions import TARGETS
from harness.paper.judging.boards import Pair, SeedCounts
from harness.paper.judging.by_seed import Finding, Rule
from harness.paper.judging.logic import all_of, not_
from harness.paper.judging.panel import panel, passed

TARGET = TARGETS[0]
HALF = (0.4, 0.6)
"""A share of the choices of the hyper-rates between these counts as half of them."""
REACHED, STATISTIC = "reached it", f"share of the choices of the hyper-rates that reach {TARGET:g}"


def _some_reach(counts: SeedCounts, pairs: Sequence[Pair]) -> Finding | None:
    if (here := panel(counts, TARGET, pairs[2])) is None:
        return None
    reached = here.share(passed)
    # One that reaches it is enough; too few cells cannot show that none does.
    some = reached.more_than(0) or (False if here.enough and not reached.unknown else None)
    return here.finding(all_of((not_(passed(here.maml)), some)), None, reached, REACHED)


def _half_reach(counts: SeedCounts, pairs: Sequence[Pair]) -> Finding | None:
    if (here := panel(counts, TARGET, pairs[3])) is None:
        return None
    reached = here.share(passed)
    strict, weak = (
        all_of((not_(passed(here.maml)), answer if here.enough else None))
        for answer in (reached.within(*HALF), reached.more_than(0))
    )
    return here.finding(strict, weak, reached, REACHED)


C1 = Claim(
    key="C1",
    place="Figure 2",
    sentence="Specially for the case of α0 = 1e− 3, β0 = 1e− 5 Alpha-MAML converged for some "
    "cases of αhyperlr and βhyperlr, whereas MAML does not converge till 500 "
    "iterations.",
    short="2 decades off: some choices reach 2.5, MAML never does",
    strict="MAML misses 2.5 and at least one choice of the hyper-rates reaches it",
    meanings={"some": "at least one choice of the hyper-rates"},
    judge=Rule(find=_some_reach, statistic=STATISTIC),
)
C2 = Claim(
    key="C2",
    place="Figure 2",
    sentence="Same is the case with α0 = 1e − 4, β0 = 1e − 6, for half of the choices of "
    "αhyperlr and βhyperlr, Alpha-MAML converged but MAML does not converge in less "
    "than 500 iterations.",
    short="3 decades off: half the choices reach 2.5, MAML never does",
    strict=f"MAML misses 2.5 and a share of {HALF[0]:g} to {HALF[1]:g} of the choices of the hyper-rates "
    "reaches it",
    weak="MAML misses 2.5 and at least one choice of the hyper-rates reaches it",
    meanings={"half": f"a share between {HALF[0]:g} and {HALF[1]:g}; weak: any share above 0"},
    judge=Rule(find=_half_reach, statistic=STATISTIC, weak=True, grid=True),
)
