"""The page itself: its parts, its data and its scripts in one file."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from harness.common.files import write_whole
from harness.common.text import clean, counted
from harness.paper import report as paper
from harness.records import provenance, reference
from harness.report import curves
from harness.report.arrays import Block
from harness.report.grid import content, curve_count
from harness.report.sections import Parts
from harness.report.shown import Shown
from harness.study.league import known_target

FILES = Path(__file__).parent / "page"
MODULES = tuple(sorted(path.stem for path in FILES.glob("*.js")))
"""The page's own scripts, by the names under which they import each other."""
LIBRARY = "vendor/uPlot.iife.min.js"
STYLES = ("vendor/uPlot.min.css", "page.css")


def write(path: Path, grids: Sequence[Shown], parts: Parts) -> None:
    """Write the page of one grid, or of two side by side, as one HTML file; the same records, the same bytes.
    NotWritten."""
    text = written(grids, parts)
    write_whole(path, lambda file: file.write_text(text, "utf-8"))


def written(grids: Sequence[Shown], parts: Parts) -> str:
    """The page as HTML."""
    block = Block()
    most = curves.points(sum(curve_count(one.tables) for one in grids))
    made = [content(one.name, one.tables, one.source, block, most) for one in grids]
    race = parts.race
    targets = [target for one in grids if (target := known_target(one.name)) is not None]
    data = {
        "grids": made,
        "race": race and {"curves": race.curves, "unit": race.unit},
        "league_target": targets[0] if targets else None,
    }
    code = provenance.of_code()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page: str = environment.from_string(_file("page.html")).render(
        grids=[one | _described(shown) for one, shown in zip(made, grids, strict=True)],
        thinned=_thinned(made, most),
        untold=_untold(grids),
        framed=any(panel["beside"] for one in made for panel in one["panels"]),
        rounded="Curves are rounded to 1 in 4,096, the other numbers are as they are recorded.",
        measures=parts.measures,
        claims=parts.claims,
        claims_are=paper.INTRODUCTION,
        readings=len({claim.reading for claim in parts.claims}),
        league=parts.league,
        race=race,
        version=code["harness"] or "",
        commit=code["commit"],
        style="\n".join(map(_file, STYLES)),
        library=_file(LIBRARY),
        modules=_in_script({"imports": {name: _address(f"{name}.js") for name in MODULES}}),
        content=_in_script(data),
        block=block.written(),
    )
    return page


def _file(name: str) -> str:
    return (FILES / name).read_text("utf-8")


def _address(name: str) -> str:
    """A script as an address that holds it whole: the page has no other files."""
    return f"data:text/javascript;base64,{base64.b64encode(_file(name).encode()).decode('ascii')}"


def _in_script(value: Any) -> str:
    """JSON that can stand in a script element, whatever texts are in it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _described(shown: Shown) -> dict[str, Any]:
    """What the page's head says of a grid."""
    trials = shown.tables.trials
    missing = int(trials["outcome"].isna().sum())
    text = f"{missing} of {counted(len(trials), 'cell')} not run yet" if missing else ""
    if missing == len(trials):
        text = "none of its cells has been run yet"
    return {
        "seeds": reference.say_seeds(sorted(trials["seed"].unique().tolist())),
        "missing": text,
        "source": clean(shown.source),
    }


def _untold(grids: Sequence[Shown]) -> str:
    """Where the target that the page begins with comes from, if it is no grid's own."""
    if any(one.tables.about["grid"]["target_loss"] is not None for one in grids):
        return ""
    if any(known_target(one.name) is not None for one in grids):
        return "The grid has no target; the league's is asked for, sustained."
    return "The grid has no target; half of its runs reach the one that is asked for at first."


def _thinned(made: list[dict[str, Any]], most: int) -> str:
    if not any(curve["thinned"] for one in made for curve in one["curves"].values()):
        return ""
    return (
        f"Curves are thinned to about {most} points, the least and the largest value of each stretch. Counts "
        "are exact: they are made from where each run's lowest loss falls, at full precision."
    )
