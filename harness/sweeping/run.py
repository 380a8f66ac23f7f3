"""Sweeps and single cells from Python, without Ray: `harness.run`."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from harness import grids, problems
from harness.cell import Cell, Question
from harness.common import places
from harness.common.errors import NotWritten
from harness.common.machine import check_device
from harness.common.text import counted
from harness.grids import Grid
from harness.records import Progress, Record, tables
from harness.sweeping.runner import Machine
from harness.sweeping.sweep import Request, sweep

if TYPE_CHECKING:
    import pandas as pd


@overload
def run(
    what: Cell,
    *,
    max_iterations: int,
    target_loss: float | None = None,
    device: str = "cpu",
) -> pd.DataFrame: ...


@overload
def run(
    what: Grid | Path | str,
    *,
    results: Path | str | None = None,
    seeds: tuple[int, ...] | None = None,
    device: str = "cpu",
    stale: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]: ...


def run(
    what: Cell | Grid | Path | str,
    *,
    results: Path | str | None = None,
    seeds: tuple[int, ...] | None = None,
    max_iterations: int | None = None,
    target_loss: float | None = None,
    device: str = "cpu",
    stale: bool = False,
) -> Any:
    """Train a cell, or what a grid lacks, in this process.

    A cell: until a sustained passage of `target_loss` (None: none) or for `max_iterations`. Returns its
    trajectory, a row for each iteration, with the columns of its record (see harness.records.schema). Nothing
    is saved.

    A grid, its name or the path of its file: its missing cells one after another, for `seeds` (None: its
    own), into `results` (None: results/). Returns its trials and trajectories, as harness.load does. `stale`:
    what other versions of a plug-in have made is trained again.

    A method, problem or network need no file of their own: those that this process has made known will do.

    >>> import harness
    >>> @harness.method
    ... class Halved(harness.METHODS["maml"].__class__):
    ...     '''MAML with half its outer rate.'''
    ...     name = "halved"
    ...     def step(self, state, meta, hyper, optimize, protocol):
    ...         return super().step(state._replace(beta=hyper["beta0"] / 2), meta, hyper, optimize, protocol)
    >>> cell = harness.Cell(
    ...     protocol=harness.protocol_of(problem="sinusoid", meta_batch=4),
    ...     method="halved",
    ...     hyper={"alpha0": 0.01, "beta0": 0.01},
    ...     seed=0,
    ... )
    >>> rows = harness.run(cell, max_iterations=3)
    >>> list(rows.columns)
    ['iteration', 'alpha', 'beta', 'train_loss', 'val_loss']
    >>> rows["iteration"].tolist()
    [1, 2, 3]

    device: `cpu` or `cuda`.
    UserError: the grid or the cell cannot be trained; said before anything is. ValueError: arguments that a
    cell or a grid does not have.
    """
    check_device(device)
    if isinstance(what, Cell):
        if max_iterations is None or results is not None or seeds is not None or stale:
            raise ValueError("a cell takes max_iterations, maybe target_loss and device, and nothing else")
        question = Question(target_loss=target_loss, max_iterations=max_iterations)
        return _train(what, question, device)
    if max_iterations is not None or target_loss is not None:
        raise ValueError("a grid has a target and a budget of its own")
    grid = what if isinstance(what, Grid) else grids.load(os.fspath(what))
    folder = Path(results or places.RESULTS).absolute()
    machine = Machine(device=device, jobs=1)
    request = Request(grid=grid, results=folder, machine=machine, seeds=seeds, stale=stale)
    return _sweep(request)


def _train(cell: Cell, question: Question, device: str) -> pd.DataFrame:
    import torch  # late: it is slow to load

    from harness.training import loop, precision, trial

    problems.check(cell.protocol)
    precision.check(cell.protocol, device)
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a sweep: more are slower for such small work
    try:
        trial.check([cell])
        (record,) = loop.train([cell], question, device)
    finally:
        torch.set_num_threads(before)
    return record.rows.to_pandas()


def _sweep(request: Request) -> tuple[pd.DataFrame, pd.DataFrame]:
    from harness.sweeping import serial  # late: it loads torch

    result = sweep(request, serial.run, _Quiet())
    if result.interrupted:
        raise KeyboardInterrupt
    if result.unwritten:
        raise NotWritten(request.folder, OSError(result.unwritten))
    if result.failed:
        first = next(iter(result.failed.values()))
        warnings.warn(f"{counted(len(result.failed), 'cell')} failed: {first}", stacklevel=3)
    return tables.load(request.grid.folder, request.results)


class _Quiet:
    """A display that shows nothing but what is worth a line."""

    def note(self, text: str) -> None:
        """As a warning."""
        warnings.warn(text, stacklevel=2)

    def begin(self, total: int, done: int, jobs: int) -> None:
        """Nothing."""

    def progress(self, now: list[Progress]) -> None:
        """Nothing."""

    def record(self, record: Record, question: Question) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""
