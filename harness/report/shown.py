"""What a page is asked to show."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A grid of a page."""

    name: str
    """By which the page tells it from another."""
    tables: Tables
    source: str
    """Where its records come from, in words."""
