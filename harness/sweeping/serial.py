"""The runner without Ray: one pack after another in this process, with the same numbers as with Ray."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from harness.cell import Question
from harness.records import Progress, load_header
from harness.sweeping.runner import Driver, Machine, Pack, sources
from harness.sweeping.work import Stop, failed, work


def run(packs: Sequence[Pack], question: Question, machine: Machine, driver: Driver) -> str | None:
    """See Runner. `jobs` is not used."""
    last_report = 0.0

    def observe(now: list[Progress]) -> None:
        nonlocal last_report
        if driver.interrupted():
            raise Stop
        if time.monotonic() - last_report > 0.5:
            last_report = time.monotonic()
            driver.progress(now)

    for pack in packs:
        if driver.interrupted():
            break
        left = {cell.cell_id for cell in pack}
        try:
            for content in work(
                pack,
                question,
                machine.device,
                machine.threads,
                observe,
                machine.keeping,
                driver.checkpoint,
                sources(pack, question, machine),
            ):
                left.discard(load_header(content).cell.cell_id)
                driver.record(content)
        except Stop:
            break
        except torch.AcceleratorError as error:
            for cell_id in left:
                driver.record(failed(pack, cell_id, str(error), machine.device))
    return None
