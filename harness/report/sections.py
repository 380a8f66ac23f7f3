"""What stands below a grid's squares and curves: measures of sensitivity, claims, the league, the race."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt

from harness.analysis import sensitivity
from harness.analysis.sensitivity.summary import footnotes, heading
from harness.analysis.sensitivity.summary import tables as summarized
from harness.analysis.sensitivity.tables import of_tables
from harness.analysis.sensitivity.texts import Table
from harness.common import places
from harness.common.errors import UserError
from harness.paper import evidence
from harness.paper import matrix as judging
from harness.paper.claims import CLAIMS
from harness.paper.judging.verdict import Judged
from harness.paper.reading import Reading, short_labels
from harness.records.reference import RACES
from harness.records.tables import Tables
from harness.report.shown import Shown
from harness.study import league_tables
from harness.study.league import LEAGUE
from harness.study.race import sentences, summary
from harness.study.race.contenders import TITLES
from harness.study.race.written import CURVES, NUMBERS, read, read_curves

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Tables of text, and what they are."""

    heading: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JudgedClaim:
    """A sentence of the paper under one reading, judged by cells of the grid among others."""

    key: str
    short: str
    sentence: str
    place: str
    strict: str
    weak: str
    reading: str
    judged: Judged
    cells: tuple[str, ...]
    """Of the grid."""


@dataclass(frozen=True, kw_only=True)
class RaceSection:
    """What a race came to."""

    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    curves: tuple[dict[str, Any], ...]
    """A line each: `curve` (hit or best), `title`, `x` and `value` [points]."""
    unit: str
    """Of the loss."""
    source: str
    """Whose race it is, in words."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All that stands below the squares and curves of a page."""

    measures: tuple[tuple[str, Measured], ...] = ()
    """Of each grid, by name."""
    claims: tuple[JudgedClaim, ...] = ()
    league: Mapping[str, str] = field(default_factory=dict)
    """Title -> table in HTML."""
    race: RaceSection | None = None
    left_out: tuple[str, ...] = ()
    """Why something is not there that might be: a line each."""


def parts(grids: Sequence[Shown], results: Path, reference_only: bool) -> Parts:
    """What there is to say of these grids; claims, league and race are the first one's. results: the folder
    of the user's own, which do not count if `reference_only`."""
    first = grids[0]
    left_out = []
    judged: list[JudgedClaim] = []
    raced = None
    try:
        judged = claims(first.tables, results, reference_only)
    except UserError as error:
        left_out.append(f"claims left out: {error}")
    try:
        raced = race(first.name, results, reference_only)
    except UserError as error:
        left_out.append(f"race left out: {error}")
    return Parts(
        measures=tuple((one.name, measured(one.name, one.tables)) for one in grids),
        claims=tuple(judged),
        league=league(first.name),
        race=raced,
        left_out=tuple(left_out),
    )


def measured(name: str, tables: Tables) -> Measured:
    """What `harness sensitivity` prints of a grid. Where it cannot be measured, the reason."""
    try:
        found = sensitivity.measure(of_tables({name: tables}))
    except UserError as error:
        return Measured(heading=f"Not measured: {error}")
    return Measured(
        heading=heading(found),
        tables=tuple(summarized(found)),
        notes=(*found.runs.notes, *footnotes(found, in_files=False)),
    )


def claims(tables: Tables, results: Path, reference_only: bool) -> list[JudgedClaim]:
    """The paper's sentences that cells of this grid help to decide; none for grids of anything else.

    results: whose other grids are evidence too, beside the reference. UserError: there is no evidence at all.
    """
    trials = tables.trials
    dataset = trials["dataset"].iloc[0] if "dataset" in trials else None
    if pd.isna(dataset) or dataset != evidence.DATASET:
        return []
    ids = {*trials["cell_id"][trials["outcome"].notna()]}
    known = evidence.gather(results, reference_only)
    asked = {*zip(trials["preset"], trials["changes"], strict=True)}
    records = [
        one
        for one in known.records
        if not one.reading.few_cells
        and (one.reading.preset, one.reading.changes) in asked
        and not ids.isdisjoint(one.trials["cell_id"])
    ]
    return [*_judged(judging.matrix(records, known.facts), ids)] if records else []


def _judged(matrix: judging.Matrix, ids: set[str]) -> Iterator[JudgedClaim]:
    readings: list[Reading] = [column for column in judging.columns(matrix) if column is not None]
    names = dict(zip(readings, short_labels(readings), strict=True))
    for claim in CLAIMS:
        for reading in readings:
            judged = matrix[claim.key, reading]
            cells = tuple(one for one in judged.cells if one in ids) if judged else ()
            if judged and cells:
                yield JudgedClaim(
                    **{key: getattr(claim, key) for key in ("key", "short", "sentence", "place", "strict")},
                    weak=claim.weak or "",
                    reading=names[reading],
                    judged=judged,
                    cells=cells,
                )


def league(name: str) -> dict[str, str]:
    """Title -> table in HTML, for one of the league's grids, from the reference; none for others."""
    if name not in LEAGUE:
        return {}
    made = {
        "What each method costs on this problem": league_tables.costs(name),
        "Over all problems of the league, with one default": league_tables.standing(),
        "The best setting on each problem": league_tables.best_settings(),
        "With one choice of a method's own knobs": league_tables.one_choice(),
    }
    return {title: MARKDOWN.render(text) for title, text in made.items()}


def race(name: str, results: Path, reference_only: bool) -> RaceSection | None:
    """The race of a grid: the user's own, else the reference's; None: there is none. UserError: its files
    cannot be read."""
    kept = places.REFERENCE / RACES / name
    mine = results / name / "race"
    for folder in (kept,) if reference_only else (mine, kept):
        if (folder / NUMBERS).exists() and (folder / CURVES).exists():
            raced = read(folder / NUMBERS)
            return RaceSection(
                sentences=tuple(sentences.in_short(raced)),
                tables=tuple(summary.tables(raced)),
                curves=tuple(_lines(read_curves(folder / CURVES))),
                unit=raced.unit,
                source="the reference's race" if folder == kept else "your race",
            )
    return None


def _lines(curves: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for (curve, racer), line in curves.groupby(["curve", "racer"], sort=False):
        numbers = {key: [*map(float, line[key].round(6))] for key in ("x", "value")}
        yield {"curve": curve, "title": TITLES.get(str(racer), str(racer))} | numbers
