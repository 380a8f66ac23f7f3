"""The claims on Figure 3, iterations to a training loss of 2.99: C3, C4 and C5."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.cell import PRESETS
from harness.paper.claims.claim import Claim
from harness.paper.definitions import DIAGONALS, PAPER_COUNT, TARGETS, Passage
from harness.paper.judging.boards import Pair, Place, SeedCounts, counts_by_seed
from harness.paper.judging.by_seed import Finding, Rule, interval
from harness.paper.judging.logic import less
from harness.paper.judging.panel import panel
from harness.paper.judging.verdict import MOST_CELLS, NOT_ASKED, Form, Judged, Verdict
from harness.paper.reading import Facts, Reading, Records
from harness.paper.words import shown
from harness.records.passages import first_passage, sustained_passage

TARGET = TARGETS[1]
ENOUGH_SEEDS = 5
"""Seeds that C3 needs."""
FEW_ITERATIONS = 15
WIDE, WIDE_WEAK = 0.5, 0.25
"""The smallest share of the choices of the hyper-rates that counts as a wide range."""
MOST = 0.5
"""A share of the choices of the hyper-rates above this counts as most of them."""


def _c3(records: Records, facts: Facts) -> Judged:
    counts, ids = _maml_over_seeds(records, first_passage)
    if not ids:
        return NOT_ASKED
    sustained, _ = _maml_over_seeds(records, sustained_passage)
    noise = _noise(records.reading, facts)
    return Judged(
        strict=_among(counts, noise),
        sustained=_among(sustained),
        numbers={
            "first": {str(seed): shown(count) for seed, count in counts.items()},
            "sustained": {str(seed): shown(count) for seed, count in sustained.items()},
            "paper": PAPER_COUNT,
            "noise": noise,
        },
        cells=ids[:MOST_CELLS],
        seeds=tuple(seed for seed, count in counts.items() if not math.isnan(count)),
        statistic="MAML's iterations to 2.99",
        interval=interval(counts.values()),
    )


def _maml_over_seeds(records: Records, passage: Passage) -> tuple[dict[int, float], tuple[str, ...]]:
    """By seed, MAML's count to 2.99 three decades below the tuned pair; and the cells' ids."""
    place: Place = (DIAGONALS[records.reading.preset][3], None)
    asked = [counts for counts in counts_by_seed(records, passage) if place in counts.ids]
    by_seed = {counts.seed: counts.boards[TARGET].count_at(place) for counts in asked}
    return by_seed, tuple(counts.ids[place] for counts in asked)


def _noise(reading: Reading, facts: Facts) -> Mapping[str, Any] | None:
    """What harness.paper.chance says of networks that never learn under this reading; None: nothing."""
    changed, preset = reading.fields, PRESETS[reading.preset]
    if facts.noise is None or changed.keys() - {"head_init", "meta_batch"}:
        return None
    head, tasks = (changed.get(name, getattr(preset, name)) for name in ("head_init", "meta_batch"))
    by_tasks: Mapping[str, Any] = facts.noise.get(head, {})
    return by_tasks.get(str(tasks))


def _among(counts: Mapping[int, float], noise: Mapping[str, Any] | None = None) -> Form:
    """Whether at least half of the seeds pass, with the paper's count between the smallest and the largest.

    `noise` is mentioned in the words and decides nothing.
    """
    known = [count for count in counts.values() if not math.isnan(count)]
    finite = sorted(int(count) for count in known if math.isfinite(count))
    why = f"{len(finite)} of {len(known)} seeds pass 2.99"
    if finite:
        why += f", at {finite[0]}" if len(finite) == 1 else f", at {finite[0]} to {finite[-1]}"
    of_noise = f"; {noise['passed']} of {noise['inits']} networks that never learn pass it" if noise else ""
    if len(known) < ENOUGH_SEEDS:
        return Form(verdict=Verdict.OPEN, why=f"{why}; it takes {ENOUGH_SEEDS} seeds to judge{of_noise}")
    holds = 2 * len(finite) >= len(known) and finite[0] <= PAPER_COUNT <= finite[-1]
    verdict = Verdict.HOLDS if holds else Verdict.FAILS
    return Form(verdict=verdict, why=f"{why}; the paper says {PAPER_COUNT}{of_noise}")


def _wide_range(counts: SeedCounts, pairs: Sequence[Pair]) -> Finding | None:
    if (here := panel(counts, TARGET, pairs[3])) is None:
        return None
    fast = here.share(lambda count: less(count, FEW_ITERATIONS))
    strict, weak = (fast.at_least(least) if here.enough else None for least in (WIDE, WIDE_WEAK))
    return here.finding(strict, weak, fast, f"took fewer than {FEW_ITERATIONS} iterations")


def _most(counts: SeedCounts, pairs: Sequence[Pair]) -> Finding | None:
    if (here := panel(counts, TARGET, pairs[4])) is None:
        return None
    fewer = here.share(lambda count: less(count, here.maml))
    return here.finding(fewer.more_than(MOST) if here.enough else None, None, fewer, "took fewer iterations")


C3 = Claim(
    key="C3",
    place="Figure 3",
    sentence="... for the case of α0 = 1e− 4, β0 = 1e − 6 ... MAML takes 165 iterations.",
    short="3 decades off: MAML takes 165 iterations to reach 2.99",
    strict=f"of at least {ENOUGH_SEEDS} seeds at least half pass 2.99, and {PAPER_COUNT} lies between the "
    "smallest and the largest count",
    judge=_c3,
)
C4 = Claim(
    key="C4",
    place="Figure 3",
    sentence="Specially for the case of α0 = 1e− 4, β0 = 1e− 6 Alpha-MAML converged in less "
    "than 15 iterations for a wide range of αhyperlr and βhyperlr ...",
    short=f"3 decades off: under {FEW_ITERATIONS} iterations for a wide range of choices",
    strict=f"a share of at least {WIDE:g} of the choices of the hyper-rates passes 2.99 in fewer than "
    f"{FEW_ITERATIONS} iterations",
    weak=f"a share of at least {WIDE_WEAK:g} does",
    meanings={"wide range": f"a share of at least {WIDE:g}; weak: at least {WIDE_WEAK:g}"},
    judge=Rule(
        find=_wide_range,
        statistic=f"share of the choices of the hyper-rates that take fewer than {FEW_ITERATIONS} iterations",
        weak=True,
        grid=True,
    ),
)
C5 = Claim(
    key="C5",
    place="Figure 3",
    sentence="Same is the case with α0 = 1e− 5, β0 = 1e− 7, for most of the choices of "
    "αhyperlr and βhyperlr, Alpha-MAML converged in lesser number of iterations than "
    "MAML.",
    short="4 decades off: fewer iterations than MAML for most choices",
    strict=f"a share above {MOST:g} of the choices of the hyper-rates passes 2.99 in fewer iterations than "
    "MAML",
    meanings={"most": f"a share above {MOST:g}"},
    judge=Rule(
        find=_most,
        statistic="share of the choices of the hyper-rates that take fewer iterations than MAML",
        grid=True,
    ),
)
