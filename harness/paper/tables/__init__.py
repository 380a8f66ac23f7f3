"""The tables of docs/reproduction.md: of the reference records and nothing else, as Markdown."""

from __future__ import annotations

from collections.abc import Callable

from harness.paper.tables import runs, verdicts
from harness.paper.tables.sources import read
from harness.paper.tables.verdicts import chances, matrix
from harness.paper.tables.words import table

__all__ = ["TABLES", "chances", "matrix", "read", "table"]

TABLES: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (
        *(runs.records, runs.maml, runs.panels, runs.panels_sgd, runs.rates),
        *(runs.figure1, runs.figure1_sgd, runs.lucky, runs.readings),
        *(verdicts.paper, verdicts.claims, verdicts.chance, verdicts.yardstick, verdicts.devices),
        verdicts.cost,
    )
}
"""What may stand on the page, by name."""
