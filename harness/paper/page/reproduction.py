"""The numbers of docs/reproduction.md: its tables and figures, made from the reference records alone.

`harness publish page` makes them all again; a test checks that the page is up to date.
"""

from __future__ import annotations

from pathlib import Path

from harness.common import pages, places
from harness.paper import chance, matrix
from harness.paper.definitions import PAPER_COUNT
from harness.paper.page import measured, verdicts
from harness.paper.page.sources import read
from harness.paper.page.tables import TABLES
from harness.plots import claims, noise, render, style
from harness.records.passages import first_passage

PAGE = places.ROOT / "docs" / "reproduction.md"
GRIDS = ("fig1", "fig2", "fig3", "fig1-sgd", "fig2-sgd", "readings", "fig1-readings")


def write() -> list[Path]:
    """Make the page's tables and figures again. Returns the files written."""
    return [pages.write(PAGE, TABLES), *_figures(PAGE.parent)]


def _figures(folder: Path) -> list[Path]:
    paths = []
    with style.applied():
        for grid in GRIDS:
            tables = read(grid)
            figure = render.draw(tables.trials, tables.trajectories, tables.about["grid"])
            paths.append(folder / f"{grid}.png")
            style.save(figure, paths[-1])
        judged, losses = verdicts.matrix(), chance.networks(measured.chances())
        first = {
            head: {tasks: chance.passages(table, first_passage) for tasks, table in by_tasks.items()}
            for head, by_tasks in losses.items()
        }
        marks = noise.Marks(target=chance.TARGET, chance=chance.CHANCE, count=PAPER_COUNT)
        for name, figure in (
            ("claims", claims.draw(matrix.verdicts(judged), matrix.notes(judged))),
            ("noise", noise.draw(losses, first, marks)),
        ):
            paths.append(folder / f"{name}.png")
            style.save(figure, paths[-1])
    return paths
