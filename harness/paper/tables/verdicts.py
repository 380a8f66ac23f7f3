"""Tables of what the records are judged to say, and of what was measured beside them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import pandas as pd

from harness.analysis import comparison, rounding
from harness.common import places
from harness.paper import chance as noise
from harness.paper import evidence
from harness.paper.claims import judge
from harness.paper.claims.definitions import rate
from harness.paper.claims.sentences import CLAIMS
from harness.paper.reading import MAIN
from harness.paper.tables.sources import read, rows_of
from harness.paper.tables.words import NONE, hyper, span, start, table
from harness.records import reference

PAPER = (
    ("C1", "(1e-3, 1e-5), to 2.5", "MAML not in 500; Alpha-MAML for some choices"),
    ("C2", "(1e-4, 1e-6), to 2.5", "MAML not in 500; Alpha-MAML for half of the choices"),
    ("C4", "(1e-4, 1e-6), to 2.99", "MAML in 165; Alpha-MAML in under 15 for a wide range"),
    ("C5", "(1e-5, 1e-7), to 2.99", "Alpha-MAML in fewer than MAML for most choices"),
)
"""What the paper says in numbers, by the claim that counts the same share of the hyper-rates."""


def paper() -> str:
    """The paper's numbers beside ours: the median over the seeds, and the range."""
    found = matrix()
    rows = []
    for key, what, theirs in PAPER:
        judged = found[key, MAIN]
        by_seed = judged.numbers["first"].values() if judged else ()
        shares = [one["share"][0] for one in by_seed]
        missed = sum(one["maml"] == "miss" for one in by_seed)
        rows.append([key, what, theirs, f"{missed} of {len(shares)} seeds", span(shares, ".2f")])
    head = ["", "what", "the paper", "ours: MAML misses", "ours: share of the hyper-rates"]
    return table(head, rows)


def claims() -> str:
    """Every sentence under `paper-adam`, and why; C13 and C16 are judged once."""
    found = matrix()
    first = judge.columns(found)[0]
    rows = []
    for claim in CLAIMS:
        judged = found[claim.key, first if claim.everywhere else None]
        if judged is not None:
            forms = (judged.strict, judged.weak, judged.sustained)
            verdicts = [NONE if form is None else form.verdict for form in forms]
            rows.append([claim.key, claim.short, *verdicts, judged.strict.why.replace("|", "/")])
    return table(["", "sentence", "strict", "weak", "sustained", "why"], rows)


@lru_cache(maxsize=1)
def matrix() -> judge.Matrix:
    """The claims by the reference records alone, judged once a process."""
    found = evidence.gather(places.RESULTS, reference_only=True)
    return judge.matrix(found.records, found.facts)


def chance() -> str:
    """First passages of 2.99 by networks that never learn."""
    rows = []
    for head, by_tasks in noise.summary(chances()).items():
        for tasks, one in by_tasks.items():
            low, high = one["passed_interval"]
            median = one["median_first_passage"]
            rows.append(
                [
                    head,
                    tasks,
                    f"{one['mean_loss']:.3f}",
                    f"{one['batch_sd']:.4f}",
                    f"{one['passed']} of {one['inits']}",
                    f"{100 * low:.0f} to {100 * high:.0f} %",
                    f"{median:.0f}" if median is not None else NONE,
                    f"{one['passed_by_paper']} of {one['inits']}",
                    f"{one['sustained']} of {one['inits']}",
                ]
            )
    columns = ["head", "tasks", "mean loss", "sd of batches", "pass 2.99 in 500", "95 % interval"]
    return table([*columns, "median passage", "by 165", "sustained"], rows)


def chances() -> pd.DataFrame:
    """The losses of networks that never learn, see harness.paper.chance."""
    found = noise.read(places.REFERENCE / "noise")
    if found is None:
        raise FileNotFoundError(places.REFERENCE / "noise" / noise.FILE)
    return found


def yardstick() -> str:
    """Counts of runs whose first weights were moved by a rounding, beside the run as it is."""
    found = rounding.interval(read("yardstick").trials)
    rows = []
    for one in rows_of(found.points):
        moved = []
        for name in rounding.PASSAGES:
            base, low, high = (one[f"{name}_{what}"] for what in ("base", "low", "high"))
            moved.append(NONE if low is None else f"{base:.0f}: {low:+.0f} to {high:+.0f}")
        rows.append([one["method"], start(one), hyper(one), one["draws"], *moved])
    return table(["method", "from", "hyper-rates", "draws", "first passage", "sustained"], rows)


def devices() -> str:
    """Counts of fig2's cells on CPUs beside the reference's, by alpha_hyperlr: how far machines agree."""
    cells = pd.read_parquet(places.REFERENCE / reference.DEVICES / "fig2" / reference.COMPARED)
    groups = [(_choice(value), some) for value, some in cells.groupby("alpha_hyperlr", dropna=False)]
    rows = []
    for name, some in [*groups, ("all", cells)]:
        row: list[object] = [name, len(some)]
        for passage in rounding.PASSAGES:
            agreement = some[f"{passage}_agreement"]
            missed = some[f"{passage}_mine"].isna() & (agreement == comparison.EQUAL)
            row += [int(missed.sum()), int((agreement == comparison.EQUAL).sum() - missed.sum())]
            row += [int((agreement == what).sum()) for what in comparison.AGREEMENTS[1:]]
        rows.append(row)
    head = [f"{what}: both miss" for what in rounding.PASSAGES]
    rest = ["equal", "within", "outside", "one misses"]
    return table(["alpha_hyperlr", "cells", head[0], *rest, head[1], *rest], rows)


def _choice(value: Any) -> str:
    return "MAML" if pd.isna(value) else rate(value)


def cost() -> str:
    """C13, measured."""
    found = json.loads((places.REFERENCE / "cost" / "cost.json").read_text())
    both, memory, time = ("maml", "alpha-maml"), found["memory"], found["time"]
    state = {name: sum(memory["state_bytes"][name].values()) for name in both}
    mib = [[f"{held[name] / 2**20:.2f}" for name in both] for held in (state, memory["peak_bytes"])]
    low, high = time["ratio_interval"]
    return table(
        ["of an iteration", "MAML", "Alpha-MAML", "more"],
        [
            ["backward passes", *(found["passes"][name] for name in both), ""],
            [
                "state kept, MiB",
                *mib[0],
                f"{memory['state_extra_in_theta']:+.2f} thetas",
            ],
            ["peak, MiB", *mib[1], f"{memory['extra_in_theta']:+.2f} thetas"],
            [
                "time, ms",
                *(f"{time['median_ms'][name]:.0f}" for name in both),
                f"ratio {time['ratio_median']:.3f} ({low:.3f} to {high:.3f}, {time['rounds']} rounds)",
            ],
        ],
    )
