"""The tables of docs/measured.md are those of the records beside it."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import harness
from harness.places import ROOT

PAGE = (ROOT / "docs" / "measured.md").read_text()


def count(first: object, sustained: object) -> str:
    return " ".join(form.format("–" if pd.isna(n) else n) for form, n in (("{}", first), ("({})", sustained)))


def section(start: str, end: str) -> str:
    return PAGE.split(start)[1].split(end)[0]


@pytest.mark.parametrize(("start", "end", "alpha0"), [
    ("from the tuned pair", "Alpha-MAML from the untuned", 0.1),
    ("Alpha-MAML from the untuned", "The other three pairs", 1e-4),
])  # fmt: skip
def test_counts_of_alpha_maml(start: str, end: str, alpha0: float) -> None:
    trials, _ = harness.load("reference/fig2-core")
    panel = trials[(trials["method"] == "alpha-maml") & (trials["alpha0"] == alpha0)]
    for hyperlr in (10, 1, 0.1):
        row = panel[panel["alpha_hyperlr"] == hyperlr].sort_values("beta_hyperlr")
        counts = zip(row["iterations_to_target"], row["iterations_to_target_sustained"], strict=True)
        line = " | ".join(["", f"{hyperlr:g}", *(count(*one) for one in counts), ""]).strip()
        assert line in section(start, end)


@pytest.mark.parametrize(
    ("folder", "start", "end"),
    [
        ("fig2-core", "\nMAML:", "Alpha-MAML from the tuned"),
        ("landscape-sgd", "Where the -sgd grids start", "So the pairs"),
    ],
)
def test_counts_of_maml(folder: str, start: str, end: str) -> None:
    trials, _ = harness.load(f"reference/{folder}")
    ran = trials[(trials["method"] == "maml") & trials["outcome"].notna()]
    lines = re.findall(r"^\| \((.*), (.*)\).* \| (\S+ \(\S+\)) \|", section(start, end), re.MULTILINE)
    shown = {(float(alpha0), float(beta0)): counts for alpha0, beta0, counts in lines}
    assert shown == {
        (r.alpha0, r.beta0): count(r.iterations_to_target, r.iterations_to_target_sustained)
        for r in ran.itertuples()
    }


def test_whole_numbers_of_the_text() -> None:
    trials, _ = harness.load("reference/fig2-core")
    assert trials["outcome"].notna().all()
    assert f"{trials['iterations_run'].sum()} iterations" in PAGE
    assert f"{trials['wall_seconds'].sum():.0f} s of one core" in PAGE
    reached = trials[trials["outcome"] == "reached"]["method"].value_counts()
    assert (reached["alpha-maml"], reached["maml"]) == (45, 1)
