"""`harness race`: random search over Alpha-MAML's initial rates beside the tuners that people use."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import err, out, say, say_json, short, working
from harness.cli.layout import Columns
from harness.cli.options import AsJson, Dataset, Results, check_target, grid_names
from harness.cli.sensitivity import gather
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from harness.records.tables import Tables
    from harness.study.race.contenders import Race
    from harness.study.race.written import Raced

FOLDER = "race"
EVERY_S = 60.0


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
    as_json: AsJson = False,
) -> None:
    """Race Alpha-MAML at random rates against MAML with tuners, at equal iterations.

    Needs the records of the grid and of MAML on a finer one, GRID-fine; the defaults of Alpha-MAML come from
    the league's other grids, seeds 0 and 1, on which nobody races then. TPE and ASHA are replayed from the
    records by Optuna; population based training trains, some minutes of a core. Each repeat is kept, so that
    the same command goes on. Writes into the grid's folder race/: race.parquet and race.csv (numbers),
    curves.parquet, race.png, race.svg. With --json only repeats are written; the keys are grid, sources,
    target, chosen, notes and numbers (never: infinite).
    """
    from harness import grids
    from harness.cli import race_files as files
    from harness.study import league
    from harness.study.race import contenders, headline
    from harness.study.race.curves import curves
    from harness.study.race.written import Raced

    check_target(target)
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
    with _Showing() as note:
        found = contenders.run(given, note)
    numbers = headline.numbers(found)
    about = {
        "grid": loaded.folder,
        "sources": sources,
        "target": goal,
        "chosen": found.chosen,
        "notes": [*notes, *found.notes],
    }
    if as_json:
        say_json(files.for_programs(numbers, about))
        return
    drawn = curves(found)
    raced = Raced(grid=loaded.folder, target=goal, numbers=numbers, chosen=found.chosen)
    _show(raced, found.seeds, about)
    written = files.write(numbers, drawn, about, given.folder)
    with working("drawing"):
        written += _draw(found, drawn, given.folder, f"The race: {loaded.folder}")
    say(f"wrote into {short(given.folder)}: {', '.join(path.name for path in written)}")


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


class _Showing:
    """A line that tells how far it is, while it lasts; in a file or a pipe one every EVERY_S seconds."""

    def __enter__(self) -> Any:
        self._status: Any = working("racing")
        self._live: Any = self._status.__enter__()
        self._last = time.monotonic()
        return self._note

    def _note(self, text: str) -> None:
        if self._live is not None:
            self._live.update(f"{text} ...")
        elif time.monotonic() - self._last > EVERY_S:
            self._last = time.monotonic()
            say(text, console=err)

    def __exit__(self, *error: Any) -> None:
        self._status.__exit__(*error)


def _draw(found: Race, drawn: pd.DataFrame, folder: Path, title: str) -> list[Path]:
    """The figure."""
    from harness.analysis.sensitivity.texts import resampled
    from harness.plots import race as plotted
    from harness.plots.heading import seeds_text
    from harness.records.describing import grid_of
    from harness.study.race.contenders import TITLES

    given, budget = found.given, found.axis.budget
    seeds = f"{seeds_text(found.seeds)}; bands: {resampled([len(found.seeds)])}".capitalize()
    about = (
        f"Target: a training loss of {given.target:g}, sustained. Grey line: a whole run, {budget} "
        "iterations. A line ends where nothing more is tried",
        seeds,
    )
    unit = grid_of(given.fine.about).protocol.problem_type.unit
    what = plotted.Drawn(title=title, about=about, names=TITLES, unit=unit, budget=budget)
    return plotted.render(drawn, what, folder)


def _show(raced: Raced, seeds: Sequence[int], about: Mapping[str, Any]) -> None:
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
    say(f"In brackets: {resampled([len(seeds)])}, the same for all racers.", "dim")
