"""Several protocols beside each other, in few words."""

from __future__ import annotations

from collections.abc import Iterable


def apart(labels: Iterable[str]) -> dict[str, str]:
    """Each label (as in the column `protocol`) without what it has in common with the first of them.

    >>> apart(["paper-adam", "paper-adam, k_shot=5"])
    {'paper-adam': 'paper-adam', 'paper-adam, k_shot=5': 'k_shot=5'}
    """
    labels = list(dict.fromkeys(labels))
    return {label: label.removeprefix(f"{labels[0]}, ") for label in labels}


def one_line(labels: Iterable[str]) -> str:
    """`paper-adam; k_shot=5; meta_batch=8`."""
    return "; ".join(apart(labels).values())
