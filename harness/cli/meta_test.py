"""`harness meta-test`: what kept weights reach on tasks that nobody trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import console
from harness.cli.console import Telling, say, say_written, short
from harness.cli.layout import Columns
from harness.cli.options import Dataset, Device, Results, grid_names, path_option
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from harness.grids import Grid
    from harness.grids.meta_test import MetaTest

WORDS = ("method", "protocol", "test rate")
"""Columns of a printed table that are no numbers."""


def meta_test(
    what: Annotated[
        str,
        typer.Argument(
            metavar="GRID|CELL",
            help="A grid, or a cell id or enough of its beginning.",
            show_default=False,
            autocompletion=grid_names,
        ),
    ],
    tasks: Annotated[int | None, typer.Option(help="How many.", show_default="the grid's, or 600")] = None,
    steps: Annotated[
        int | None, typer.Option(help="Most inner steps.", show_default="the grid's, or 10")
    ] = None,
    rates: Annotated[
        str | None,
        typer.Option(
            help="Inner rates, such as own,0.01: own, the cell's; a number, for all weights.",
            show_default="the grid's, or own",
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Such as 0-4. Default: those with at least half of their cells.")
    ] = None,
    device: Device = "cpu",
    out: Annotated[
        Path | None, path_option("out", help="Of a cell: write its table into this .parquet file.")
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(help="Of a cell: a grid whose plug-ins are to be loaded.", show_default=False),
    ] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Test kept weights on tasks that nobody trained on, after 0, 1, ... inner steps.

    Of a grid: all cells with kept weights (keep_weights or meta_test in its file). Prints a table with 95 %
    intervals over tasks and over seeds; writes metatest.parquet, which has every task, and figures into the
    grid's results. A cell whose weights have been tested so already is not tested again. Of a cell: prints
    the same of it alone.
    """
    from harness import grids
    from harness.common.machine import check_device

    check_device(device, None)
    folder = results.absolute()
    if not what.endswith((".yaml", ".yml")) and what not in grids.names() and _is_beginning(what):
        own = None if grid is None else grids.load(grid, dataset=dataset).meta_test
        _of_cell(what, folder, asked(own, tasks, steps, rates), device, out)
        return
    for given, option in ((out, "--out"), (grid, "--grid")):
        if given is not None:
            raise UserError(f"{option}: only with a cell id; a grid's meta-test goes into its results")
    loaded = grids.load(what, dataset=dataset)
    chosen = grids.parse_seeds(seeds, [loaded]) if seeds else ()
    of_grid(loaded, folder, asked(loaded.meta_test, tasks, steps, rates), device, chosen)


def _is_beginning(text: str) -> bool:
    """Whether it can be that of a cell id."""
    return 0 < len(text) <= 16 and set(text) <= set("0123456789abcdef")


def asked(own: MetaTest | None, tasks: int | None, steps: int | None, rates: str | None) -> MetaTest:
    """A grid's meta-test (None: it has none), with what the options say. UserError: an option's value."""
    from pydantic import ValidationError

    from harness.grids import mistakes, strictyaml
    from harness.grids.meta_test import MetaTest

    options: dict[str, Any] = {"tasks": tasks, "steps": steps}
    if rates is not None:
        options["rates"] = [strictyaml.scalar(one.strip()) for one in rates.split(",")]
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return MetaTest.model_validate((own or MetaTest()).model_dump() | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {mistakes.words(first)}") from None


def of_grid(
    grid: Grid, results: Path, test: MetaTest, device: str = "cpu", seeds: Sequence[int] = ()
) -> list[Path]:
    """Test all cells of a grid that have kept weights in `results`; write the table, draw the figures and
    print what they say. Returns the paths written.

    seeds: none: see tables.recorded_seeds. UserError: there are no kept weights, or they cannot be tested so.
    NotWritten.
    """
    from harness.cli import meta_test_cells as some
    from harness.cli.plot import draw_meta_test, say_left_out
    from harness.records import meta_tests, tables
    from harness.records.store import Store

    store = Store(results)
    folder, scan = results / grid.folder, store.scan()
    tables.check_free(grid, folder)
    everything = grid.cells(sorted({*tables.recorded_seeds(grid, scan, seeds), *seeds}))
    here = [cell for cell in everything if not seeds or cell.seed in seeds]
    known = grid.cells(sorted({*tables.records_by_seed(grid, scan)}))
    weights = some.kept(store, dict.fromkeys((*known, *everything)), scan, grid.question)
    cells = [cell for cell in here if cell.cell_id in weights]
    missing = list(some.missing(grid, here, scan, weights))
    if not cells:
        raise UserError(f"{short(results)}: no kept weights of {grid.folder}; {'; '.join(missing)}")
    written = some.brought_up_to_date(grid, cells, known, weights, test, device, results)
    made, damaged = tables.make(grid, store, scan, seeds, curves=False)
    say_left_out(grid, damaged)
    tests = meta_tests.read(folder)
    show(tests.rows, made.trials, tests.about)
    for line in missing:
        say(line, "yellow")
    say_written(written)
    return [*written, *draw_meta_test(tests, made.trials, made.about, folder)]


def _of_cell(beginning: str, results: Path, test: MetaTest, device: str, out: Path | None) -> None:
    """Test one cell, and print what it reaches."""
    import pandas as pd

    from harness.cli import meta_test_cells as some
    from harness.cli.lookup import by_beginning
    from harness.records import meta_tests
    from harness.records.checkpoint import Damaged, NotLoaded, digest_of, read_about
    from harness.records.checkpoints import Checkpoints
    from harness.records.store import Store

    if out is not None and out.suffix != ".parquet":
        raise UserError(f"--out {short(out)}: write a name that ends in .parquet")
    checkpoints = Checkpoints(Store(results))
    ids = {path.name.partition("-")[0] for path in checkpoints.weights.glob("*.safetensors")}
    where = f"with kept weights in {short(checkpoints.weights)}"
    cell_id = by_beginning(beginning, {one: one for one in sorted(ids)}, "cell", where)
    iteration, path = max(checkpoints.weights_of(cell_id).items())
    try:
        (cell,) = read_about(path).cells
        weights = {cell_id: some.Weights(path, digest_of(path))}
    except NotLoaded as error:
        raise UserError(
            f"cell {cell_id}: of {error}, which is not loaded here; --grid with its grid's file loads its "
            "plug-ins"
        ) from None
    except (Damaged, ValueError, OSError) as error:
        raise UserError(f"cell {cell_id}: its weights cannot be read: {error}") from None
    classes = some.check([cell], test)
    with Telling("meta-test") as note:
        ((_, part),) = some.tested([cell], weights, test, device, note)
    preset, changes = cell.protocol.named(cell.protocol.preset)
    trials = pd.DataFrame(
        [
            {"cell_id": cell_id, "method": cell.method, "preset": preset, "changes": json.dumps(changes)}
            | cell.hyper.model_dump()
            | {"seed": cell.seed}
        ]
    )
    say(f"cell {cell_id}: {cell.describe()}, after {iteration} iterations")
    problem = {"unit": cell.protocol.problem_type.unit}
    about = {"problem": problem, "classes": classes, "meta_test": test.model_dump()}
    show(part.rows.to_pandas(), trials, about)
    if out is not None:
        say_written(meta_tests.write_cell(cell, test, part, classes, out))


def show(rows: pd.DataFrame, trials: pd.DataFrame, about: Mapping[str, Any]) -> None:
    """Print the table, what the tasks are made of, and what the intervals are."""
    from harness.analysis.meta_test import SEEDS, TASKS, printed, summary

    found = summary(rows, trials)
    table = printed(found, trials, about["problem"]["unit"])
    several = len(about["classes"]) > 1
    for label, words in about["classes"].items():
        say(f"classes{f' of {label}' * several}: {words}")
    heads = [*map(str, table.columns)]
    columns = Columns(heads, right={*heads} - {*WORDS})
    for row in table.itertuples(index=False, name=None):
        columns.add_row(*row)
    console.out.print(columns)
    seeds = sorted(found[SEEDS].unique())
    over = f"; +- seeds: over {seeds[-1]} seeds, by Student's t" if seeds[-1] > 1 else ""
    say(f"+- tasks: 95 % interval over {int(found[TASKS].iloc[0])} tasks, 1.96 standard errors{over}", "dim")
