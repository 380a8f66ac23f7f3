"""What a race says in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from harness.analysis.sensitivity.texts import with_interval
from harness.study.league import LEAGUE
from harness.study.race.contenders import ANY_PAIR, ASHA, DEFAULT, LOG_DEFAULT, PBT, RANDOM, SEARCHED, TPE
from harness.study.race.headline import NEVER, RUNS
from harness.study.race.summary import runs, short
from harness.study.race.written import Raced

CHOSEN = {DEFAULT: ("Alpha-MAML", "hyper-rates"), LOG_DEFAULT: ("Alpha-MAML in logs", "its one knob")}
"""Racer -> its method, and what that brings beside the initial rates."""
TUNERS = {TPE: "TPE", ASHA: "ASHA", PBT: "PBT"}


def headline(raced: Raced) -> str:
    """What one run of Alpha-MAML is worth that nobody tuned, in runs of MAML by random search. Where its
    default did not run, one with any hyper-rates; without these, one of Alpha-MAML in logs."""
    racer = _first(raced)
    return _nobody(raced) if racer is None else _worth(raced, racer)


def in_short(raced: Raced) -> tuple[str, ...]:
    """The headline, and what goes with it: the same against tuners; the ratio of tuning costs; what searching
    Alpha-MAML's own rates adds; the headline of Alpha-MAML in logs. What is not known is left out."""
    racer = _first(raced)
    if racer is None:
        return (_nobody(raced),)
    others = (LOG_DEFAULT,) if racer != LOG_DEFAULT and _found(raced, LOG_DEFAULT, RANDOM) else ()
    return (
        _worth(raced, racer),
        *_beside_tuners(raced, racer),
        *_cost(raced, racer),
        *_gain(raced, racer),
        *(_worth(raced, one) for one in others),
    )


def _first(raced: Raced) -> str | None:
    """Whom the headline is of."""
    return next((one for one in (DEFAULT, ANY_PAIR, LOG_DEFAULT) if _found(raced, one, RANDOM)), None)


def _nobody(raced: Raced) -> str:
    return f"On {raced.grid}, Alpha-MAML did not run, so this race does not say what its run is worth."


def _found(raced: Raced, racer: str, other: str | None, measure: str = "worth_by_loss", of: str = "") -> Any:
    """The row of a number; None: there is none."""
    rows = raced.numbers
    beside = rows["other"].isna() if other is None else rows["other"] == other
    same = (rows["measure"] == measure) & (rows["racer"] == racer) & (rows["of"] == of) & beside
    return next(rows[same].itertuples(), None)


def _worth(raced: Raced, racer: str) -> str:
    if racer == ANY_PAIR:
        who = "Alpha-MAML at random initial rates, with hyper-rates drawn at random too"
    else:
        method, own = CHOSEN[racer]
        others = "the league's other grids" if raced.grid in LEAGUE else "the league's grids"
        where = f"chosen on {others}" if raced.chosen.get(racer) else "as the grid has them"
        who = f"{method} at random initial rates, with {own} {where}"
    count = _count(_found(raced, racer, RANDOM))
    return (
        f"On {raced.grid}, one run of {who}, is worth {count} of MAML by random search, by the loss it ends "
        "with."
    )


def _count(row: Any) -> str:
    """`6.21 runs (4.10 to 9.90)`, `over 169 runs`, `less than one run (under 1 to 2.00)`."""
    shown, bracket, ends = runs(row).partition(" (")
    words = f"{shown} run{'s' * (shown != '1')}"
    if row.value == -math.inf:
        words = "less than one run" if row.first == 1 else f"less than {short(row.first)} runs"
    return f"{words}{bracket}{ends}"


def _beside_tuners(raced: Raced, racer: str) -> Iterator[str]:
    found = {title: _found(raced, racer, name) for name, title in TUNERS.items()}
    known = {title: row for title, row in found.items() if row is not None and not math.isnan(row.value)}
    counts = [f"{_count(row)} of MAML by {title}" for title, row in known.items()]
    if counts:
        *first, last = (one.replace(" of MAML", "") if at else one for at, one in enumerate(counts))
        yield f"It is worth {', '.join(first)}{' and ' * bool(first)}{last}."


def _cost(raced: Raced, racer: str) -> Iterator[str]:
    cost, ratio = (_found(raced, racer, other, "tuning_cost") for other in (None, RANDOM))
    if cost is None:
        return
    search = "random search over its initial rates"
    goal = f"a training loss of {raced.target:g}"
    if math.isinf(cost.value):
        often, _, seeds = cost.why.partition(" in ")
        verb = "never reaches" if often == NEVER else "does not always reach"
        yield f"{search[0].upper()}{search[1:]} {verb} {goal} in {seeds}."
        return
    words = f"Until it reaches {goal}, {search} is expected to spend {with_interval(cost)} iterations"
    if ratio is not None and math.isfinite(ratio.value):
        words += f", {with_interval(ratio)} of what it takes over MAML's"
    yield f"{words}; {ratio.why}." if ratio is not None and ratio.why else f"{words}."


def _gain(raced: Raced, racer: str) -> Iterator[str]:
    rows = {after: _found(raced, SEARCHED, racer, "gain_by_search", f"{after}") for after in RUNS}
    known = {after: row for after, row in rows.items() if row is not None}
    if known:
        after, row = max(known.items())
        yield (
            f"Drawing its hyper-rates anew for each run as well changes the expected best loss after {after} "
            f"budget{'s' * (after > 1)} by {with_interval(row)}."
        )
