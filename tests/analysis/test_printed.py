"""The table that a paper would print, against tables whose medians are seen at a glance."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from harness.analysis.printed import printed
from harness.records.export.asked import Printed
from tests.analysis.tables import table, trial

ABOUT = {"grid": {"title": "Counts."}}


def of(*rows: dict[str, Any]) -> Printed:
    filled = [row | {"n_way": 20} for row in rows]
    return printed(table(*filled), ABOUT)


def seeds(*firsts: int | str | None, **more: Any) -> list[dict[str, Any]]:
    """A setting; a sustained passage is 9 later. Anything that is no count is how the run ended."""
    return [
        trial(
            f"{more} {seed}",
            first,
            first + 9 if isinstance(first, int) else None,
            seed=seed,
            ending="stopped" if isinstance(first, int) else first,
            **more,
        )
        for seed, first in enumerate(firsts)
    ]


def test_a_row_is_a_setting_and_a_miss_is_infinite() -> None:
    """Medians of 40, 61 and a miss; of two misses and 9; of 10 and 11."""
    shown = of(
        *seeds(40, 61, "budget"),
        *seeds("budget", 9, "diverged", alpha0=0.01),
        *seeds(10, 11, None, method="alpha-maml", alpha_hyperlr=0.1, beta_hyperlr=1e-5),
        *seeds(None, None, None, alpha0=1.0),
        *seeds("failed", None, None, alpha0=2.0),
    )
    assert shown.hyper == ("alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr")
    rows = shown.rows.astype(object).where(shown.rows.notna(), None)
    assert rows.to_dict("list") == {
        "method": ["MAML", "MAML", "Alpha-MAML", "MAML", "MAML"],
        "alpha0": [0.1, 0.01, 0.1, 1.0, 2.0],
        "beta0": [1e-3] * 5,
        "alpha_hyperlr": [None, None, 0.1, None, None],
        "beta_hyperlr": [None, None, 1e-5, None, None],
        "reached": ["2/3", "1/3", "2/2", "not run", "failed"],
        "first passage": ["61", "–", "10.5", "", ""],
        "sustained": ["70", "–", "19.5", "", ""],
        "diverged": ["0", "1", "0", "", ""],
    }


def test_the_caption_says_what_was_measured() -> None:
    assert of(*seeds(40, 61)).caption == (
        "Counts. Omniglot, 20-way; protocol paper-adam; budget 500 iterations; seeds 0-1. First passage: the "
        "first iteration with a training loss of 2.5 nats or less; sustained: the first with a mean of ten "
        "losses as low, which lags. Medians over seeds, where a miss is infinite; –: the median run misses. "
        "Reached: of the finished runs, those with a first passage."
    )
    assert "; diverged: runs that ended so." in of(*seeds("diverged")).caption


def test_several_protocols_have_a_column() -> None:
    other = {"preset": "paper-adam", "changes": '{"k_shot": 5}'}
    shown = of(*seeds(40), *seeds(50, **other))
    assert shown.rows["protocol"].tolist() == ["paper-adam", "k_shot=5"]
    assert "protocols paper-adam; k_shot=5;" in shown.caption


def losses(*values: float | str, **more: Any) -> list[dict[str, Any]]:
    """A setting without a target. A text is how the run ended, with the loss 7."""
    return [
        trial(
            f"{more} {seed}",
            value if isinstance(value, str) else "budget",
            seed=seed,
            target_loss=math.nan,
            ending=value if isinstance(value, str) else "budget",
            final_val_loss=7.0 if isinstance(value, str) else value,
            final_train_loss=7.0 if isinstance(value, str) else value + 0.25,
            final_val_accuracy=0.5,
            **more,
        )
        for seed, value in enumerate(values)
    ]


def test_without_a_target_the_losses_at_the_end() -> None:
    """Medians of 1, 2, 4 and of 1, a divergence, 4; half of the runs diverged; none was validated."""
    shown = of(
        *losses(1.0, 2.0, 4.0),
        *losses(1.0, "diverged", 4.0, alpha0=0.01),
        *losses(1.0, "diverged", alpha0=1.0),
        *[row | {"final_val_loss": None, "final_val_accuracy": None} for row in losses(3.0, alpha0=2.0)],
    )
    assert shown.rows.drop(columns=[*shown.hyper]).to_dict("list") == {
        "method": ["MAML"] * 4,
        "runs": ["3", "3", "2", "1"],
        "validation loss": ["2.000", "4.000", "–", ""],
        "training loss": ["2.250", "4.250", "–", "3.250"],
        "validation accuracy": ["0.500", "–", "–", ""],
        "diverged": ["0", "1", "1", "0"],
    }
    assert "the loss of a run that diverged is infinite. –: the median run diverged" in shown.caption


def test_columns_that_nothing_measured_are_left_out() -> None:
    rows = [row | {"final_val_loss": None, "final_val_accuracy": None} for row in losses(3.0)]
    shown = of(*rows)
    assert list(shown.rows) == ["method", "alpha0", "beta0", "runs", "training loss"]
    assert "diverged" not in shown.caption


@pytest.mark.parametrize(("many", "heads"), [(6, 8), (7, 3)])
def test_many_hyper_parameters_share_a_column(many: int, heads: int) -> None:
    names = [f"h{i}" for i in range(many)]
    rows = pd.DataFrame([{"method": "m", **dict.fromkeys(names, 0.5), "reached": "1/1"}])
    rows.loc[0, "h1"] = None
    shown = Printed(caption="", rows=rows, hyper=tuple(names))
    found, (row,) = shown.laid_out(str.upper, str, lambda values: {value: f"{value:g}" for value in values})
    assert len(found) == len(row) == heads
    if many == 7:
        assert found == ["METHOD", "hyper-parameters", "REACHED"]
        assert row == ["M", "h0 = 0.5, h2 = 0.5, h3 = 0.5, h4 = 0.5, h5 = 0.5, h6 = 0.5", "1/1"]
