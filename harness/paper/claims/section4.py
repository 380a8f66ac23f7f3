"""The claim of Section 4, on cost: C13. Judged by the cost measurement, not by records."""

from __future__ import annotations

from harness.paper.claims.claim import Claim
from harness.paper.judging.logic import Answer, all_of, verdict
from harness.paper.judging.verdict import Form, Judged, Verdict
from harness.paper.reading import Facts, Records

ONE_COPY = 1.01
"""Copies of the weights that still count as one: a hundredth is allowed for scalars."""
SLOWER = 1.05
"""The largest ratio of Alpha-MAML's time to MAML's at which they count as equally fast."""


def _c13(records: Records, facts: Facts) -> Judged:
    cost = facts.cost
    if cost is None:
        why = "the cost was not measured: results/reference/cost/cost.json is missing"
        missing = Form(verdict=Verdict.OPEN, why=why)
        return Judged(strict=missing, weak=missing)
    passes = {name: cost["passes"][name] for name in ("maml", "alpha-maml")}
    extra = float(cost["memory"]["extra_in_theta"])
    low, high = map(float, cost["time"]["ratio_interval"])
    parts: dict[str, Answer] = {
        "passes": passes["maml"] == passes["alpha-maml"],
        "memory": extra <= ONE_COPY,
        "time": True if high <= SLOWER else False if low > SLOWER else None,
    }
    counted = (
        f"{passes['alpha-maml']} backward passes per iteration (MAML: {passes['maml']}); "
        f"{extra:.2f} extra copies of the weights at the peak of memory"
    )
    timed = f"{counted}; {low:.3f} to {high:.3f} times MAML's time (95 % interval)"
    without_time = {name: parts[name] for name in ("passes", "memory")}
    return Judged(
        strict=Form(verdict=verdict(all_of(parts.values())), why=timed),
        weak=Form(verdict=verdict(all_of(without_time.values())), why=counted),
        numbers={
            "backward passes an iteration": passes,
            "extra memory at the peak, copies of theta": extra,
            "extra memory kept, copies of theta": cost["memory"].get("state_extra_in_theta"),
            "time over MAML's, median": cost["time"].get("ratio_median"),
            "time over MAML's, 95 % interval": [low, high],
        },
    )


C13 = Claim(
    key="C13",
    place="Section 4",
    sentence="It can be seen that no extra gradient needs to be computed, as the gradients "
    "from the last iteration can be used, requiring only the extra memory storage of "
    "the gradient from the previous iteration.",
    short="no extra gradient, one extra stored gradient",
    strict="as many backward passes as MAML, at most one extra copy of the weights at the peak of memory, "
    f"and at most {SLOWER:g} times MAML's time",
    weak="the backward passes and the memory alone",
    everywhere=False,
    judge=_c13,
)
