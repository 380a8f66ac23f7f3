"""Figures of differences: which runs are compared, and what cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import grids
from tests.grids.test_figure import MAML, READINGS, alpha, is_refused, read, sheet, trajectories

LIMIT = (MAML | {"alpha0": [0.1, 0.2]}, alpha(alpha0=[0.1, 0.2], alpha_hyperlr=0, beta_hyperlr=0))
NO_READING = {"protocol": "paper-adam"}
NO_METHOD = {"method": "maml"}


def differences(minus: dict[str, Any], *wheres: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A figure without a reference, unless there is one in `more`."""
    figure = trajectories(*(wheres or ({},))) | {"minus": minus}
    return {key: value for key, value in figure.items() if key != "reference"} | more


REFUSED = {
    "from what no cell has": (
        sheet(differences({"protocol": "paper-sgd"}), **READINGS),
        "figure.minus.protocol: no cell has protocol 'paper-sgd'",
    ),
    "from a column that there is not": (
        sheet(differences({"protocl": "paper-adam"}), **READINGS),
        "figure.minus.protocl: no cell has protocl; did you mean protocol?",
    ),
    "between seeds": (
        sheet(differences({"seed": 0})),
        "figure.minus.seed: a run is compared with one of its own seed; leave seed out",
    ),
    "from nothing in particular": (
        sheet(differences({})),
        "figure.minus: names nothing; write what the runs to compare with have",
    ),
    "of a cell without a partner": (
        sheet(differences(NO_METHOD), MAML, alpha(alpha0=[0.1, 0.2])),
        "figure.minus: no cell has these values and is otherwise the same as alpha-maml alpha0=0.2 "
        "beta0=0.001 alpha_hyperlr=0.1 beta_hyperlr=1e-06 under paper-adam",
    ),
    "of a cell with two partners": (
        sheet(differences({"method": "alpha-maml"}), MAML, alpha(alpha_hyperlr=[0.1, 1])),
        "figure.minus: 2 cells have these values; name what else differs from maml alpha0=0.1 beta0=0.001 "
        "under paper-adam",
    ),
    "a column of zeros": (
        sheet(differences(NO_METHOD, {}, NO_METHOD), *LIMIT),
        "figure.columns[1].where: selects only cells that figure.minus names; their difference is 0",
    ),
    "a reference of zeros": (
        sheet(differences(NO_METHOD, reference=MAML), *LIMIT),
        "figure.reference: selects only cells that figure.minus names; their difference is 0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused(case: str) -> None:
    is_refused(*REFUSED[case])


ACCEPTED = {
    "between methods": sheet(differences(NO_METHOD), *LIMIT),
    "between readings": sheet(differences(NO_READING), MAML, **READINGS),
    "with a reference": sheet(
        differences(NO_METHOD, reference={"method": "alpha-maml", "alpha0": 0.1}), *LIMIT
    ),
    "with a cell without a partner that is not drawn": sheet(
        differences(NO_METHOD, {"alpha0": 0.1}), MAML, alpha(alpha0=[0.1, 0.2])
    ),
    "neither differences nor a reference": sheet(
        {"kind": "trajectories", "columns": [{"title": "C", "where": {}}]}
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_can_be_compared_is_accepted(case: str) -> None:
    assert read(ACCEPTED[case]).cells()


def test_a_figure_without_differences_is_kept_as_ever() -> None:
    """Tables keep their grid: those from before there was `minus` say the same, and can be read."""
    grid = read(sheet(trajectories({}), alpha(alpha0=0.001)))
    kept = json.loads(grid.model_dump_json())
    assert [*kept["figure"]] == ["kind", "reference", "columns"]
    assert grids.from_json(json.dumps(kept)) == grid


def test_a_figure_with_differences_is_kept() -> None:
    grid = read(ACCEPTED["between methods"])
    kept = json.loads(grid.model_dump_json())
    assert (kept["figure"]["reference"], kept["figure"]["minus"]) == (None, {"method": ["maml"]})
    assert grids.from_json(json.dumps(kept)) == grid


def test_a_figure_is_no_part_of_a_cell() -> None:
    plain, apart = (
        read(sheet(figure, *LIMIT))
        for figure in (trajectories({}) | {"reference": MAML}, differences(NO_METHOD))
    )
    assert plain.figure != apart.figure
    assert [cell.cell_id for cell in plain.cells()] == [cell.cell_id for cell in apart.cells()]
