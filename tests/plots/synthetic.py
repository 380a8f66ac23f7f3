"""Made-up frames that look like a real grid's, for the tests of the figures."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from tests.readings import TRAJECTORIES, TRIALS, reading

PAIRS = [(10.0**-k, 10.0 ** -(k + 2)) for k in range(1, 6)]
ALPHA_HYPERLRS = [10.0**k for k in range(-3, 3)]
BETA_HYPERLRS = [10.0**k for k in range(-8, -2)]
NONE = float("nan")
LEAST = 1e-20  # so that a rate of 0 has a count too


def grid(kind: str, title: str = "Iterations to the target", **figure: object) -> dict:
    """A grid as its model dumps to JSON, as far as figures read it."""
    if kind == "heatmap":
        axes = {"x": "beta_hyperlr", "y": "alpha_hyperlr", "panels": ["alpha0", "beta0"]}
        figure = axes | figure
    return {"name": "made-up", "title": title, "figure": {"kind": kind, **figure}}


def panels(pairs=PAIRS, ahs=ALPHA_HYPERLRS, bhs=BETA_HYPERLRS) -> list[tuple]:
    """The cells of fig2: MAML, then Alpha-MAML, pair by pair."""
    cells = []
    for a0, b0 in pairs:
        cells.append(("maml", a0, b0, NONE, NONE))
        cells += [("alpha-maml", a0, b0, ah, bh) for ah, bh in itertools.product(ahs, bhs)]
    return cells


def landscape(a0s, b0s) -> list[tuple]:
    """The cells of the landscape: MAML, and Alpha-MAML at one pair of hyper-rates."""
    cross = list(itertools.product(a0s, b0s))
    return [("maml", a, b, NONE, NONE) for a, b in cross] + [
        ("alpha-maml", a, b, 0.1, 1e-6) for a, b in cross
    ]


def trials(
    cells: list[tuple], seeds: int = 1, target: float = 2.5, budget: int = 500, **same
) -> pd.DataFrame:
    """One row per cell and seed. Counts are log-normal around a plausible value; some miss, some diverge."""
    rng = np.random.default_rng(11)
    rows = []
    for seed in range(seeds):
        for k, (method, a0, b0, ah, bh) in enumerate(cells):
            if np.isnan(ah):
                a, b = max(a0, LEAST), max(b0, LEAST)
                centre = 60 * max(0.3 / a, a / 0.3) ** 0.8 * max(1e-3 / b, b / 1e-2, 1) ** 0.3
            else:
                a, b = max(ah, LEAST), max(bh, LEAST)
                centre = 40 * max(1, 1e-1 / a) ** 0.4 * max(1, 1e-5 / b) ** 0.45
            count = int(np.ceil(rng.lognormal(np.log(centre), 0.15)))
            blown = (ah > 50 and bh > 5e-4) or (a0 > 5 and b0 > 5e-2)
            outcome = "diverged" if blown else "reached" if count <= budget else "budget"
            reached = outcome == "reached"
            rows.append(
                {
                    "cell_id": f"{k:012d}{seed:04d}",
                    "method": method,
                    "dataset": "omniglot",
                    **reading("paper-adam"),
                    "n_way": 20,
                    "alpha0": a0,
                    "beta0": b0,
                    "alpha_hyperlr": ah,
                    "beta_hyperlr": bh,
                    "seed": seed,
                    "target_loss": target,
                    "max_iterations": budget,
                    "outcome": outcome,
                    "ending": "stopped" if reached else outcome,
                    "iterations_to_target": count if reached else None,
                    "iterations_to_target_sustained": min(count + 12, budget) if reached else None,
                    "iterations_run": min(count + 12, budget) if reached else 12 if blown else budget,
                }
                | same
            )
    frame = pd.DataFrame(rows)
    for name in TRIALS:
        if name not in frame:
            frame[name] = None
    whole = ["iterations_to_target", "iterations_to_target_sustained", "iterations_run"]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def not_run(frame: pd.DataFrame, rows=slice(None)) -> pd.DataFrame:
    """The same trials, some of them still to be run."""
    frame = frame.copy()
    measured = [
        "outcome",
        "ending",
        "iterations_to_target",
        "iterations_to_target_sustained",
        "iterations_run",
    ]
    frame.loc[frame.index[rows], measured] = None
    return frame


FIG1 = {
    "reference": {"method": "maml", "alpha0": 0.1, "beta0": 1e-3},
    "columns": [
        {"title": "tuned", "where": {"alpha0": 0.1, "beta0": 1e-3}},
        {
            "title": "untuned, beta's hyper-rate varied",
            "where": {"alpha0": 1e-4, "beta0": 1e-6, "alpha_hyperlr": 0.1},
        },
        {
            "title": "untuned, alpha's hyper-rate varied",
            "where": {"alpha0": 1e-4, "beta0": 1e-6, "beta_hyperlr": [1e-6]},
        },
    ],
}


def figure1_cells() -> list[tuple]:
    """The cells of fig1."""
    return [
        ("maml", 0.1, 1e-3, NONE, NONE),
        ("alpha-maml", 0.1, 1e-3, 0.1, 1e-6),
        ("maml", 1e-4, 1e-6, NONE, NONE),
        *(("alpha-maml", 1e-4, 1e-6, 0.1, bh) for bh in (1e-7, 1e-6, 1e-5, 1e-4)),
        *(("alpha-maml", 1e-4, 1e-6, ah, 1e-6) for ah in (1e-3, 1e-2, 1.0)),
    ]


def trajectories(frame: pd.DataFrame, iterations: int = 500, every: int = 25) -> pd.DataFrame:
    """Rates that climb and level off, losses that fall from just above ln 20 as the rates allow."""
    i = np.arange(1, iterations + 1)
    parts = []
    for k, row in enumerate(frame.itertuples()):
        rng = np.random.default_rng([row.seed, k])
        ah, bh = (0.0 if np.isnan(v) else v for v in (row.alpha_hyperlr, row.beta_hyperlr))
        jitter = rng.lognormal(0, 0.08)
        alpha = row.alpha0 + jitter * 1.1 * (1 - np.exp(-i * ah / 8))
        beta = row.beta0 + jitter * 1.2e-3 * (1 - np.exp(-i * bh * 2e3)) * (ah > 0)
        work = np.cumsum(np.minimum(alpha, 1) ** 0.5 * np.minimum(beta / 1e-3, 4) ** 0.6)
        loss = 0.55 + 2.49 * np.exp(-((work / 260) ** 0.9)) * jitter**0.2 + rng.normal(0, 0.035, iterations)
        measured = (i == 1) | (i % every == 0) | (i == iterations)
        values = np.where(measured, loss + 0.06 + rng.normal(0, 0.01, iterations), np.nan)
        part = pd.DataFrame(dict.fromkeys(TRAJECTORIES, np.nan), index=range(iterations), dtype=object)
        part = pd.DataFrame(
            {
                "cell_id": row.cell_id,
                "iteration": i.astype("int32"),
                "alpha": alpha,
                "beta": beta,
                "train_loss": loss,
                "train_accuracy": np.nan,
                "val_loss": values,
                "val_accuracy": np.nan,
            }
        )
        parts.append(part.iloc[: row.iterations_run] if row.outcome == "diverged" else part)
    return pd.concat(parts, ignore_index=True)


def figure1(
    seeds: int = 1, diverged: int | None = 6, iterations: int = 500
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables of fig1: no target; one cell diverges at its iteration 40."""
    frame = trials(figure1_cells(), seeds, target=NONE)
    frame["outcome"] = frame["ending"] = "budget"
    frame["iterations_run"] = iterations
    frame[["iterations_to_target", "iterations_to_target_sustained"]] = None
    if diverged is not None:
        where = frame.index[frame["cell_id"].str.startswith(f"{diverged:012d}")][:1]
        frame.loc[where, ["outcome", "ending"]] = "diverged"
        frame.loc[where, "iterations_run"] = 40
    curves = trajectories(frame, iterations)
    if diverged is not None:
        last = curves.groupby("cell_id").tail(1)
        last = last.index[last["cell_id"] == frame.loc[where[0], "cell_id"]]
        curves.loc[last, ["train_loss", "beta"]] = np.nan
    return frame, curves


def third_method(frame: pd.DataFrame) -> pd.DataFrame:
    """The same trials, and Alpha-MAML's cells again as those of a third method with one more rate."""
    more = frame[frame["method"] == "alpha-maml"].assign(method="gamma-maml", knob=0.5)
    return pd.concat([frame, more.assign(cell_id="g" + more["cell_id"])], ignore_index=True)
