"""Figures of any grid that is accepted can be read, and nothing is said while they are drawn.

Warnings are errors in these tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from harness.analysis.comparison import compare
from harness.plots import compare as comparison
from harness.plots import heatmap, losses, style
from harness.plots.texts import size
from tests.analysis.tables import table, trial
from tests.plots import synthetic, zoo
from tests.plots.legible import assert_legible
from tests.readings import reading

SIGNS = r"$x^2$ 5$ \beta0 beta0 ^_{ %&<b> \frac{ --> ]]>"
SCRIPTS = "漢字 हिन्दी العربية עברית 🚀 Ελληνικά Кириллица beta0 " * 3
LONG = (
    "paper-adam, train_characters=800, n_way=5, k_shot=5, filters=16, validation_every=10, head_init=normal, "
    "norm_eps=1.2345e-05, split_seed=9223372036854775807"
)
PLANE = {"x": "beta0", "y": "alpha0", "panels": ["method"]}
COUNTS = ["iterations_to_target", "iterations_to_target_sustained"]
NONE = synthetic.NONE


def panels(pairs: int = 1, rates: tuple[float, ...] = (0.1, 1.0, 10.0), **more: Any) -> pd.DataFrame:
    return synthetic.trials(synthetic.panels(synthetic.PAIRS[:pairs], rates, [1e-6, 1e-5, 1e-4]), **more)


def plane(alphas: Any, betas: Any) -> pd.DataFrame:
    return synthetic.trials(synthetic.landscape(alphas, betas))


def without_counts() -> pd.DataFrame:
    """A panel whose cells diverged, one whose cells failed, and one of which nothing was run."""
    frame = panels(3)
    outcomes = dict(zip([pair[0] for pair in synthetic.PAIRS], ("diverged", "failed", None), strict=False))
    frame["outcome"] = frame["ending"] = frame["alpha0"].map(outcomes)
    frame[COUNTS] = None
    return frame


def huge() -> pd.DataFrame:
    """Counts of seven digits, and halves."""
    frame = panels(2, seeds=2, budget=9_000_000)
    frame[COUNTS] = frame[COUNTS] * 10_007 + frame[["seed", "seed"]].to_numpy()
    return frame


def disagreeing() -> pd.DataFrame:
    """Squares with every mark, and shares of the seeds in them."""
    frame = panels(2, seeds=5)
    frame.loc[frame["seed"] > 0, ["outcome", "ending"]] = "diverged"
    frame.loc[frame["seed"] > 2, ["outcome", "ending"]] = "budget"
    frame.loc[frame["alpha_hyperlr"] == 1.0, ["outcome", "ending"]] = None
    frame.loc[(frame["alpha_hyperlr"] == 1.0) & (frame["seed"] == 1), ["outcome", "ending"]] = "diverged"
    frame.loc[frame["outcome"] != "reached", COUNTS] = None
    return frame


def readings(*labels: str, pairs: int = 2) -> pd.DataFrame:
    parts = [panels(pairs).assign(**reading(label)) for label in labels]
    return pd.concat(parts, ignore_index=True)


HEATMAPS: dict[str, Callable[[], tuple[pd.DataFrame, dict[str, Any]]]] = {
    "one cell": lambda: (synthetic.trials([("maml", 0.1, 1e-3, NONE, NONE)]), PLANE),
    "one cell and its baseline": lambda: (panels(1, (0.1,)), {}),
    "no powers of ten": lambda: (
        plane([0.15, 0.3, 1 / 3, 0.75], [1e-3, 1.0004e-3, 1.5e-4, 2.5e-5, 0.0123456]),
        PLANE,
    ),
    "linear": lambda: (plane(np.linspace(0.01, 0.1, 8), [0.1 + 0.2, 0.3, 1e-3, 1.0000001e-3]), PLANE),
    "zeros and extremes": lambda: (plane([0.0, 1e-300, 2.0], [0.0, 1e300, 1.5e-300]), PLANE),
    "large": lambda: (plane(np.linspace(0.01, 1, 12), np.geomspace(1e-7, 1e-1, 20)), PLANE),
    "long values in the panels' titles": lambda: (
        synthetic.trials(synthetic.panels([(1 / 3, 1.23456e-5), (0.1, 1e-5)], [0.1], [1e-6])),
        {},
    ),
    "two readings of nine panels": lambda: (
        pd.concat(
            [
                synthetic.trials(
                    synthetic.panels([(10.0**-k, 10.0**-k) for k in range(9)], [0.1], [1e-6])
                ).assign(**reading(label))
                for label in ("paper-adam", "paper-adam, k_shot=5")
            ],
            ignore_index=True,
        ),
        {"panels": ["protocol", "alpha0", "beta0"]},
    ),
    "long readings": lambda: (
        readings("paper-adam", LONG, f"{LONG}, meta_batch=8"),
        {"panels": ["protocol", "alpha0", "beta0"]},
    ),
    "huge counts": lambda: (huge(), {}),
    "many seeds": lambda: (panels(2, seeds=100), {}),
    "no counts": lambda: (without_counts(), {}),
    "seeds that disagree": lambda: (disagreeing(), {}),
    "a single panel": lambda: (panels(1), {"panels": []}),
    "a table of flat panels": lambda: (
        pd.concat([panels(3, (0.1,)).assign(**reading(label)) for label in ("paper-adam", LONG)]),
        {"panels": ["protocol", "alpha0", "beta0"]},
    ),
    "a table that is turned, with long names": lambda: (
        synthetic.third_method(readings("paper-adam", LONG, pairs=5)),
        {"panels": ["protocol", "alpha0", "beta0"]},
    ),
    "nothing run": lambda: (synthetic.not_run(panels(1)), {}),
    "a budget of 1": lambda: (panels(1, budget=1), {}),
    "a budget of a million": lambda: (panels(1, budget=1_000_000, seeds=2), {}),
    "signs in the title": lambda: (panels(1), {"title": SIGNS}),
    "other scripts in the title": lambda: (panels(1), {"title": SCRIPTS}),
    "a long title": lambda: (panels(1), {"title": "W" * 200}),
    "a last row with fewer panels": lambda: (
        synthetic.trials(synthetic.panels(synthetic.PAIRS, [0.1, 0.15, 10.0], [1.5e-6, 2e-5, 1e-4])),
        {},
    ),
    "another method": lambda: (synthetic.third_method(panels(2)), {}),
}


@pytest.mark.parametrize("case", HEATMAPS)
def test_a_heatmap(case: str, caplog: pytest.LogCaptureFixture) -> None:
    trials, figure = HEATMAPS[case]()
    with style.applied():
        fig = heatmap.draw(trials, synthetic.grid("heatmap", **figure))
    assert_legible(fig)
    assert not caplog.records


SOME = {
    method: {name: values[:3] for name, values in zoo.METHODS[method].items()}
    for method in ("reptile", "alpha-maml-multiplicative", "la-maml", "alpha-maml")
}


def zoos(*labels: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four methods under several protocols."""
    trials, curves = zip(*(zoo.tables(SOME, label=label) for label in labels), strict=True)
    return pd.concat(trials, ignore_index=True), pd.concat(curves, ignore_index=True)


def lines_of(count: int) -> zoo.Hyper:
    values = np.linspace(0.1, 1, count).tolist()
    return {"maml": {"alpha0": values, "beta0": values}}


ODD = [1e-300, 1e-3, 1.0000001e-3, 0.1 + 0.2, 0.3, 1e300]
LONG_NAMES = {
    "a_method_with_a_name_that_is_much_too_long_for_its_panel": {
        "a_hyper_parameter_with_a_long_name": ODD,
        "another_hyper_parameter_with_a_long_name": ODD,
        "a_third_one_of_them_with_a_long_name": [1.0, 2.0],
        "a_choice_with_a_long_name": ["a value with a long name as well", "$x^2$ 5$"],
    },
    "maml": {"alpha0": [1.0, 2.0]},
}
LOSSES: dict[str, Callable[[], tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]]] = {
    "the league": lambda: (*zoo.tables(zoo.METHODS, seeds=2), {}),
    "the best": lambda: (*zoo.tables(SOME), {"rest": "best"}),
    "squares without losses": lambda: (*zoo.tables(lines_of(4), times=-1e-200), {}),
    "a fine grid beside a coarse one": lambda: (
        *zoo.tables(lines_of(13) | {"reptile": zoo.METHODS["reptile"]}),
        {},
    ),
    "one square": lambda: (*zoo.tables({"maml": {"alpha0": [1.0]}}), {}),
    "a row": lambda: (*zoo.tables({"maml": {"alpha0": ODD}}), {}),
    "long names and odd values": lambda: (*zoo.tables(LONG_NAMES), {}),
    "losses of 1e300": lambda: (*zoo.tables(SOME, times=1e300), {}),
    "losses of 1e-300": lambda: (*zoo.tables(SOME, times=1e-300), {}),
    "negative losses": lambda: (*zoo.tables(SOME, times=-12345.6), {}),
    "losses of 0": lambda: (*zoo.tables(SOME, times=0.0), {}),
    "nothing run": lambda: (*zoo.not_run(zoo.tables(SOME)), {}),
    "all failed": lambda: (*zoo.not_run(zoo.tables(SOME), outcome="failed"), {}),
    "half of it run": lambda: (*zoo.not_run(zoo.tables(SOME, seeds=3), slice(50, None)), {}),
    "many seeds, some of them run": lambda: (*zoo.not_run(zoo.tables(zoo.ONE, 120), slice(1, None, 3)), {}),
    "long readings": lambda: (*zoos("paper-adam", LONG, f"{LONG}, meta_batch=8"), {}),
    "a target": lambda: (*zoo.tables(zoo.ONE, target_loss=0.1 + 0.2), {}),
    "signs in the title": lambda: (*zoo.tables(zoo.ONE), {"title": SIGNS}),
    "other scripts in the title": lambda: (*zoo.tables(zoo.ONE), {"title": SCRIPTS}),
}


@pytest.mark.parametrize("case", LOSSES)
def test_losses(case: str, caplog: pytest.LogCaptureFixture) -> None:
    trials, rows, figure = LOSSES[case]()
    with style.applied():
        fig = losses.draw(trials, rows, synthetic.grid("losses", **figure))
    assert_legible(fig)
    assert not caplog.records


@pytest.mark.parametrize("budget", [1, 500, 100_000, 10_000_000])
def test_a_comparison(budget: int) -> None:
    counts = [max(budget // 3**k, 1) for k in range(12)]
    sides = [
        table(
            *(
                trial(f"c{k}", count + side, max_iterations=budget, n_way=20)
                for k, count in enumerate(counts)
            ),
            trial("missed", "budget", max_iterations=budget, n_way=20),
        )
        for side in (0, budget // 1000)
    ]
    with style.applied():
        compared = compare(sides[1].assign(device="cuda"), sides[0], None)
        fig = comparison.draw(compared, None, sides[0], SIGNS)
    assert_legible(fig)


def texts(*places: tuple[float, float]) -> Figure:
    fig = Figure(figsize=(2, 1), dpi=style.DPI)
    for x, y in places:
        fig.text(x, y, "word", size=8)
    return fig


def test_the_check_sees_what_cannot_be_read() -> None:
    assert_legible(texts((0.1, 0.1), (0.6, 0.1), (0.1, 0.6)))
    with pytest.raises(AssertionError, match="lies over"):
        assert_legible(texts((0.1, 0.1), (0.2, 0.15)))
    with pytest.raises(AssertionError, match="lies over"):
        assert_legible(texts((0.1, 0.1), (0.1 + size("word", 8)[0] / 2, 0.1)))  # without a gap
    for outside in ((-0.05, 0.1), (0.9, 0.1), (0.1, 0.97), (0.1, -0.05)):
        with pytest.raises(AssertionError, match="leaves the figure"):
            assert_legible(texts(outside))
