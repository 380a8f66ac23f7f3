"""All measures of a table: numbers from one end to the other, derived by hand, and what leaves them alone."""

from __future__ import annotations

from math import log10
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import Measures, measure, runs
from harness.analysis.sensitivity.rows import ONE_SEED
from harness.common.errors import UserError

INF = np.inf
LOSSES = pd.DataFrame(
    [
        ("a", rate, seed, loss, 4.0)
        for rate, some in ((1, (1, 3)), (2, (2.5, 2.5)), (3, (10, 10)))
        for seed, loss in enumerate(some)
    ],
    columns=["method", "rate", "seed", "loss", "start"],
)
"""Three rates on two seeds; the third diverges."""
COUNTS = pd.DataFrame(
    [
        *(("a", 1, 0, 2, 2), ("a", 1, 1, 4, 4), ("a", 2, 0, 8, 8), ("a", 2, 1, INF, 10)),
        *(("a", 3, 0, INF, 10), ("a", 3, 1, INF, 6), ("b", 1, 0, 4, 4), ("b", 1, 1, 4, 4)),
        *(("c", 1, 0, INF, 10), ("c", 1, 1, INF, 10)),
    ],
    columns=["method", "rate", "seed", "n", "spent"],
).assign(gradients=3)
"""Of `a` two of three settings reach the target with seed 0, one with seed 1; of `b` its one does, of `c` it
does not."""


def of_losses(table: pd.DataFrame = LOSSES, **more: Any) -> Measures:
    return measure(
        runs(table, **{"hyper": ["rate"], "seed": "seed", "loss": "loss", "start": "start"} | more)
    )


def of_counts(table: pd.DataFrame = COUNTS) -> Measures:
    return measure(
        runs(table, hyper=["rate"], seed="seed", count="n", cost="spent", evaluations="gradients", budget=10)
    )


def number(found: Measures, name: str, of: str = "", method: str = "a", **where: Any) -> list[float]:
    """Value, low and high of the one row."""
    rows, where = found.values, {"other": None, "environment": "all"} | where
    rows = rows[(rows["measure"] == name) & (rows["of"] == of) & (rows["method"] == method)]
    for column, value in where.items():
        rows = rows[rows[column].isna() if value is None else rows[column] == value]
    assert len(rows) == 1, (name, of, where)
    return rows[["value", "low", "high"]].iloc[0].tolist()


def curve(found: Measures, name: str, method: str = "a", x: list[float] | None = None) -> list[float]:
    rows = found.curves[(found.curves["curve"] == name) & (found.curves["method"] == method)]
    rows = rows if x is None else rows[rows["x"].isin(x)]
    return rows["value"].tolist()


def close(found: list[float], *expected: float) -> bool:
    return np.allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_performance_and_its_intervals() -> None:
    """Resamples: seed 0 twice, each once, seed 1 twice, with 1/4, 1/2, 1/4: the ends are the extremes."""
    found = of_losses(unit="nats")
    # Means 2, 2.5, 10; of seed 0 1, 2.5, 10; of seed 1 3, 2.5, 10.
    assert close(number(found, "best"), 2, 1, 2.5)
    assert close(number(found, "mean"), 14.5 / 3, 13.5 / 3, 15.5 / 3)
    # The third counts as its start, 4: (2 + 2.5 + 4) / 3 - 2; 7.5 / 3 - 1; 9.5 / 3 - 2.5.
    for of in ("total", "rate"):
        assert close(number(found, "rate_sensitivity", of), 2.5 / 3, 2 / 3, 1.5)
    # Expected best of two: seed 0 (1 + 1 + 2.5) / 3, seed 1 (2.5 + 2.5 + 3) / 3.
    assert close(curve(found, "budget"), 14.5 / 3, (4.5 + 8) / 6, (1 + 2.5) / 2)
    # 18 times the variances: of the rates 241, of the seed 2, of both 4.
    assert close(number(found, "share_of_score", "rate")[:1], 241 / 247)
    assert close(number(found, "share_of_score", "seed")[:1], 2 / 247)
    assert close(number(found, "share_of_score", "rate:seed")[:1], 4 / 247)
    units = found.values.drop_duplicates("measure").set_index("measure")["unit"]
    assert units[["best", "mean", "rate_sensitivity"]].tolist() == ["nats"] * 3


def test_a_choice_is_judged_on_the_other_seeds() -> None:
    """Gamma = (10 - loss) / 8: p5 is the worst mean, p95 the best."""
    found = of_losses()
    assert close(number(found, "tuned", environment=None)[:1], 1)
    # By seed 1 the second rate is best, and scores 7.5 / 8 with seed 0; by seed 0 the first, and 7 / 8.
    assert close(number(found, "tuned_held_out", environment=None), 14.5 / 16, 7 / 8, 7.5 / 8)
    assert close(number(found, "interquartile_mean", "tuned", environment=None), 14.5 / 16, 7 / 8, 7.5 / 8)


def test_random_search() -> None:
    found = of_counts()
    # Seed 0: 1/3 of a miss of 10 and a mean hit of 5; seed 1: 2/2 of a mean miss of 8, and 4.
    assert close(number(found, "tuning_cost", "iterations"), (25 / 3 + 12) / 2, 25 / 3, 12)
    assert close(number(found, "tuning_cost", "gradient evaluations"), (25 + 36) / 2, 25, 36)
    # 20 / 2 and 20 / 1.
    assert close(number(found, "tuning_cost_with_replacement", "iterations"), 15, 10, 20)
    assert close(number(found, "tuning_cost_with_replacement", "gradient evaluations"), 45, 30, 60)
    assert number(found, "tuning_cost", "iterations", "c") == [INF, INF, INF]
    assert number(found, "seeds_without_hit")[0] == 0
    assert number(found, "seeds_without_hit", method="c")[0] == 2
    assert close(number(found, "reached"), 1 / 2, 1 / 3, 2 / 3)
    assert close(number(found, "robust_area", "2"), 1 / 3, 1 / 3, 1 / 3)
    # Two of three: seed 0 always hits, seed 1 misses with one pair of three.
    assert close(curve(found, "hit"), 1 / 2, (1 + 2 / 3) / 2, 1)
    # Best counts 2 and 4. Within 1: 1/3 of a's with each seed; of b's only seed 1. Within 10: a's 8 too.
    assert close(curve(found, "profile", x=[1, 10]), 1 / 3, 1 / 2)
    assert close(curve(found, "profile", "b", x=[1, 10]), 1 / 2, 1)
    assert close(curve(found, "profile", "c", x=[1, 100]), 0, 0)


def test_what_the_counts_depend_on() -> None:
    found = of_counts()
    # Hits 1 1, 1 0, 0 0: variance 1/4; of the rates 1/6, of the seeds 1/36.
    assert close(number(found, "share_of_hit", "rate")[:1], 2 / 3)
    assert close(number(found, "share_of_hit", "seed")[:1], 1 / 9)
    assert close(number(found, "share_of_hit", "rate:seed")[:1], 2 / 9)
    # The score is -log10 of 2 4, 8 10, 10 10.
    assert close(number(found, "best")[:1], -log10(8) / 2)
    assert close(number(found, "mean")[:1], -log10(64_000) / 6)
    shares = [number(found, "share_of_count", of)[0] for of in ("rate", "seed", "rate:seed")]
    y = np.log10([[2, 4], [8, 10], [10, 10]])
    assert close(shares[:2], y.mean(1).var() / y.var(), y.mean(0).var() / y.var())
    assert close([sum(shares)], 1)


def test_methods_are_compared_resample_by_resample() -> None:
    found = of_counts()
    beside = {"method": "b", "other": "a"}
    # Costs of b are 4 and 4; those of a 25/3, 61/6 and 12, see above.
    assert close(number(found, "tuning_cost", "iterations", **beside), 24 / 61, 1 / 3, 12 / 25)
    assert close(number(found, "reached", **beside), 1 / 2, 1 / 3, 2 / 3)
    # -log10 4 beside -(log10 2 + log10 4) / 2; with seed 0 beside -log10 2, with seed 1 -log10 4.
    assert close(number(found, "best", **beside), -log10(2) / 2, -log10(2), 0)
    # 4 beside 2, 8, 10 (or more): two wins; beside 4, 10, 10: two and a half.
    assert close(number(found, "improvement", "any", environment=None, **beside), 3 / 4, 2 / 3, 5 / 6)
    # A single setting is always chosen: a's first, 2 and 4, beats b's 4 and 4 once, and ties.
    assert close(number(found, "improvement", "tuned", environment=None, **beside), 1 / 4, 0, 1 / 2)
    assert number(found, "tuning_cost", "iterations", "c", other="a")[0] == INF
    rows = found.values
    why = rows[(rows["measure"] == "tuning_cost") & (rows["method"] == "c")].set_index("other")["why"]
    assert set(why["a"]) == {"c: no finite number"}
    assert why[why.index.isna()].unique().tolist() == ["no setting reaches the target in 2 of 2 seeds"]


def test_sensitivity_effective_dimension_and_tunability() -> None:
    """Means 0.7, 0.5, 0.6, 0 of x y = 00, 01, 10, 11: the default is 00, and tuning x alone gives 1 and 1."""
    gamma = {"e": (1.0, 0.5, 0.2, 0.0), "f": (0.4, 0.5, 1.0, 0.0)}
    table = pd.DataFrame(
        [("a", e, at // 2, at % 2, value) for e, some in gamma.items() for at, value in enumerate(some)],
        columns=["method", "e", "x", "y", "gamma"],
    )
    found = measure(runs(table, hyper=["x", "y"], environment="e", gamma="gamma"))
    over_all = {"environment": None}
    assert close(number(found, "tuned", **over_all)[:1], 1)
    assert close(number(found, "default", **over_all)[:1], 0.7)
    assert close(number(found, "sensitivity", **over_all)[:1], 0.3)
    # x free: 1, y free: (1 + 0.5) / 2; 0.95 is reached 0.25 / 0.3 of the way from 0.7 to 1.
    assert close(number(found, "effective_dimension", **over_all)[:1], 0.25 / 0.3)
    assert close(curve(found, "dimension"), 0.7, 1, 1)
    gains = [number(found, "tunability", of, environment=e)[0] for e in "ef" for of in ("total", "x", "y")]
    assert close(gains, 0, 0, 0, 0.6, 0.6, 0.1)
    of_one_seed = found.values[found.values["measure"].isin(["sensitivity", "tuned", "best"])]
    assert set(of_one_seed["why"]) == {ONE_SEED}
    assert of_one_seed["low"].isna().all()


def test_targets_and_settings_that_are_reached() -> None:
    table = pd.DataFrame({"method": "a", "rate": [1, 2], "n": [3, INF]})
    passages = np.array([[1.0, 3.0], [2.0, INF]])
    found = measure(
        runs(
            table,
            hyper=["rate"],
            count="n",
            budget=4,
            passages=passages,
            targets={"all": np.array([2.0, 1.0])},
        )
    )
    assert found.curves[found.curves["curve"] == "ecdf"]["x"].tolist() == [1, 2, 3, 4]
    assert close(curve(found, "ecdf"), 1 / 4, 1 / 2, 3 / 4, 3 / 4)


def test_a_seed_that_diverges_counts_as_one_that_learnt_nothing() -> None:
    """Losses (1, 1) and (1, 5) of two seeds, 3 before training: ((0 + 0) + (0 + 2)) / 4, not (0 + 2) / 2."""
    rows = [(x, seed, loss) for x, losses in ((0, (1, 1)), (1, (1, 5))) for seed, loss in enumerate(losses)]
    table = pd.DataFrame(rows, columns=["x", "seed", "loss"]).assign(method="m", start=3.0)
    found = measure(runs(table, hyper=["x"], seed="seed", loss="loss", start="start"))
    assert number(found, "rate_sensitivity", "total", "m")[0] == 0.5


def test_what_was_varied_together_is_one_factor() -> None:
    """x and y in step: d is that of the same table with x alone."""
    gamma = {"e": (1.0, 0.2, 0.0), "f": (0.0, 0.3, 1.0)}
    rows = [("a", e, at, 10 * at, value) for e, some in gamma.items() for at, value in enumerate(some)]
    table = pd.DataFrame(rows, columns=["method", "e", "x", "y", "gamma"])
    asked = {"environment": "e", "gamma": "gamma"}
    together = measure(runs(table, hyper=["x", "y"], paired=[("x", "y")], **asked))
    alone = measure(runs(table, hyper=["x"], **asked))
    apart = measure(runs(table, hyper=["x", "y"], **asked))
    d = [number(one, "effective_dimension", environment=None)[0] for one in (together, alone, apart)]
    # P_0 = 0.5, P_1 = 1: 0.95 is reached at 0.9 of the way. Apart, P_1 is P_0: only the default keeps x or y.
    assert d[:2] == pytest.approx([0.9, 0.9], rel=1e-12)
    assert np.isnan(d[2])
    rows = apart.values[apart.values["measure"] == "effective_dimension"]
    assert rows["why"].str.startswith("no other setting has a value in common with the default").all()


def test_improvement_is_a_mean_over_environments() -> None:
    """In e b beats a, in f it loses."""
    rows = [(m, e, 0, s, score) for m, e, score in (*BOTH, ("b", "f", 0)) for s in (0, 1)]
    table = pd.DataFrame(rows, columns=["method", "e", "x", "s", "score"])
    found = measure(runs(table, hyper=["x"], environment="e", seed="s", score="score"))
    for of in ("any", "tuned", "default"):
        assert number(found, "improvement", of, "b", environment=None, other="a")[0] == 0.5


BOTH = [("a", "e", 1), ("a", "f", 1), ("b", "e", 2)]


def test_a_miss_counts_as_its_own_budget() -> None:
    """A count of 10, a miss of 100 iterations and one of 1000: logarithms 1, 2 and 3."""
    table = pd.DataFrame({"method": "a", "x": [0, 1, 2], "n": [10, INF, INF], "budget": [100, 100, 1000]})
    found = measure(runs(table, hyper=["x"], count="n", budget="budget"))
    assert number(found, "deviation", "count")[0] == pytest.approx((2 / 3) ** 0.5, rel=1e-12)
    assert number(found, "deviation", "hit")[0] == pytest.approx(2**0.5 / 3, rel=1e-12)


def test_a_line_of_rates_runs_through_the_best_setting() -> None:
    """Losses of x, y = 00, 01, 10, 11: 4, 3, 2, 1, before training 5. From 11 they are 3 and 1 along x,
    2 and 1 along y."""
    table = pd.DataFrame({"method": "a", "x": [0, 0, 1, 1], "y": [0, 1, 0, 1], "loss": [4.0, 3, 2, 1]})
    found = measure(runs(table.assign(start=5.0), hyper=["x", "y"], loss="loss", start="start"))
    assert number(found, "rate_sensitivity", "x")[0] == 1
    assert number(found, "rate_sensitivity", "y")[0] == 0.5


def test_what_is_no_table_of_runs() -> None:
    with pytest.raises(UserError, match=r"^runs: a pandas frame is needed"):
        runs("runs.csv", hyper=[])  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^measure: give it what sensitivity\.runs makes"):
        measure(pd.DataFrame())  # type: ignore[arg-type]
