"""Made-up measures of sensitivity, and what is read off their figures."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from matplotlib.text import Text

from harness.analysis import sensitivity
from harness.plots import style

BUDGET = 100.0
ENVIRONMENTS = ("paper-adam, inner_steps=5, target 2.5", "sinusoid, a rather long name for one, target 2.5")
NAMES = (
    *("maml", "alpha-maml", "fomaml", "anil", "meta-sgd", "reptile", "$CAVIA$", "BOIL", "iMAML", "WarpGrad"),
    *("a method whose name is rather long", "ours"),
)
SHARED = {"seed": "seed", "environment": "environment"}
WHOLE = SHARED | {"loss": "loss", "unit": "nats", "words": "validation loss"}
COUNTS = SHARED | {"count": "count", "evaluations": "evaluations", "budget": BUDGET}


@cache
def table(methods=2, environments=2, seeds=3):
    """Rates a and b of two values each. The first method hits everywhere, the others miss where a is 2; the
    last of more than two never hits but in the first environment."""
    rows = [
        {
            "method": NAMES[m],
            "environment": ENVIRONMENTS[e],
            "a": a,
            "b": b,
            "seed": s,
            "loss": 1 + m / 4 + abs(a - 1 - e) + b / 8 + s / 16,
            "count": 10.0 * a + m + b + s if a + (m > 0) < 3 and not (m == methods - 1 > 1 and e) else np.inf,
            "evaluations": 4.0,
        }
        for m in range(methods)
        for e in range(environments)
        for a in (1, 2)
        for b in (0, 1)
        for s in range(seeds)
    ]
    return pd.DataFrame(rows)


def measured(rows=None, **columns):
    rows = table() if rows is None else rows
    return sensitivity.measure(sensitivity.runs(rows, hyper=["a", "b"], **columns))


@cache
def both():
    passages = np.stack([table()["count"].to_numpy() * share for share in (0.5, 1)], axis=1)
    targets = {name: np.array([3.0, 2.5]) for name in ENVIRONMENTS}
    return measured(**(WHOLE | COUNTS), passages=passages, targets=targets)


def drawn(figure, measures, title=""):
    """The figure and its axes by label; of several alike a list."""
    with style.applied():
        fig = figure(measures, title)
        fig.draw_without_rendering()
    axes = {}
    for ax in fig.axes:
        axes.setdefault(ax.get_label(), []).append(ax)
    return fig, axes


def value(measures, measure, method, column="value", **where):
    rows = measures.values
    rows = rows[(rows["measure"] == measure) & (rows["method"] == method) & rows["other"].isna()]
    for name, wanted in where.items():
        rows = rows[rows[name] == wanted]
    (found,) = rows[column]
    return found


def said(fig):
    words = " ".join(text.get_text() for text in fig.findobj(Text))
    return " ".join(words.split())


def lines(ax, label):
    return [line for line in ax.lines if line.get_label() == label]
