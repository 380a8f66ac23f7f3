"""What the cells of a table learn: its problem, as far as figures and pages speak of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

DATASETS = {"omniglot": "Omniglot"}
"""Data sets whose names are written otherwise."""
FEW_SHOT = {"name": "few-shot", "title": "Few-shot classification", "unit": "nats"}
"""The problem of tables that are older than their description of it."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """See `learned`."""

    title: str
    """`Omniglot, 20-way`; `Sinusoid regression`."""
    unit: str
    """Of the losses: `nats`; empty: none."""
    chance: float | None
    """The loss at chance; None: the problem has none."""
    chance_name: str
    """`ln 20`."""

    def with_unit(self, value: float) -> str:
        """A loss: `2.5 nats`."""
        return f"{value:g} {self.unit}".rstrip()

    def named(self, loss: str) -> str:
        """A loss by its name: `training loss (nats)`."""
        return f"{loss} ({self.unit})" if self.unit else loss


def learned(trials: pd.DataFrame, about: Mapping[str, Any] | None = None) -> Learned:
    """What the trials of a table say, and its description (see records.describing.describe; None:
    few-shot's).

    `trials`: at least one row.
    """
    about = about or {}
    problem, first = about.get("problem", FEW_SHOT), trials.iloc[0]
    data = first.get("dataset")
    data = None if pd.isna(data) else DATASETS.get(data, data)
    if problem["name"] == "few-shot":
        n_way = int(first["n_way"])
        return Learned(
            title=f"{data}, {n_way}-way",
            unit=problem["unit"],
            chance=math.log(n_way),
            chance_name=f"ln {n_way}",
        )
    return Learned(
        title=", ".join(filter(None, (problem["title"], data))),
        unit=problem["unit"],
        chance=about.get("chance_loss"),
        chance_name="chance",
    )


def chances(trials: pd.DataFrame, about: Mapping[str, Any] | None = None) -> dict[str, float]:
    """The losses at chance under all protocols of a table, by name, the least first: {"ln 5": 1.609}. Empty:
    the problem has none, or what it has is known for one of several protocols only. Arguments as for
    `learned`."""
    what = learned(trials, about)
    if (about or {}).get("problem", FEW_SHOT)["name"] == FEW_SHOT["name"]:
        return {f"ln {n_way}": math.log(n_way) for n_way in sorted(set(trials["n_way"].astype(int)))}
    one = len(trials[["preset", "changes"]].drop_duplicates()) == 1
    return {what.chance_name: what.chance} if what.chance is not None and one else {}
