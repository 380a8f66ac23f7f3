"""The numbers of docs/sensitivity.md and of the README's first screen, made from the reference records.

`harness publish page` makes them again; a test checks that they are up to date.
"""

from __future__ import annotations

import math
from functools import cache, partial
from pathlib import Path

import pandas as pd

from harness.analysis import sensitivity
from harness.analysis.sensitivity.effects import grouped
from harness.analysis.sensitivity.in_environment import EVALUATIONS, ITERATIONS
from harness.analysis.sensitivity.shares import JOINT, SEED
from harness.analysis.sensitivity.tables import Passage, of_tables
from harness.analysis.sensitivity.texts import Numbers, number, percent, with_interval
from harness.common import pages, places
from harness.common.text import markdown_table
from harness.methods import METHODS
from harness.plots import render, style
from harness.plots.measures import figures
from harness.records import reference, tables
from harness.study import league_tables, races, scale_free
from harness.study.league import ALPHA_MAML, LEAGUE, MAML

README, PAGE = places.ROOT / "README.md", places.ROOT / "docs" / "sensitivity.md"
GRIDS = ("fig2", "fig1", "readings", "fig1-readings", "fig2-sgd", "fig1-sgd", "landscape-sgd")
"""All of the reference with both methods and this target, or none."""
TARGET = 2.5
PAIR = "alpha0+beta0"
"""The factor of fig2's initial rates, which are varied together."""
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
    return sensitivity.measure(of_tables(asked, Passage(target=TARGET, sustained=sustained)))


@cache
def numbers(*grids: str, sustained: bool = False) -> Numbers:
    """The same by their keys."""
    return Numbers(measured(*grids, sustained=sustained))


def headline() -> str:
    """MAML beside Alpha-MAML on fig2, in five lines."""
    known = numbers("fig2")
    (where,) = known.runs.environments
    both = (MAML, ALPHA_MAML)
    effects = {name: known.effects("share_of_count", name, where) for name in both}
    others = {PAIR, SEED}
    own = [share for effect, share in effects[ALPHA_MAML].items() if not others & {*effect.split(JOINT)}]
    settings = [known.value("settings", name, where) for name in both]
    reached = [percent(known.value("reached", name, where)) for name in both]
    rows = [
        [
            "settings of the grid that reach the target",
            *(f"{share} of {count:.0f}" for share, count in zip(reached, settings, strict=True)),
        ],
        [
            "iterations that random search over the grid spends until one does",
            *(known.text("tuning_cost", name, where, ITERATIONS) for name in both),
        ],
        [
            "standard deviation of the counts, in decades",
            *(number(known.value("deviation", name, where, "count")) for name in both),
        ],
        [
            "share of that variance from the initial rates alone",
            f"{percent(effects[MAML][PAIR])}: nothing else varies",
            percent(effects[ALPHA_MAML][PAIR]),
        ],
        ["from its hyper-rates alone", "it has none", percent(sum(own))],
    ]
    return markdown_table(["", "MAML", "Alpha-MAML"], rows)


def cost() -> str:
    """Who reaches the target, and what random search spends, in each environment of the reference."""
    rows = []
    for grid in GRIDS:
        first, sustained = numbers(grid), numbers(grid, sustained=True)
        for place, one in first.present():
            key = one.name, place
            ratios = [known.find("tuning_cost", *key, ITERATIONS, other=MAML) for known in (first, sustained)]
            rows.append(
                (
                    f"`{grid}`, {first.names[place]}",
                    METHODS[one.name].title,
                    f"{first.value('settings', *key):.0f}",
                    percent(first.value("reached", *key)),
                    first.text("tuning_cost", *key, ITERATIONS),
                    *("1" if ratio is None else with_interval(ratio) for ratio in ratios),
                    number(first.value("tuning_cost", *key, EVALUATIONS)),
                )
            )
    head = ("grid, protocol", "method", "settings", "reach it", "tuning cost, iterations", "of MAML's")
    return markdown_table((*head, "sustained", "gradient evaluations"), rows)


def shares() -> str:
    """Of fig2 and fig2-sgd: where the variance of the counts and of the hits comes from."""
    named = (PAIR, "alpha_hyperlr", "beta_hyperlr", f"alpha_hyperlr{JOINT}beta_hyperlr")
    rows = []
    for grid in ("fig2", "fig2-sgd"):
        known = numbers(grid)
        for place, one in known.present():
            for measure, of in (("share_of_count", "log count"), ("share_of_hit", "hit")):
                effects = known.effects(measure, one.name, place)
                shown = [effects.get(effect, math.nan) for effect in named]
                found = grouped(effects, one.factors_in(place))
                seed = found.seed if found.of_seed else math.nan
                rest = sum(effects.values()) - sum(share for share in (*shown, seed) if not math.isnan(share))
                texts = [percent(share) for share in (*shown, rest, seed)]
                spread = number(known.value("deviation", one.name, place, measure.removeprefix("share_of_")))
                rows.append([f"`{grid}`", METHODS[one.name].title, of, spread, *texts])
    head = (
        "grid",
        "method",
        "of the",
        "deviation",
        "initial rates",
        "alpha_hyperlr",
        "beta_hyperlr",
        "these two jointly",
    )
    return markdown_table((*head, "other interactions", "seed"), rows)


OVER_ALL = ("tuned", "default", "sensitivity", "effective_dimension")


def environments() -> str:
    """Over the environments of `readings`: sensitivity, dimension, and the scores that they are made of."""
    rows = [
        [
            METHODS[one.name].title,
            passage,
            str(len(one.factors)),
            *(number(known.value(measure, one.name)) for measure in OVER_ALL),
        ]
        for passage, known in (
            ("first", numbers("readings")),
            ("sustained", numbers("readings", sustained=True)),
        )
        for one in known.runs.methods
    ]
    return markdown_table(("method", "passage", "factors", "tuned", "default", "Phi", "d"), rows)


def ppo() -> str | None:
    """The seven variants of PPO of Adkins et al.; None where their table is not at hand."""
    if not PPO.exists():
        return None
    known = Numbers(sensitivity.measure(ppo_runs()))
    rows = [
        [name, *(f"{known.value(measure, variant):.3f}" for measure in OVER_ALL)]
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
    **{function.__name__: function for function in (headline, cost, shares, environments, ppo)},
    **{grid: partial(league_tables.costs, grid) for grid in LEAGUE},
    **{
        function.__name__: function
        for function in (
            *(league_tables.standing, league_tables.best_settings, league_tables.one_choice),
            *(scale_free.knob, scale_free.long_runs, scale_free.readings, scale_free.others),
        )
    },
    **{
        f"race_{function.__name__}": function
        for function in (races.in_short, races.worth, races.costs, races.gains)
    },
}
FIGURES = {"budget": "fig2", "shares": "fig2", "ecdf": "fig2", "performance": "readings"}
"""The page's figures, and the grid that each is of."""
OF_LEAGUE = ("performance", "budget", "shares")
"""Those of the league's grids together."""


def write() -> list[Path]:
    """Make the tables and figures again. Returns the files written."""
    return [pages.write(README, TABLES), pages.write(PAGE, TABLES), *_figures(PAGE.parent)]


def _figures(folder: Path) -> list[Path]:
    drawn = {f"sensitivity-{name}": (name, measured(grid), grid) for name, grid in FIGURES.items()}
    league = sensitivity.measure(league_tables.together())
    drawn |= {f"league-{name}": (name, league, "The league") for name in OF_LEAGUE}
    drawn["league-ecdf"] = "ecdf", league_tables.measured(LEAGUE[0]), LEAGUE[0]
    paths = []
    with style.applied():
        for stem, (name, measures, title) in drawn.items():
            _, draw = figures.FIGURES[name]
            paths.append(folder / f"{stem}.png")
            style.save(draw(measures, title), paths[-1])
        for grid in LEAGUE:
            paths.append(folder / f"race-{grid}.png")
            style.save(races.draw(grid), paths[-1])
        first = league_tables.read(LEAGUE[0])
        paths.append(folder / f"{LEAGUE[0]}.png")
        style.save(render.draw(first.trials, first.trajectories, first.about["grid"], first.about), paths[-1])
    return paths
