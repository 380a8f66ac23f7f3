"""Protocols in words, for figures and pages: made of the columns `preset` and `changes`, never read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import pandas as pd

from harness.cell import Named, labels


def of_trials(trials: pd.DataFrame) -> list[Named]:
    """The different protocols of a table, in their order."""
    rows = trials[["preset", "changes"]].drop_duplicates().itertuples(index=False)
    return [(preset, json.loads(changes)) for preset, changes in rows]


def column(trials: pd.DataFrame) -> pd.Series:
    """Each row's protocol in words, beside the table's first: `paper-adam`, `k_shot=5`."""
    keys = list(zip(trials["preset"], trials["changes"], strict=True))
    words = dict(zip(dict.fromkeys(keys), labels(of_trials(trials)), strict=True))
    return pd.Series([words[key] for key in keys], trials.index, dtype=object)


def one_line(protocols: Sequence[Named]) -> str:
    """`paper-adam; k_shot=5; meta_batch=8`."""
    return "; ".join(labels(protocols))


def apart(labels: Iterable[str]) -> dict[str, str]:
    """Each reading's label without what it has in common with the first of them."""
    labels = list(dict.fromkeys(labels))
    return {label: label.removeprefix(f"{labels[0]}, ") for label in labels}
