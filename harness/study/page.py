"""The numbers of docs/sensitivity.md and of the README's first screen, made from the reference records.

`harness publish page` makes them again; a test checks that they are up to date.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from harness.analysis import sensitivity
from harness.analysis.sensitivity.in_environment import EVALUATIONS, ITERATIONS
from harness.analysis.sensitivity.shares import JOINT, SEED
from harness.analysis.sensitivity.tables import Passage, of_tables
from harness.common import pages, places
from harness.common.text import markdown_table
from harness.methods import METHODS

# from harness.plots import measures as figures
# from harness.plots import style
from harness.records import reference, tables

README, PAGE = places.ROOT / "README.md", places.ROOT / "docs" / "sensitivity.md"
GRIDS = ("fig2", "fig2-sgd", "landscape-sgd", "readings")
PPO = places.ROOT.parent / "shared" / "adkins" / "ppo_expected_over_seeds.csv"
"""The public table of Adkins et al. (2024). It is not part of this project."""
PPO_NAMES = {
    "lambda_ac": "PPO",
    "norm_obs": "observations normalized",
    "symlog_obs": "symlog of observations",
    "symlog_critic_targets": "symlog of value targets",
    "advn_norm_mean": "advantages normalized in each minibatch",
    "advn_norm_max_ema": "advantages scaled by percentiles, bounded below",
    "advn_norm_ema": "advantages scaled by percentiles",
}
"""As that study's figures name its variants."""


@cache
def measured(*grids: str, sustained: bool = False) -> sensitivity.Measures:
    """The measures of some grids of the reference together."""
    asked = {grid: tables.read(reference.find(grid)) for grid in grids}
    return sensitivity.measure(of_tables(asked, Passage(sustained=sustained)))


def number(value: float) -> str:
    """Three significant digits: `1170`, `258`, `0.0424`."""
    if not math.isfinite(value):
        return "never"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percent(value: float) -> str:
    """A share: `79 %`."""
    return f"{abs(round(100 * value))} %"


def with_interval(row: pd.Series, show: object = number) -> str:
    """`258 (252 to 263)`, without the brackets where there is no interval."""
    say = show if callable(show) else number
    shown = str(say(row["value"]))
    if pd.isna(row["low"]) or say(row["low"]) == say(row["high"]):
        return shown
    return f"{shown} ({say(row['low'])} to {say(row['high'])})"


def one(
    values: pd.DataFrame, measure: str, method: str, environment: str | None = None, of: str = "", **more: str
) -> pd.Series:
    """The row of a number. Raises ValueError if there is not just one."""
    same = {"measure": measure, "method": method, "of": of, **more}
    rows = values[
        values["environment"].isna() if environment is None else values["environment"] == environment
    ]
    rows = rows[rows["other"].notna() if "other" in more else rows["other"].isna()]
    for name, value in same.items():
        rows = rows[rows[name] == value]
    (row,) = (row for _, row in rows.iterrows())
    return row


def title(method: str) -> str:
    """`Alpha-MAML`."""
    return METHODS[method].title if method in METHODS else method


MAML, ALPHA = "maml", "alpha-maml"


def headline() -> str:
    """MAML beside Alpha-MAML on fig2, in four lines."""
    found = measured("fig2")
    (environment,), values = found.runs.environments, found.values
    reached = [one(values, "reached", name, environment) for name in (MAML, ALPHA)]
    sizes = [one(values, "settings", name, environment)["value"] for name in (MAML, ALPHA)]
    cost = [one(values, "tuning_cost", name, environment, ITERATIONS) for name in (MAML, ALPHA)]
    by = {name: shares_of(values, "share_of_count", name, environment) for name in (MAML, ALPHA)}
    own = [effect for effect in by[ALPHA] if effect != SEED and "alpha0" not in effect]
    rows = [
        [
            "settings of its grid that reach the target",
            *(f"{percent(row['value'])} of {size:.0f}" for row, size in zip(reached, sizes, strict=True)),
        ],
        [
            "iterations that random search over the grid spends until one does",
            *map(with_interval, cost),
        ],
        [
            "variance of its counts that comes from the initial rates alone",
            *(percent(by[name]["alpha0+beta0"]) for name in (MAML, ALPHA)),
        ],
        [
            "from its hyper-rates alone",
            "it has none",
            percent(sum(by[ALPHA][effect] for effect in own if SEED not in effect.split(JOINT))),
        ],
    ]
    return markdown_table(["", "MAML", "Alpha-MAML"], rows)


def shares_of(values: pd.DataFrame, measure: str, method: str, environment: str) -> dict[str, float]:
    """Effect -> its share; empty where there are none."""
    rows = values[(values["measure"] == measure) & (values["environment"] == environment)]
    rows = rows[(rows["method"] == method) & rows["value"].notna()]
    return dict(zip(rows["of"], rows["value"], strict=True))


def cost() -> str:
    """Who reaches the target, and what random search spends, in each environment of the reference."""
    head = ("grid, protocol", "method", "settings", "reach it", "tuning cost, iterations")
    rows = []
    for grid in GRIDS:
        found = measured(grid)
        for environment in found.runs.environments:
            for method in found.runs.methods:
                rows.append(_cost(grid, found.values, environment, method.name))
    return markdown_table((*head, "sustained", "of MAML's", "gradient evaluations"), rows)


def _cost(grid: str, values: pd.DataFrame, environment: str, method: str) -> Sequence[str]:
    sustained = measured(grid, sustained=True).values
    ratio = "1"
    if method != MAML:
        ratio = with_interval(one(values, "tuning_cost", method, environment, ITERATIONS, other=MAML))
    return (
        f"`{grid}`, {environment.partition(', target')[0]}",
        title(method),
        number(one(values, "settings", method, environment)["value"]),
        with_interval(one(values, "reached", method, environment), percent),
        with_interval(one(values, "tuning_cost", method, environment, ITERATIONS)),
        with_interval(one(sustained, "tuning_cost", method, environment, ITERATIONS)),
        ratio,
        with_interval(one(values, "tuning_cost", method, environment, EVALUATIONS)),
    )


def shares() -> str:
    """Of fig2 and fig2-sgd: where the variance of the counts and of the hits comes from."""
    effects = ("alpha0+beta0", "alpha_hyperlr", "beta_hyperlr", f"alpha_hyperlr{JOINT}beta_hyperlr")
    rows = []
    for grid in ("fig2", "fig2-sgd"):
        found = measured(grid)
        (environment,) = found.runs.environments
        for method in found.runs.methods:
            for measure, of in (("share_of_count", "log count"), ("share_of_hit", "hit")):
                known = shares_of(found.values, measure, method.name, environment)
                named = [known.get(effect) for effect in effects]
                seeds = sum(share for effect, share in known.items() if SEED in effect.split(JOINT))
                rest = sum(known.values()) - sum(filter(None, named)) - seeds
                shown = ["" if share is None else percent(share) for share in named]
                has_seed = SEED in known
                rows.append(
                    [
                        f"`{grid}`",
                        title(method.name),
                        of,
                        *shown,
                        percent(rest),
                        percent(seeds) if has_seed else "",
                    ]
                )
    head = ("grid", "method", "of the", "initial rates", "alpha_hyperlr", "beta_hyperlr", "these two jointly")
    return markdown_table((*head, "other interactions", "with the seed"), rows)


def environments() -> str:
    """Over the environments of `readings`: sensitivity, dimension, and the scores that they are made of."""
    found = measured("readings")
    rows = [
        [
            title(method.name),
            str(len(method.hyper)),
            *(
                number(one(found.values, measure, method.name)["value"])
                for measure in ("tuned", "default", "sensitivity", "effective_dimension")
            ),
        ]
        for method in found.runs.methods
    ]
    head = ("method", "hyper-parameters", "tuned for each", "one setting for all", "sensitivity Phi")
    return markdown_table((*head, "effective dimension"), rows)


def ppo() -> str | None:
    """The seven variants of PPO of Adkins et al.; None where their table is not at hand."""
    if not PPO.exists():
        return None
    found = sensitivity.measure(ppo_runs())
    rows = [
        [
            name,
            *(
                f"{one(found.values, measure, variant)['value']:.3f}"
                for measure in ("tuned", "default", "sensitivity", "effective_dimension")
            ),
        ]
        for variant, name in PPO_NAMES.items()
    ]
    return markdown_table(("variant", "tuned", "default", "Phi", "d"), rows)


def ppo_runs() -> sensitivity.Runs:
    """Their table as runs."""
    return sensitivity.runs(
        pd.read_csv(PPO),
        method="alg_type",
        environment="env_name",
        hyper=["gae_lambda", "ent_coef", "actor_lr", "critic_lr"],
        gamma="percentile_normalized_return",
    )


TABLES: pages.Tables = {
    function.__name__: function for function in (headline, cost, shares, environments, ppo)
}


def write() -> list[Path]:
    """Make the tables and figures again. Returns the files written."""
    return [pages.write(README, TABLES), pages.write(PAGE, TABLES), *_figures(PAGE.parent)]


def _figures(folder: Path) -> list[Path]:
    return []
