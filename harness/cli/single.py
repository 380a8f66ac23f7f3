"""One cell trained before one's eyes, and a data set looked at: what one does before a sweep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from harness import grids
from harness.cell import PRESETS, Cell, Protocol, Question
from harness.cli.progress import duration, verdict
from harness.common.errors import UserError
from harness.grids import strictyaml
from harness.methods import METHODS
from harness.problems import datasets, episodes
from harness.records import Progress, Row
from harness.records.store import Store
from harness.training import loop


def choose(
    what: Sequence[str],
    method: str | None,
    grid_name: str,
    seed: int,
    target: float | None,
    iterations: int | None,
    dataset: str | None,
    results: Path,
) -> tuple[Cell, Question]:
    """The cell named by its id (in the grid or in the store) or by its hyper-parameters, and the question."""
    grid = grids.load(grid_name, dataset=dataset)
    try:
        question = Question(
            target_loss=grid.target_loss if target is None else target,
            max_iterations=iterations or grid.max_iterations,
        )
    except ValidationError:
        raise UserError(f"cell: target {target:g}: write a number > 0, in nats") from None
    if len(what) == 1 and "=" not in what[0]:
        return _by_id(what[0], grid.cells(), Store(results)), question
    pairs = [_assignment(text) for text in what]
    hyper = dict(pairs)
    if len(hyper) < len(pairs):
        raise UserError(f"cell: a hyper-parameter is given twice in '{' '.join(what)}'")
    fitting = [name for name, m in METHODS.items() if set(m.Hyper.model_fields) == set(hyper)]
    chosen = method or next(iter(fitting), None)
    if chosen is None:
        needs = "; ".join(f"{name}: {' '.join(m.Hyper.model_fields)}" for name, m in METHODS.items())
        raise UserError(f"cell: no method has just {' '.join(hyper)} ({needs})")
    try:
        return _cell(grid.protocol, chosen, hyper, seed), question
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        place = ".".join(map(str, detail["loc"]))
        raise UserError(f"cell: {place or chosen}: {strictyaml.words(detail)}") from None


def _cell(protocol: Protocol, method: str, hyper: dict[str, float], seed: int) -> Cell:
    fields = {"protocol": protocol, "method": method, "hyper": hyper, "seed": seed}
    return Cell.model_validate(fields)


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        wanted = "name=number, such as alpha0=1e-2"
        raise UserError(f"cell: '{text}' is not of the form {wanted}") from None


def _by_id(beginning: str, cells: Sequence[Cell], store: Store) -> Cell:
    known = {cell.cell_id: cell for cell in cells}
    known |= {i: header.cell for i, header in store.scan().headers.items()}
    found = [cell for cell_id, cell in known.items() if cell_id.startswith(beginning)]
    if len(found) != 1:
        what = f"{len(found)} cells begin" if found else "no cell begins"
        raise UserError(f"cell '{beginning}': {what} with that, in the grid or in {store.folder}")
    return found[0]


def train_and_print(out: Console, cell: Cell, question: Question, device: str, threads: int) -> None:
    """Print a line an iteration, then how the cell came out."""
    datasets.check(cell.protocol.dataset, cell.protocol.resize)
    torch.set_num_threads(threads)
    out.print(
        Text(f"{cell.cell_id}  {cell.describe()}  {cell.protocol.dataset}, {cell.protocol.label}"),
        soft_wrap=True,
    )
    out.print(
        f"{'iteration':>9} {'loss':>8} {'accuracy':>8} {'alpha':>10} {'beta':>10} "
        f"{'val loss':>8} {'val acc':>8}"
    )
    started = perf_counter()
    (record,) = loop.train([cell], question, device, lambda now: _print(out, now[0]))
    seconds = duration(perf_counter() - started)
    out.print(Text(f"{verdict(record, question)}; {record.header.ending}, {seconds}"), soft_wrap=True)


def _print(out: Console, now: Progress) -> None:
    row: Row = now.row

    def number(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    out.print(
        f"{row.iteration:>9} {row.train_loss:>8.4f} {row.train_accuracy:>8.3f} {row.alpha:>10.4g} "
        f"{number(row.beta, '.4g'):>10} {number(row.val_loss, '.4f'):>8} {number(row.val_accuracy, '.3f'):>8}"
    )


def time_iteration(protocol: Protocol) -> float:
    """Seconds of a meta-iteration on one thread: the median of three after one to warm up."""
    datasets.check(protocol.dataset, protocol.resize)
    torch.set_num_threads(1)
    hyper = {"alpha0": 0.1, "beta0": 1e-3, "alpha_hyperlr": 0.1, "beta_hyperlr": 1e-6}
    cell = _cell(protocol, "alpha-maml", hyper, seed=0)
    times: list[float] = []
    list(
        loop.train(
            [cell],
            Question(target_loss=None, max_iterations=4),
            observe=lambda now: times.append(perf_counter()),
        )
    )
    return median(np.diff(times).tolist())


def show_data(out: Console, name: str, resize: str, sheet: Path | None, seed: int) -> None:
    """Fetch if missing, verify, describe; draw two tasks of iteration 1 if a place for it is given."""
    if sheet is not None and sheet.suffix != ".png":
        raise UserError(f"sheet {sheet}: write a name that ends in .png")
    if name == "omniglot":
        from harness.problems.datasets import omniglot

        try:
            for part in omniglot.PARTS:
                omniglot.find(part)
        except UserError:
            out.print("Omniglot is not there; fetching it (14 MB)")
            omniglot.fetch()
    dataset = datasets.load(name, resize)
    for key, value in datasets.facts(dataset).items():
        out.print(Text(f"{key:<22} {value}"), soft_wrap=True)
    if sheet is not None:
        try:
            _draw_sheet(dataset, name, resize, sheet, seed)
        except OSError as error:
            raise UserError(f"sheet {sheet}: no place to write ({error.strerror})") from None
        out.print(Text(f"sheet                  {sheet}"), soft_wrap=True)


def _draw_sheet(dataset: datasets.Dataset, name: str, resize: str, path: Path, seed: int) -> None:
    from harness.plots.sheet import sheet

    preset = PRESETS["paper-adam"].model_dump()
    protocol = Protocol(**preset | {"dataset": name, "resize": resize, "meta_batch": 2})
    drawn = episodes.training(protocol, seed, iteration=1)
    images = episodes.gather(drawn, torch.tensor(dataset.images), protocol.k_shot, torch.float64)
    shape = (protocol.meta_batch, protocol.n_way, -1, 28, 28)
    support, query = ((part * 255).round().to(torch.uint8).reshape(shape).numpy() for part in images)
    names = [[_short(dataset.characters[i]) for i in task] for task in drawn.characters]
    title = f"{name}: two tasks of seed {seed}, iteration 1 ({protocol.n_way}-way, {protocol.k_shot}-shot)"
    sheet(support, query, names, title, path)


def _short(character: str) -> str:
    """A name that fits over a column: `Inuktitut_(Canadian_...)/character02` -> `Inuktitut 02`."""
    return re.sub(r"_?\([^)]*\)", "", character).replace("/character", " ").replace("_", " ")
