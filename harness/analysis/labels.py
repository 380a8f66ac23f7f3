"""Protocols in words, for figures and pages: made from `preset` and `changes`, never read back."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from harness.cell import Named, label, labels


def _keys(trials: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(trials["preset"], trials["changes"], strict=True))


def of_trials(trials: pd.DataFrame) -> list[Named]:
    """The protocols of a table, each once, in order of appearance."""
    return [(preset, json.loads(changes)) for preset, changes in dict.fromkeys(_keys(trials))]


def words(trials: pd.DataFrame) -> dict[tuple[str, str], str]:
    """The same, (preset, changes) -> words; all but the first without what they share with it: `paper-adam`,
    `k_shot=5`."""
    return dict(zip(dict.fromkeys(_keys(trials)), labels(of_trials(trials)), strict=True))


def positions(trials: pd.DataFrame) -> pd.Series:
    """The position, 0, 1, ..., of each row's protocol among those of the table."""
    by_key = {key: position for position, key in enumerate(dict.fromkeys(_keys(trials)))}
    return pd.Series([by_key[key] for key in _keys(trials)], trials.index, dtype=int)


def in_full(trials: pd.DataFrame) -> pd.Series:
    """Each row's protocol as a grid file names it: `paper-adam, k_shot=5`."""
    names = {(p, c): label(p, json.loads(c)) for p, c in dict.fromkeys(_keys(trials))}
    return pd.Series([names[key] for key in _keys(trials)], trials.index, dtype=object)


def one_line(protocols: Sequence[Named]) -> str:
    """`paper-adam; k_shot=5; meta_batch=8`."""
    return "; ".join(labels(protocols))
