"""What one worker does with one pack, the same under every runner."""

from __future__ import annotations

import traceback
from collections import deque
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
    """Train a pack; yield each record as its cell ends. After an error, the cells that had not ended are
    trained again, in halves of the pack and halves of these: a cell that fails alone gets a failed record,
    and takes no other with it. threads: for torch.

    Errors of the accelerator are raised: its process may be unusable and has to end.
    """
    torch.set_num_threads(threads)
    waiting = deque([pack])
    while waiting:
        part = waiting.popleft()
        left = {cell.cell_id: cell for cell in part}
        message = ""
        try:
            for record in loop.train(part, question, device, observe):
                content = records.dump(record)
                del left[record.header.cell.cell_id]
                yield content
        except torch.AcceleratorError:
            raise
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            message = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        # Only now is the memory of what failed free: until here the error held on to it.
        if message and len(part) > 1:
            waiting.extend(_halves(tuple(left.values())))
        elif message:
            for cell_id in left:
                yield failed(part, cell_id, message, device)


def _halves(pack: Pack) -> list[Pack]:
    """Two packs, or fewer of fewer cells."""
    middle = (len(pack) + 1) // 2
    return [part for part in (pack[:middle], pack[middle:]) if part]


def failed(pack: Pack, cell_id: str, message: str, device: str) -> bytes:
    """The record of a cell whose run ended in an error."""
    (cell,) = (cell for cell in pack if cell.cell_id == cell_id)
    origin = {"device": device, "pack_size": len(pack), "versions": provenance.of_code()}
    return records.dump(records.make(cell, "failed", [], origin | provenance.now(0.0), message))


def ready() -> None:
    """Called in a worker's process as it starts, only so that this module is loaded."""
