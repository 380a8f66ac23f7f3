"""The numbers of docs/reproduction.md: its tables and figures, made of the reference records alone.

A table stands between `<!-- numbers: NAME -->` and `<!-- end -->`. `harness publish page` makes them all
again; a test sees that the page is up to date.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.common import places
from harness.common.files import write_whole
from harness.paper import chance, matrix
from harness.paper.definitions import PAPER_COUNT
from harness.paper.page import measured, verdicts
from harness.paper.page.sources import read
from harness.paper.page.tables import TABLES
from harness.records.passages import first_passage

PAGE = places.ROOT / "docs" / "reproduction.md"
GRIDS = ("fig1", "fig2", "fig3", "fig1-sgd", "fig2-sgd", "readings", "fig1-readings")

_TABLE = re.compile(r"(<!-- numbers: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write() -> list[Path]:
    """Make the page's tables and figures again. Returns the files written."""
    text = filled(PAGE.read_text())
    write_whole(PAGE, lambda path: path.write_text(text))
    return [PAGE, *_figures(PAGE.parent)]


def filled(text: str) -> str:
    """The page with every table as the records have it. KeyError for a name that there is no table of."""
    return _TABLE.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n\n{found[3]}", text)


def _figures(folder: Path) -> list[Path]:
    from harness.plots import claims, noise, render, style  # late: only who writes has to wait for matplotlib

    paths = []
    with style.applied():
        for grid in GRIDS:
            one = read(grid)
            figure = render.draw(one.trials, one.trajectories, one.about["grid"])
            paths.append(folder / f"{grid}.png")
            style.save(figure, paths[-1])
        judged, losses = verdicts.matrix(), chance.networks(measured.chances())
        first = {
            head: {tasks: chance.passages(one, first_passage) for tasks, one in by_tasks.items()}
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
