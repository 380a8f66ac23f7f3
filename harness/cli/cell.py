"""`harness cell`: train one cell and watch it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import say, unheard
from harness.cli.options import Dataset, Device, Results
from harness.common import places
from harness.common.errors import UserError
from harness.common.machine import check_device, cores

if TYPE_CHECKING:
    from harness.cell import Cell, Question
    from harness.grids import Grid
    from harness.methods import Method
    from harness.records import Progress, Row


def cell(
    what: Annotated[
        list[str], typer.Argument(help="A cell id, or hyper-parameters: alpha0=0.1 beta0=1e-3 ...")
    ],
    method: Annotated[
        str | None, typer.Option(help="By default the one with these hyper-parameters.")
    ] = None,
    grid: Annotated[str, typer.Option(help="Where its protocol, target and budget come from.")] = "fig2",
    seed: Annotated[int, typer.Option(min=0, help="Of the initial weights and the tasks.")] = 0,
    target: Annotated[float | None, typer.Option(help="In place of the grid's.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="The budget, in place of the grid's.")] = None,
    dataset: Dataset = None,
    device: Device = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="For torch.")] = 1,
    results: Results = places.RESULTS,
) -> None:
    """Train one cell and print every iteration.

    Nothing is saved: that is what `sweep` does. Exits with 0 however the cell ends.
    """
    from harness import grids

    check_device(device)
    _check_threads(threads)
    loaded = grids.load(grid, dataset=dataset)
    question = _question(loaded, target, iterations)
    if len(what) == 1 and "=" not in what[0]:
        chosen = _by_id(what[0], loaded, seed, results.absolute())
    else:
        chosen = _by_hyper_parameters(what, loaded, method, seed)
    _train(chosen, question, device, threads)


def _check_threads(threads: int) -> None:
    """UserError if there are more than cores: that is slower, and far more end torch at once."""
    most = cores()
    if threads > most:
        raise UserError(f"threads {threads}: write 1 to {most}, the cores that this process may use")


def _question(grid: Grid, target: float | None, iterations: int | None) -> Question:
    from pydantic import ValidationError

    from harness.cell import Question
    from harness.grids import mistakes

    try:
        return Question(
            target_loss=grid.target_loss if target is None else target,
            max_iterations=iterations or grid.max_iterations,
        )
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        if detail["loc"] == ("max_iterations",):
            raise UserError(f"cell: iterations: {mistakes.words(detail)}") from None
        raise UserError(f"cell: target {target:g}: write a number > 0") from None


def _by_id(beginning: str, grid: Grid, seed: int, results: Path) -> Cell:
    """One of the grid's cells, of its own seeds or of this one, or of those in the store."""
    from harness.cli.lookup import by_beginning
    from harness.records.store import Store

    store = Store(results)
    known = {cell.cell_id: cell for cell in (*grid.cells(), *grid.cells([seed]))}
    known |= {cell_id: header.cell for cell_id, header in store.scan().headers.items()}
    return by_beginning(beginning, known, "cell", f"in {grid.name} or in {store.folder}")


def _by_hyper_parameters(words: Sequence[str], grid: Grid, method: str | None, seed: int) -> Cell:
    """A cell of the grid's protocol, of `method` or of the method with exactly these hyper-parameters."""
    from pydantic import ValidationError

    from harness.cell import Cell
    from harness.grids import mistakes
    from harness.methods import METHODS

    pairs = [_assignment(word) for word in words]
    given = dict(pairs)
    if len(given) < len(pairs):
        raise UserError(f"cell: a hyper-parameter is given twice in '{' '.join(words)}'")
    chosen = method or next((name for name, one in METHODS.items() if _fits(one, given)), None)
    if chosen is None:
        needs = "; ".join(f"{name}: {' '.join(m.Hyper.model_fields)}" for name, m in METHODS.items())
        raise UserError(f"cell: no method has exactly the hyper-parameters {' '.join(given)} ({needs})")
    if chosen not in METHODS:
        near = mistakes.suggest(chosen, METHODS.known())
        raise UserError(f"cell: method: '{chosen}' is not a method; {near}")
    try:
        hyper = {name: _value(METHODS[chosen], name, text) for name, text in pairs}
        return Cell.model_validate(
            {"protocol": grid.protocol, "method": chosen, "hyper": hyper, "seed": seed}
        )
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        place = ".".join(map(str, detail["loc"]))
        raise UserError(f"cell: {place or chosen}: {mistakes.words(detail)}") from None


def _fits(method: Method, given: Collection[str]) -> bool:
    """Whether these are hyper-parameters of it, and all that it needs."""
    fields = method.Hyper.model_fields
    return all(name in fields for name in given) and all(
        name in given or not field.is_required() for name, field in fields.items()
    )


def _assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (name and equals and value):
        raise UserError(f"cell: '{word}' is not of the form {FORM}")
    return name, value


FORM = "name=value, such as alpha0=1e-2"


def _value(method: Method, name: str, text: str) -> int | float | str | bool:
    from harness.grids import hyper_parameter

    try:
        return hyper_parameter(method, name, text)
    except ValueError as error:
        raise UserError(f"cell: {name}: {error}") from None
    except UserError as error:
        raise UserError(f"cell: {error}") from None


def _train(cell: Cell, question: Question, device: str, threads: int) -> None:
    """Print a line per iteration, then how the cell ended."""
    from time import perf_counter

    import torch

    from harness import problems
    from harness.cli.progress import duration, verdict
    from harness.training import loop, precision, trial

    problems.check(cell.protocol)
    precision.check(cell.protocol, device)
    trial.check([cell])
    torch.set_num_threads(threads)
    under = ", ".join(filter(None, (cell.protocol.dataset_name, cell.protocol.label)))
    say(f"{cell.cell_id}  {cell.describe()}  {under}")
    shown = _columns(cell)
    say(" ".join(f"{column.head:>{column.width}}" for column in shown))
    started = perf_counter()

    def observe(now: list[Progress]) -> None:
        say(" ".join(column.text(now[0].row) for column in shown))
        if unheard():  # `| head`, say: there is nothing else to train for
            raise typer.Exit

    (record,) = loop.train([cell], question, device, observe)
    seconds = duration(perf_counter() - started)
    say(f"{verdict(record, question)}; {record.header.ending}, {seconds}")


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column of the printed rows."""

    name: str
    """Of the record."""
    head: str
    form: str

    @property
    def width(self) -> int:
        """Characters."""
        return max(len(self.head), 10 if self.form == ".4g" else 8)

    def text(self, row: Row) -> str:
        """Its value, aligned; blanks where there is none."""
        value = row.get(self.name)
        return f"{'' if value is None else format(value, self.form):>{self.width}}"


def _columns(cell: Cell) -> list[_Column]:
    """Iteration, training loss and metrics; what the method records; the same of the validation tasks."""
    from harness.records.schema import judged, record

    measured = {"loss": ".4f", **dict.fromkeys(judged(cell)[1:], ".3f")}
    train = [_Column(name=f"train_{name}", head=name, form=form) for name, form in measured.items()]
    val = [_Column(name=f"val_{name}", head=f"val {name}", form=form) for name, form in measured.items()]
    apart = {"iteration", *(column.name for column in (*train, *val))}
    rates = [_Column(name=name, head=name, form=".4g") for name in record(cell) if name not in apart]
    return [_Column(name="iteration", head="iteration", form="d"), *train, *rates, *val]
