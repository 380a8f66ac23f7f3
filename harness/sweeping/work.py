"""What one worker does with one pack, the same under every runner."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import torch

from harness import records
from harness.cell import Question
from harness.records import provenance
from harness.records.checkpoint import Source
from harness.sweeping.runner import Keeping, Pack
from harness.training import checkpoint, loop
from harness.training.checkpoint import Checkpoint


class Stop(BaseException):
    """Raised by an observer to stop a pack at once: its unfinished cells leave no record."""


Save = Callable[[bytes], None]
"""Takes the file of a checkpoint."""


def work(
    pack: Pack,
    question: Question,
    device: str,
    threads: int,
    observe: loop.Observe,
    keeping: Keeping | None = None,
    save: Save = lambda content: None,
    sources: Sequence[Source] = (),
) -> Iterator[bytes]:
    """Train a pack; yield each record as its cell ends. After an error, the cells that had not ended are
    trained again, in halves of the pack and halves of these, from the last checkpoint: a cell that fails
    alone gets a failed record, and takes no other with it.

    threads: for torch. keeping: what is kept meanwhile, which `save` takes; None: nothing. sources: where
    the cells go on; those that do not fit are left, and the cells begin.

    Errors of the accelerator are raised: its process may be unusable and has to end.
    """
    torch.set_num_threads(threads)
    latest: dict[str, Checkpoint] = {}  # by cell id

    def remember(one: Checkpoint | None) -> None:
        if one is not None and not one.about.ended:
            latest.update((cell.cell_id, one) for cell in one.about.cells)

    def take(one: Checkpoint) -> None:
        remember(one)
        save(checkpoint.dump(one))

    keep = None
    if keeping is not None:
        keep = loop.Keep(take=take, every_s=keeping.every_s, weights=keeping.weights)
    remember(checkpoint.joined(sources, pack))
    waiting = deque([pack])
    while waiting:
        part = waiting.popleft()
        left = {cell.cell_id: cell for cell in part}
        start = latest[part[0].cell_id].of(part) if part[0].cell_id in latest else None
        message = ""
        try:
            for record in loop.train(part, question, device, observe, start=start, keep=keep):
                content = records.dump(record)
                del left[record.header.cell.cell_id]
                yield content
        except checkpoint.Unfit:
            for cell_id in left:
                latest.pop(cell_id, None)
            waiting.append(part)
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
