"""Claims on Figure 1: untuned Alpha-MAML ends at a loss like tuned MAML's (C10), and its rates rise (C11)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from harness.paper.claims.claim import Claim
from harness.paper.definitions import BUDGET, DIAGONALS, HYPER_RATES, from_pair
from harness.paper.judging.boards import curves
from harness.paper.judging.by_seed import decided, interval, over_seeds
from harness.paper.judging.logic import Answer, Share, all_of, not_, share, verdict
from harness.paper.judging.verdict import MOST_CELLS, NOT_ASKED, Form, Judged
from harness.paper.reading import Facts, Records
from harness.paper.words import rate
from harness.records.passages import WINDOW, running_mean

SIMILAR = 0.1
"""Nats: how far apart two losses may be to count as similar."""
FIXED = {"paper-adam": (1e-1, 1e-6), "paper-sgd": (1e-2, 1e-4)}
"""By preset: the alpha_hyperlr of the column where beta_hyperlr varies, and the beta_hyperlr of the other."""
UNTUNED = 3
"""Where the untuned pair is in the diagonal; the tuned one is the first. The paper names neither here."""
HALF = 0.5
"""Share of the untuned cells that the weak forms ask for."""
FEWEST = 2
"""Fewest cells with which a column counts."""


@dataclass(frozen=True, kw_only=True)
class End:
    """Losses at the budget, nats: the mean of the last ten training losses, and the last measured validation
    loss. inf: diverged."""

    train: float
    val: float

    def near(self, other: End) -> bool:
        """Similar in both losses. A run that diverged is similar to nothing."""
        return abs(self.train - other.train) <= SIMILAR and abs(self.val - other.val) <= SIMILAR

    def no_worse(self, other: End) -> bool:
        """Similar or lower in both losses."""
        return self.train <= other.train + SIMILAR and self.val <= other.val + SIMILAR


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The cells of one seed."""

    tuned: pd.Series | None
    """Tuned MAML's row of the trials; None: not asked for."""
    baseline: pd.Series | None
    """Untuned MAML's row, likewise."""
    untuned: pd.DataFrame
    """Untuned Alpha-MAML's rows, of both columns."""


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """How one seed is judged."""

    strict: Form
    weak: Form
    statistic: float
    numbers: dict[str, Any]
    cells: tuple[str, ...]


def _over_seeds(
    judge: Callable[[Figure, dict[str, End]], SeedResult], statistic: str, records: Records, facts: Facts
) -> Judged:
    figures = _figures(records)
    ends = _ends(records)
    results = {seed: judge(figure, ends) for seed, figure in figures.items()}
    if not results:
        return NOT_ASKED
    strict = {seed: result.strict for seed, result in results.items()}
    return Judged(
        strict=over_seeds(strict),
        weak=over_seeds({seed: result.weak for seed, result in results.items()}),
        numbers={str(seed): result.numbers for seed, result in results.items()},
        cells=tuple(cell for result in results.values() for cell in result.cells)[:MOST_CELLS],
        seeds=decided(strict),
        statistic=statistic,
        interval=interval(result.statistic for result in results.values()),
    )


@lru_cache(maxsize=32)
def _figures(records: Records) -> dict[int, Figure]:
    """By seed; a seed is left out if one of the two columns of untuned cells was not asked for."""
    preset = records.reading.preset
    pairs, fixed = DIAGONALS[preset], FIXED[preset]
    figures = {}
    for seed in sorted(records.trials["seed"].unique()):
        trials = records.trials[records.trials["seed"] == seed]
        maml, alpha = (trials[trials["method"] == name] for name in ("maml", "alpha-maml"))
        untuned = alpha[from_pair(alpha, pairs[UNTUNED]) & (alpha[[*HYPER_RATES]] > 0).all(axis=1)]
        columns = [untuned[name] == value for name, value in zip(HYPER_RATES, fixed, strict=True)]
        if all(column.sum() >= FEWEST for column in columns):
            tuned, baseline = (maml[from_pair(maml, pairs[k])] for k in (0, UNTUNED))
            figures[int(seed)] = Figure(
                tuned=_one(tuned), baseline=_one(baseline), untuned=untuned[columns[0] | columns[1]]
            )
    return figures


def _one(rows: pd.DataFrame) -> pd.Series | None:
    return None if rows.empty else rows.iloc[0]


@lru_cache(maxsize=32)
def _ends(records: Records) -> dict[str, End]:
    """Cell id -> its End; no key for a run that ended before the budget without diverging."""
    endings = dict(zip(records.trials["cell_id"], records.trials["ending"], strict=True))
    ends = {}
    every_val = curves(records, "val_loss")
    for cell, every in curves(records).items():
        losses, val = every[:BUDGET], every_val[cell][:BUDGET]
        val = val[~np.isnan(val)]
        if endings[cell] == "diverged" and len(every) <= BUDGET:
            ends[cell] = End(train=math.inf, val=math.inf)
        elif len(losses) == BUDGET and val.size:
            ends[cell] = End(train=float(running_mean(losses[-WINDOW:])[0]), val=float(val[-1]))
    return ends


def _similar(figure: Figure, ends: dict[str, End]) -> SeedResult:
    """C10 of one seed."""
    tuned, baseline = (
        None if row is None else ends.get(row["cell_id"]) for row in (figure.tuned, figure.baseline)
    )
    alpha = {_name(row): ends.get(row["cell_id"]) for _, row in figure.untuned.iterrows()}

    def beside_tuned(end: End | None, test: Callable[[End, End], bool]) -> Answer:
        return None if end is None or tuned is None else test(end, tuned)

    near, no_worse = (
        share(beside_tuned(end, test) for end in alpha.values()) for test in (End.near, End.no_worse)
    )
    strict = all_of(
        (
            all_of(beside_tuned(end, End.near) for end in alpha.values()),
            not_(beside_tuned(baseline, End.near)),
        )
    )
    weak = all_of((no_worse.at_least(HALF), not_(beside_tuned(baseline, End.no_worse))))
    ends_at = (
        f"tuned MAML ends at {_text(tuned)}, untuned MAML at {_text(baseline)} (training and validation loss)"
    )
    gaps = [end.train - tuned.train for end in alpha.values() if end is not None and tuned is not None]
    return SeedResult(
        strict=Form(
            verdict=verdict(strict),
            why=f"{near.words('untuned cells')} end within {SIMILAR:g} nats of tuned MAML; {ends_at}",
        ),
        weak=Form(
            verdict=verdict(weak),
            why=f"{no_worse.words('untuned cells')} end at a similar or lower loss; {ends_at}",
        ),
        statistic=float(np.median(gaps)) if gaps else math.nan,
        numbers={
            "tuned MAML, training and validation loss": _losses(tuned),
            "untuned MAML": _losses(baseline),
            **{name: _losses(end) for name, end in alpha.items()},
        },
        cells=_cells(figure.tuned, figure.baseline, figure.untuned),
    )


def _risen(figure: Figure, ends: dict[str, End]) -> SeedResult:
    """C11 of one seed. Rates that made a run diverge have not adapted, so they count as not risen."""
    answers: dict[str, Answer] = {}
    rates: dict[str, Any] = {}
    for _, row in figure.untuned.iterrows():
        end, name = ends.get(row["cell_id"]), _name(row)
        if end is None:
            answers[name] = rates[name] = None
            continue
        rises = row["final_alpha"] > row["alpha0"] and row["final_beta"] > row["beta0"]
        answers[name] = bool(rises and math.isfinite(end.train))
        rates[name] = [float(row["final_alpha"]), float(row["final_beta"])]
    risen: Share = share(answers.values())
    why = f"alpha and beta both rise in {risen.words('untuned cells')}"
    return SeedResult(
        strict=Form(verdict=verdict(all_of(answers.values())), why=why),
        weak=Form(verdict=verdict(risen.at_least(HALF)), why=why),
        statistic=risen.low if not risen.unknown else math.nan,
        numbers={"alpha and beta at the end": rates},
        cells=_cells(figure.untuned),
    )


def _name(row: pd.Series) -> str:
    return ", ".join(f"{name} {rate(row[name])}" for name in HYPER_RATES)


def _losses(end: End | None) -> list[float | str] | None:
    """For JSON."""
    return (
        None
        if end is None
        else [value if math.isfinite(value) else "diverged" for value in (end.train, end.val)]
    )


def _text(end: End | None) -> str:
    if end is None:
        return "an unknown loss (not run to the budget)"
    return (
        f"{end.train:.2f} and {end.val:.2f}"
        if math.isfinite(end.train)
        else "a loss that is not finite (diverged)"
    )


def _cells(*rows: pd.Series | pd.DataFrame | None) -> tuple[str, ...]:
    return tuple(cell for some in rows if some is not None for cell in np.atleast_1d(some["cell_id"]))


C10 = Claim(
    key="C10",
    place="Figure 1",
    sentence="Results show that even the badly picked α0 and β0 values can be automatically "
    "tuned ..., tuned in the sense that the algorithm does the necessary adjustments "
    "to αi and βi in each iteration to achieve a loss similar to the good case.",
    short="untuned Alpha-MAML ends at a loss like tuned MAML's",
    strict=f"every untuned run of Alpha-MAML in Figure 1 ends within {SIMILAR:g} nats of tuned MAML, in "
    "training and in validation loss, and untuned MAML does not",
    weak="at least half of them end at a similar or lower loss, and untuned MAML does not",
    meanings={
        "similar": f"final losses within {SIMILAR:g} nats of each other: both the mean of the last 10 "
        "training losses and the last validation loss"
    },
    judge=partial(_over_seeds, _similar, "training loss minus tuned MAML's, median over the cells, nats"),
)
C11 = Claim(
    key="C11",
    place="Figure 1",
    sentence="... the algorithm does the necessary adjustments to αi and βi in each iteration "
    "... This can be seen in Figure 1 middle and right columns.",
    short="from untuned values, alpha and beta rise",
    strict="in every untuned run of Alpha-MAML in Figure 1 alpha and beta both end higher than they started, "
    "and none diverges",
    weak="in at least half of them",
    judge=partial(_over_seeds, _risen, "share of the untuned cells in which both rates rise"),
)
