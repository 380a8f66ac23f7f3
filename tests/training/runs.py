"""Short runs of small cells, for the tests of training."""

from __future__ import annotations

from harness import records
from harness.cell import Cell, Protocol, Question, protocol_of
from harness.training import loop
from tests.conftest import SMALL


def cell(protocol: Protocol = SMALL, seed: int = 0, **hyper: float) -> Cell:
    rates = {"alpha0": 0.1, "beta0": 0.01} | hyper
    method = "alpha-maml" if "alpha_hyperlr" in rates else "maml"
    return Cell(protocol=protocol, method=method, hyper=rates, seed=seed)


def variant(**fields: object) -> Protocol:
    return protocol_of(**SMALL.model_dump() | fields)


def run(
    *cells: Cell, target: float | None = None, budget: int = 6, span: int | None = None
) -> list[records.Record]:
    question = Question(target_loss=target, max_iterations=budget)
    by_id = {r.header.cell.cell_id: r for r in loop.train(cells, question, span=span)}
    return [by_id[cell.cell_id] for cell in cells]


def columns(record: records.Record) -> dict[str, list]:
    return record.rows.to_pydict()


MOVING = {"alpha_hyperlr": 0.1, "beta_hyperlr": 1e-3}
