"""Phi and d of the public table of Adkins, Bowling and White (2024): seven variants of PPO.

Beside a computation that shares nothing with ours, and beside pinned values.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import measure, runs
from harness.common.places import ROOT

TABLE = ROOT.parent / "shared" / "adkins" / "ppo_expected_over_seeds.csv"
HYPER = ["gae_lambda", "ent_coef", "actor_lr", "critic_lr"]
GAMMA = "percentile_normalized_return"

pytestmark = pytest.mark.skipif(not TABLE.exists(), reason=f"the table is not at {TABLE}")

PINNED = {
    "advn_norm_ema": (0.256525, 2.963697),
    "advn_norm_max_ema": (0.144350, 1.253682),
    "advn_norm_mean": (0.138357, 0.831628),
    "lambda_ac": (0.102538, 0.824841),
    "norm_obs": (0.077471, 0.436814),
    "symlog_critic_targets": (0.118567, 1.307906),
    "symlog_obs": (0.108867, 1.931631),
}
"""Phi and d."""


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(TABLE)


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """What we measure over all environments, by measure and method."""
    found = measure(runs(table, hyper=HYPER, method="alg_type", environment="env_name", gamma=GAMMA))
    found = found.values[found.values["environment"].isna() & found.values["other"].isna()]
    found = found[found["of"] == ""]
    return found.pivot(index="measure", columns="method", values="value")


@pytest.fixture(scope="module")
def values(table: pd.DataFrame) -> pd.DataFrame:
    return measured(table)


def phi_in_pandas(table: pd.DataFrame) -> pd.DataFrame:
    """`tuned`, `default` and their difference, by method."""
    tuned = table.groupby(["alg_type", "env_name"])[GAMMA].max().groupby("alg_type").mean()
    settings = table.groupby(["alg_type", *HYPER])[GAMMA].agg(["size", "mean"])
    everywhere = settings[settings["size"] == table["env_name"].nunique()]
    default = everywhere["mean"].groupby("alg_type").max()
    return pd.DataFrame({"tuned": tuned, "default": default, "phi": tuned - default})


def dimension_in_loops(rows: pd.DataFrame) -> float:
    """d of one method, over dictionaries: setting -> environment -> Gamma."""
    runs_of: dict[tuple, dict[str, float]] = {}
    for row in rows.to_dict("records"):
        runs_of.setdefault(tuple(row[name] for name in HYPER), {})[row["env_name"]] = row[GAMMA]
    environments = sorted(rows["env_name"].unique())
    common = {h: own for h, own in runs_of.items() if len(own) == len(environments)}
    default = max(common, key=lambda h: sum(common[h].values()))
    reached = []
    for k in range(len(HYPER)):
        best = -np.inf
        for fixed in combinations(range(len(HYPER)), len(HYPER) - k):
            kept = [own for h, own in common.items() if all(h[i] == default[i] for i in fixed)]
            best = max(best, sum(max(own[e] for own in kept) for e in environments) / len(environments))
        reached.append(best)
    anywhere = [max(own[e] for own in runs_of.values() if e in own) for e in environments]
    reached.append(sum(anywhere) / len(environments))
    k = next(k for k, score in enumerate(reached) if score >= 0.95 * reached[-1])
    if k == 0:
        return 0.0
    return k - 1 + (0.95 * reached[-1] - reached[k - 1]) / (reached[k] - reached[k - 1])


def test_phi_is_that_of_pandas(table: pd.DataFrame, values: pd.DataFrame) -> None:
    expected = phi_in_pandas(table)
    assert set(values.columns) == set(expected.index) == set(PINNED)
    for ours, theirs in (("tuned", "tuned"), ("default", "default"), ("sensitivity", "phi")):
        assert values.loc[ours].to_dict() == pytest.approx(expected[theirs].to_dict(), abs=1e-12)


def test_d_is_that_of_loops_over_subsets(table: pd.DataFrame, values: pd.DataFrame) -> None:
    expected = {name: dimension_in_loops(rows) for name, rows in table.groupby("alg_type")}
    assert values.loc["effective_dimension"].to_dict() == pytest.approx(expected, abs=1e-12)


def test_phi_and_d_are_pinned(values: pd.DataFrame) -> None:
    found = zip(*(values.loc[name] for name in ("sensitivity", "effective_dimension")), strict=True)
    assert dict(zip(values.columns, found, strict=True)) == {
        name: pytest.approx(pair, abs=5e-7) for name, pair in PINNED.items()
    }


def test_the_conclusion_of_the_paper(values: pd.DataFrame) -> None:
    """Scaling by percentiles scores more than PPO where tuned, at the price of more sensitivity."""
    for name in ("advn_norm_ema", "advn_norm_max_ema"):
        assert values.loc["tuned", name] > values.loc["tuned", "lambda_ac"]
        assert values.loc["sensitivity", name] > values.loc["sensitivity", "lambda_ac"]


def test_the_order_of_the_rows_does_not_matter(table: pd.DataFrame, values: pd.DataFrame) -> None:
    """None of the seven has two best defaults."""
    again = measured(table.sample(frac=1, random_state=0))
    for name in ("sensitivity", "effective_dimension"):
        assert again.loc[name].to_dict() == pytest.approx(values.loc[name].to_dict(), abs=1e-12)
