"""The tables of the page: Markdown, by name."""

from __future__ import annotations

from collections.abc import Callable

from harness.paper.page import measured, runs, verdicts

TABLES: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (
        *(runs.records, runs.maml, runs.panels, runs.panels_sgd, runs.slower, runs.rates),
        *(runs.figure1, runs.figure1_sgd, runs.lucky, runs.readings),
        *(verdicts.paper, verdicts.claims),
        *(measured.chance, measured.yardstick, measured.devices, measured.cost),
    )
}
"""Name in the page's marks -> function that makes the table."""
