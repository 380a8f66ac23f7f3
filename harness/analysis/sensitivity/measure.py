"""All measures of a table of runs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analysis.sensitivity import in_environment, over_environments
from harness.analysis.sensitivity.chosen import chosen
from harness.analysis.sensitivity.resamples import DRAWS, resamples
from harness.analysis.sensitivity.rows import Rows
from harness.analysis.sensitivity.runs import Runs
from harness.common.errors import UserError


@dataclass(frozen=True, kw_only=True, eq=False)
class Measures:
    """What `measure` returns."""

    values: pd.DataFrame
    """One row for each number. Its columns:

    - `measure`: one of rows.MEASURES, which says what it is
    - `method`; `other`: null, or the method beside which it is set. The value then is method minus other, or
      method / other, and `unit` is `difference` or `ratio`; for `improvement` it is a probability
    - `environment`; null: over all environments
    - `of`: what it is of, see below; empty for the others
    - `unit`: empty: none
    - `value`, `low`, `high`: the number, and the ends of its interval over seeds; null: there is none, and
      `why` says why. A cost is infinite where a seed has no hit, and `why` says that
    - `seeds`: how many it is of, `why`: one line, or empty

    Over all environments, on the seeds that all of them have; of scores as Gamma:

    | measure | `of` | unit | |
    |---|---|---|---|
    | `sensitivity`, `tuned`, `default` | | Gamma | `tuned` also with one environment |
    | `effective_dimension` | | factors | |
    | `tuned_held_out`, `default_held_out` | | Gamma | |
    | `interquartile_mean` | `tuned`, `default` | Gamma | of the held-out scores |
    | `improvement` | `tuned`, `default`, `any` | probability | always with `other`; a tie counts half |

    In each environment, on its own seeds; the score's unit is that of the table, `decades` for counts:

    | measure | `of` | unit |
    |---|---|---|
    | `settings`, `seeds_without_hit` | | settings, seeds |
    | `best`, `mean` | | the score's |
    | `tunability` | `total`, and each factor: the others keep the default | the score's |
    | `rate_sensitivity` | `total`, and each factor: the others keep the best | the score's |
    | `reached` | | share of settings |
    | `robust_area` | the factor, `2` | share of settings |
    | `tuning_cost`, `tuning_cost_with_replacement` | the unit again | iterations, gradient evaluations |
    | `deviation` | `count`, `hit`, `score`: what the shares are of | decades, none, the score's |
    | `share_of_count`, `share_of_hit`, `share_of_score` | the effect: `alpha0:seed` | share of variance |

    A factor is a hyper-parameter, or several that were varied together: `alpha0+beta0`. Rows with `other` are
    there for `improvement`, for costs (ratio), and for all others but `settings`, `seeds_without_hit`, shares
    and what is of a single factor (difference).
    """
    curves: pd.DataFrame
    """One row for each point of a curve. Its columns: `curve` (one of rows.CURVE_WORDS), `method`,
    `environment`, `x`, `value`, `low`, `high`, `unit`, `seeds`.

    | curve | x | unit |
    |---|---|---|
    | `dimension`, without environment | 0, 1, ... factors tuned for each environment | Gamma |
    | `budget` | 1, 2, ... settings tried, each once; of many settings 200 points | the score's |
    | `hit` | the same | probability |
    | `profile` | 1 ... 100, a factor | share of settings |
    | `ecdf` | iterations | share of settings and targets |
    """
    chosen: pd.DataFrame
    """The settings that the numbers speak of. One row for each method and environment, its best setting; and,
    of several environments, one for its default, best for all of them. Columns: `method`, `environment`
    (null: the default), `setting` (a JSON object of the hyper-parameters that vary), `value` (its score as in
    `best`; of the default Gamma, as in `default`), `unit`, `edges`: its numbers at an end of their
    range, with commas: there the grid may be too small, and a verdict may depend on that."""
    runs: Runs
    """What was measured."""


def measure(runs: Runs, draws: int = DRAWS, rng: np.random.Generator | None = None) -> Measures:
    """Everything that the table allows.

    `draws`, `rng`: of the resamples where there are more than six seeds, see resamples.
    """
    if not isinstance(runs, Runs):
        raise UserError("measure: give it what sensitivity.runs makes of a table")
    rows, common = Rows(), runs.common_seeds
    # Drawn once for each set of seeds: where two environments have the same, they are resampled together.
    samples = {used.tobytes(): used for used in (common, *runs.has_seed)}
    drawn = {key: resamples(used, draws, rng) for key, used in samples.items()}
    over_environments.measure(runs, drawn[common.tobytes()], rows)
    for place, used in enumerate(runs.has_seed):
        in_environment.measure(runs, place, drawn[used.tobytes()], rows)
    rows.compare([one.name for one in runs.methods])
    values, curves = rows.frames()
    return Measures(values=values, curves=curves, chosen=chosen(runs), runs=runs)
