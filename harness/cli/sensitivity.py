"""`harness sensitivity`: how much tuning the methods of some grids need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import out, say, say_json, short, working
from harness.cli.layout import Columns
from harness.cli.options import AsJson, Dataset, Results, check_target, grid_names
from harness.cli.plot import say_left_out
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    from harness.analysis.sensitivity import Measures
    from harness.analysis.sensitivity.summary import Table
    from harness.analysis.sensitivity.tables import Passage
    from harness.cli.lookup import Chosen
    from harness.grids import Grid
    from harness.records.store import Scan, Store
    from harness.records.tables import Tables

Known = dict[str, tuple["Tables", str]]
"""By the grid's folder: its tables, and where they are from, in words."""


def sensitivity(
    grid: Annotated[
        list[str] | None,
        typer.Argument(help="Grids, measured together.", show_default=False, autocompletion=grid_names),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0-4.")] = None,
    target: Annotated[
        float | None,
        typer.Option(help="Count iterations to this training loss.", show_default="each grid's own"),
    ] = None,
    sustained: Annotated[
        bool, typer.Option("--sustained", help="Count to the sustained passage, not to the first.")
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="Measure the reference records alone, without your own.")
    ] = False,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
    as_json: AsJson = False,
) -> None:
    """Measure how sensitive the methods are to their hyper-parameters, and what tuning them costs.

    A protocol with its target is an environment. Prints tables, and writes them with figures into the folder
    sensitivity/ of the grid, or of several grids: results/fig2,fig2-sgd/sensitivity/; of --target 2 into
    sensitivity-2/. With --json nothing is
    written; the keys are sources (of each grid, in words), target (null: each grid's own), sustained, notes
    and measures (the rows of measures.parquet; an infinite cost is "never").
    """
    from harness.analysis import sensitivity as analysis
    from harness.analysis.sensitivity.summary import tables as summarized
    from harness.analysis.sensitivity.tables import of_tables
    from harness.cli import sensitivity_files as files

    passage = _passage(target, sustained)
    folder = results.absolute()
    known = gather(grid or [], folder, dataset, seeds, reference, quiet=as_json)
    with working("measuring"):
        measured = analysis.measure(of_tables({name: made for name, (made, _) in known.items()}, passage))
    about = {
        "sources": {name: source for name, (_, source) in known.items()},
        "target": target,
        "sustained": sustained,
        "notes": list(measured.runs.notes),
    }
    if as_json:
        say_json(files.for_programs(measured, about))
        return
    tables = summarized(measured)
    _show(measured, tables, about)
    where = files.folder_of([*known], folder, target, sustained)
    written = [*files.write(measured, tables, about, where), *_draw(measured, where, [*known])]
    say(f"wrote into {short(where)}: {', '.join(path.name for path in written)}")


def _passage(target: float | None, sustained: bool) -> Passage:
    """What is asked of a run. UserError: the target is no loss."""
    from harness.analysis.sensitivity.tables import Passage

    check_target(target)
    return Passage(target=target, sustained=sustained)


def gather(
    names: Sequence[str],
    results: Path,
    dataset: str | None,
    seeds: str | None,
    reference_alone: bool,
    quiet: bool,
) -> Known:
    """The tables of the grids as they were named; those that are measured as they are come last. Nothing is
    written. UserError: one has no records, or none of these seeds."""
    from harness import grids
    from harness.cli.lookup import choose, theirs
    from harness.records import reference, tables
    from harness.records.store import Store

    store = Store(results)
    chosen = choose(store, results, names, dataset, reference_alone)
    if not names:
        raise UserError(_which(chosen))
    asked = grids.parse_seeds(seeds, [*chosen.mine, *chosen.others]) if seeds else ()
    for one in (*chosen.mine, *chosen.others):
        tables.check_free(one, results / one.folder)
    known: Known = {}
    for one in chosen.mine:
        made = _of_seeds(one.folder, _mine(one, store, chosen.scan, asked, quiet), asked)
        known[one.folder] = made, f"your records ({reference.describe(made.trials)})"
    for one in chosen.others:
        whole, source = theirs(one, results, curves=True)
        made = _of_seeds(one.folder, whole, asked)
        source = reference.describe(made.trials) if asked else source
        known[one.folder] = made, f"the reference records ({source})"
    for left in chosen.as_they_are:
        name = left.folder.name
        whole = tables.read(reference.find(name) if reference_alone else left.folder)
        known[name] = _of_seeds(name, whole, asked), f"measured from its tables as they are: {left.why}"
    order = {name: at for at, name in enumerate(chosen.order)}
    return {name: known[name] for name in sorted(known, key=lambda name: order[name])}


def _which(chosen: Chosen) -> str:
    """What one could have named."""
    mine, others = ([one.folder for one in some] for some in (chosen.mine, chosen.others))
    parts = [f"your records are of {', '.join(mine)}"] * bool(mine)
    parts += [f"the reference has {', '.join(others)}"] * bool(others)
    return f"sensitivity: name one grid or more; {'; '.join(parts) or 'there are no records yet'}"


def _mine(grid: Grid, store: Store, scan: Scan, seeds: tuple[int, ...], quiet: bool) -> Tables:
    """The tables of the user's own records. Says which are left out."""
    from harness.records import tables

    made, damaged = tables.make(grid, store, scan, seeds)
    if not quiet:
        say_left_out(grid, damaged)
    return made


def _of_seeds(name: str, tables: Tables, seeds: Sequence[int]) -> Tables:
    """The tables with the trials of these seeds alone; all of them if none is asked for. UserError: nothing
    was run of one."""
    from harness.records import reference

    if not seeds:
        return tables
    trials = tables.trials
    run = {*trials["seed"][trials["outcome"].notna()]}
    if none := [seed for seed in seeds if seed not in run]:
        raise UserError(f"{name}: no records of {reference.say_seeds(none)}; leave out --seeds, or run them")
    return replace(tables, trials=trials[trials["seed"].isin(seeds)].reset_index(drop=True))


def _show(measured: Measures, tables: Sequence[Table], about: Mapping[str, Any]) -> None:
    """Where the numbers come from, the tables with what their columns are, and how intervals are made."""
    from harness.analysis.sensitivity.summary import footnotes, heading

    for name, source in about["sources"].items():
        say(f"{name}: {source}")
    for note in measured.runs.notes:
        say(note, "yellow")
    asked = [] if about["target"] is None else [f"a training loss of {about['target']:g}"]
    if about["sustained"]:
        asked.append("the sustained passage")
    say(heading(measured) + (f"; counted to {', '.join(asked)}" if asked else ""))
    for table in tables:
        if not table.at_length:
            _show_table(table)
    say()
    for line in footnotes(measured):
        say(line, "dim")


def _show_table(table: Table) -> None:
    say()
    say(table.title, "bold")
    if len(table.frame):
        heads = [*map(str, table.frame.columns)]
        words = [head for head in heads if head in table.words]
        columns = Columns(heads, right={*heads} - {*words}, wrap=words)
        before = ""
        for row in table.frame.itertuples(index=False, name=None):
            again = "environment" in heads and row[0] == before
            before = row[0]
            columns.add_row("" if again else row[0], *row[1:])
        out.print(columns)
    for note in table.notes:
        say(note, "dim")


def _draw(measured: Measures, folder: Path, names: Sequence[str]) -> list[Path]:
    """The figures."""
    from harness.plots import measures

    with working("drawing"):
        drawn: list[Path] = measures.render(measured, folder, f"Sensitivity: {', '.join(names)}")
    return drawn
