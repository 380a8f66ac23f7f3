"""The cells of `harness meta-test`: which have kept weights, and what they reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.cli.console import Telling, say
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import counted

if TYPE_CHECKING:
    from harness.cell import Cell, Question
    from harness.grids import Grid
    from harness.grids.meta_test import MetaTest
    from harness.records.meta_tests import Part
    from harness.records.store import Scan, Store

WRITE_S = 60.0
"""Seconds of testing after which the table is written: what a kill costs at most."""


class Weights(NamedTuple):
    """The weights that a run has ended with."""

    path: Path
    digest: str


def kept(store: Store, cells: Iterable[Cell], scan: Scan, question: Question) -> dict[str, Weights]:
    """By cell id: the weights of the runs for a question, of the cells whose record answers it."""
    from harness.records.checkpoint import Damaged, digest_of
    from harness.records.checkpoints import Checkpoints

    checkpoints, found = Checkpoints(store), {}
    for cell in cells:
        header = scan.headers.get(cell.cell_id)
        if header is None or not header.answers(question) or checkpoints.lacks_weights(header, question):
            continue
        iteration = checkpoints.ends_at(header, question)
        if iteration is not None:
            path = checkpoints.weights_at(cell.cell_id, iteration)
            with suppress(Damaged, OSError):
                found[cell.cell_id] = Weights(path, digest_of(path))
    return found


def missing(grid: Grid, cells: Sequence[Cell], scan: Scan, weights: Collection[str]) -> Iterator[str]:
    """A line on each kind of cells that cannot be tested."""
    sweep = places.typed("sweep", grid.file or grid.name)
    keep = "" if grid.keeps_weights else "write keep_weights: true in the grid, and "
    without = [scan.headers.get(cell.cell_id) for cell in cells if cell.cell_id not in weights]
    endings = ["failed" if header is None else header.ending for header in without]
    for found, text in (
        (endings.count("failed"), f"not run yet: {sweep} runs them"),
        (endings.count("diverged"), "diverged: no weights to test"),
        (
            sum(ending not in ("failed", "diverged") for ending in endings),
            f"without kept weights: {keep}{sweep} trains again those that lack them",
        ),
    ):
        if found:
            yield f"{counted(found, 'cell')} {text}"


def check(cells: Sequence[Cell], test: MetaTest) -> dict[str, str]:
    """Before anything is tested, or trained for it. Returns what the tasks are made of, by protocol in words.
    UserError: there are no data or no tasks, or a method has no rates for so many steps."""
    from harness import problems
    from harness.grids.meta_test import refusal
    from harness.records.schema import META_TEST

    found = {}
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        problems.check(protocol)
        if taken := [name for name in protocol.problem_type.metrics if name in META_TEST]:
            raise UserError(
                f"problem '{protocol.problem}': its metric {taken[0]} has the name of another column of a "
                "meta-test; rename it"
            )
        if words := problems.tested_on(protocol):
            found[protocol.label] = words
    for cell in {(cell.protocol, cell.method): cell for cell in cells}.values():
        if why := refusal(test, cell.method, cell.protocol):
            raise UserError(f"meta-test: {why}")
    return found


def brought_up_to_date(
    grid: Grid,
    cells: Sequence[Cell],
    others: Sequence[Cell],
    weights: Mapping[str, Weights],
    test: MetaTest,
    device: str,
    results: Path,
) -> list[Path]:
    """Test those of the cells that are not tested, or whose weights, plug-ins or images have changed, and
    write the grid's table. What is there of `others` stays. Returns the paths written."""
    from harness.records import meta_tests, provenance

    folder = results / grid.folder
    there = meta_tests.parts_of(folder, test)
    parts = {i: one for i, one in there.items() if i in weights and weights[i].digest == one.weights}
    todo = [
        cell
        for cell in cells
        if cell.cell_id not in parts or provenance.changed(cell, parts[cell.cell_id].origin)
    ]
    for cell in todo:
        parts.pop(cell.cell_id, None)
    everything = list(dict.fromkeys((*others, *cells)))
    asked = {cell.cell_id for cell in cells} | parts.keys()
    classes = check([cell for cell in everything if cell.cell_id in asked], test)

    def write() -> list[Path]:
        done = [(cell, parts[cell.cell_id]) for cell in everything if cell.cell_id in parts]
        return meta_tests.write(grid, test, done, classes, folder)

    if before := len(cells) - len(todo):
        say(f"{grid.folder}: {counted(before, 'cell')} tested before, {len(todo)} to test")
    last, new = time.monotonic(), False
    try:
        with Telling("meta-test") as note:
            for cell, part in tested(todo, weights, test, device, note):
                parts[cell.cell_id], new = part, True
                if time.monotonic() - last > WRITE_S:
                    write()
                    last, new = time.monotonic(), False
    except BaseException:
        if new:  # interrupted, say: the same command goes on
            write()
        raise
    return write()


def tested(
    cells: Sequence[Cell],
    weights: Mapping[str, Weights],
    test: MetaTest,
    device: str,
    note: Callable[[str], None],
) -> Iterator[tuple[Cell, Part]]:
    """Test cells that have kept weights, those of one protocol and method after each other. weights: by cell
    id; `note` is told how far it is. UserError: weights cannot be tested so."""
    from harness.records import checkpoints, meta_tests, provenance
    from harness.training import precision
    from harness.training.checkpoint import state_of
    from harness.training.meta_test import MetaTester

    by_kind: dict[Any, list[Cell]] = {}
    for cell in cells:
        by_kind.setdefault((cell.protocol, cell.method), []).append(cell)
    for protocol, _ in by_kind:
        precision.check(protocol, device)
    at = 0
    for kind in by_kind.values():
        tester = MetaTester(kind[0], tasks=test.tasks, steps=test.steps, rates=test.numbers, device=device)
        for cell in kind:
            at += 1
            place = f"meta-test: cell {at} of {len(cells)}"
            note(place)
            reached = tester.test_cell(
                cell,
                state_of(checkpoints.weights(weights[cell.cell_id].path), cell),
                lambda done, place=place: note(f"{place}, {done} of {test.tasks} tasks"),  # type: ignore[misc]
            )
            run = provenance.of_run(device, pack_size=1)
            origin = {name: run[name] for name in ("device", "threads", "versions")}
            origin |= provenance.of_cell(cell, tester.digest)
            yield cell, meta_tests.part_of(cell, test.numbers, reached, weights[cell.cell_id].digest, origin)
