"""What one worker does with one pack, the same under every runner."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import torch

from harness import records
from harness.cell import Question
from harness.records import provenance
from harness.sweeping.runner import Pack
from harness.training import loop


class Stop(BaseException):
    """Raised by an observer to stop a pack at once: its unfinished cells leave no record."""


def work(pack: Pack, question: Question, device: str, threads: int, observe: loop.Observe) -> Iterator[bytes]:
    """Train a pack; yield each record as its cell ends. After an error, each cell that had not ended gets a
    failed record. threads: for torch.

    Errors of the accelerator are raised: its process may be unusable and has to end.
    """
    torch.set_num_threads(threads)
    left = {cell.cell_id: cell for cell in pack}
    try:
        for record in loop.train(pack, question, device, observe):
            del left[record.header.cell.cell_id]
            yield records.dump(record)
    except torch.AcceleratorError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        for cell in left.values():
            yield failed(pack, cell.cell_id, message, device)


def failed(pack: Pack, cell_id: str, message: str, device: str) -> bytes:
    """The record of a cell whose run ended in an error."""
    (cell,) = (cell for cell in pack if cell.cell_id == cell_id)
    origin = {"device": device, "pack_size": len(pack), "versions": provenance.of_code()}
    return records.dump(records.make(cell, "failed", [], origin | provenance.now(0.0), message))


def ready() -> None:
    """Called in a worker's process as it starts, only so that this module is loaded."""
