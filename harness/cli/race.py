"""`harness race`: random search over Alpha-MAML's initial rates beside the tuners that people use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import Telling, out, say, say_json, say_written, short, working
from harness.cli.layout import Columns
from harness.cli.options import AsJson, Dataset, Results, check_target, grid_names
from harness.cli.sensitivity import gather
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from harness.records.tables import Tables
    from harness.study.race.written import Raced

FOLDER = "race"


def race(
    grid: Annotated[
        str, typer.Argument(help="A grid of the league, or a file.", autocompletion=grid_names)
    ] = "league-5way",
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0-4.")] = None,
    target: Annotated[
        float | None,
        typer.Option(help="The training loss that is a success.", show_default="the league's own"),
    ] = None,
    replayed: Annotated[
        bool, typer.Option("--replayed", help="Leave out population based training, which trains.")
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="Race on the reference records alone, without your own.")
    ] = False,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Also keep numbers and curves with the reference, for its pages.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Race Alpha-MAML at random rates against MAML with tuners, at equal iterations.

    Needs the records of the grid and of MAML on a finer one, GRID-fine; the defaults of Alpha-MAML come from
    the league's other grids, seeds 0 and 1, on which nobody races then. TPE and ASHA are replayed from the
    records by Optuna; population based training trains, some minutes of a core. Each repeat is kept, so that
    the same command goes on. Writes into the grid's folder race/: race.parquet and race.csv (numbers),
    curves.parquet, race.png, race.svg, race.pdf. With --json only repeats are written; the keys are grid,
    target, seeds, budget, unit, chosen, sources, notes and numbers (never: infinite).
    """
    from harness import grids
    from harness.cli import race_files as files
    from harness.records.reference import RACES
    from harness.study import league
    from harness.study.race import contenders, headline, written
    from harness.study.race.curves import curves

    check_target(target)
    if keep:
        places.checkout("race --keep")
        if as_json:
            raise UserError("--keep: with --json nothing of a race is written; leave out one of them")
    loaded = grids.load(grid, dataset=dataset)
    goal, folder = league.target(loaded.name, target), results.absolute()
    asked = {"results": folder, "dataset": dataset, "seeds": seeds, "reference_alone": reference}
    known, sources, notes = _tables(grid, loaded.name, asked, quiet=as_json)
    given = contenders.Given(
        grid=loaded.name,
        target=goal,
        fine=known[league.fine(grid)],
        coarse=known.get(grid),
        others={name: known[name] for name in league.others(loaded.name) if name in known},
        folder=folder / loaded.folder / FOLDER,
        repeats=contenders.REPLAYED if replayed else contenders.REPEATS,
    )
    with Telling("racing") as note:
        found = contenders.run(given, note)
    raced = written.of(found, loaded.folder, headline.numbers(found))
    about = {**written.about(raced), "sources": sources, "notes": [*notes, *found.notes]}
    if as_json:
        say_json(files.for_programs(raced.numbers, about))
        return
    drawn = curves(found)
    _show(raced, about)
    paths = files.write(raced.numbers, drawn, about, given.folder)
    with working("drawing"):
        paths += _draw(raced, drawn, given.folder)
    say(f"wrote into {short(given.folder)}: {', '.join(path.name for path in paths)}")
    if keep:
        options = {
            **{"--seeds": seeds, "--target": target, "--dataset": dataset},
            **{"--replayed": replayed, "--reference": reference, "--keep": keep},
        }
        beside = places.REFERENCE / RACES / loaded.folder
        say_written(files.keep(raced.numbers, drawn, about, _command(loaded.name, options), beside))


def _command(name: str, options: Mapping[str, object]) -> str:
    """This race as somebody types it. options: None and False were not given."""
    given = {option: value for option, value in options.items() if value is not None and value is not False}
    words = (option if value is True else f"{option} {value}" for option, value in given.items())
    return " ".join(["harness race", name, *words])


def _tables(
    grid: str, name: str, asked: Mapping[str, Any], quiet: bool
) -> tuple[dict[str, Tables], dict[str, str], list[str]]:
    """The tables by grid, as it is written; where they are from, by folder; and why others are
    missing. UserError: MAML's are."""
    from harness import grids
    from harness.study import league

    known: dict[str, Tables] = {}
    sources: dict[str, str] = {}
    notes: list[str] = []
    fine = league.fine(grid)
    for wanted in (fine, grid, *league.others(name)):
        try:
            file = grids.load(wanted, dataset=asked["dataset"])
            # A default is chosen on seeds of its own, whichever are raced on.
            own = asked if wanted in (fine, grid) else {**asked, "seeds": None}
            ((made, source),) = gather([wanted], quiet=quiet, **own).values()
        except UserError as error:
            if wanted == fine:
                raise UserError(f"{error}; a race needs MAML on a finer grid of this name") from None
            notes.append(str(error))
            continue
        known[wanted], sources[file.folder] = made, source
    return known, sources, notes


def _draw(raced: Raced, drawn: pd.DataFrame, folder: Path) -> list[Path]:
    """The figure."""
    from harness.plots import race as plotted
    from harness.study.race import figure

    return plotted.render(drawn, figure.drawn(raced), folder)


def _show(raced: Raced, about: Mapping[str, Any]) -> None:
    """What the numbers say in short, where they come from, and the tables."""
    from harness.analysis.sensitivity.texts import resampled
    from harness.study.race import sentences, summary

    first, *others = sentences.in_short(raced)
    say(first, "bold")
    for line in others:
        say(line)
    say()
    for name, source in about["sources"].items():
        say(f"{name}: {source}")
    for line in about["notes"]:
        say(line, "yellow" if line.startswith("without") else "dim")
    for table in summary.tables(raced):
        say()
        say(table.title, "bold")
        heads = [*map(str, table.frame.columns)]
        words = [head for head in heads if head in table.words]
        columns = Columns(heads, right={*heads} - {*words}, wrap=words)
        for row in table.frame.itertuples(index=False, name=None):
            columns.add_row(*row)
        out.print(columns)
        for note in table.notes:
            say(note, "dim")
    say()
    means = resampled([len(raced.seeds)])
    of_all = len(raced.seeds) > 1
    say(f"In brackets: {means}, the same for all racers." if of_all else f"{means.capitalize()}.", "dim")
