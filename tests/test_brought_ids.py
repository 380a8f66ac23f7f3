"""Ids and labels of cells whose parts a user brings."""

from __future__ import annotations

from typing import Literal

import pytest

from harness import records
from harness.cell import Cell, presets, protocol_of
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.problems import Problem, dataset, problem
from harness.problems.networks import network
from tests import registries
from tests.cell.test_point import RATES, Wider, cell, widened


def test_a_field_may_be_a_tuple(monkeypatch: pytest.MonkeyPatch) -> None:
    registries.for_now(monkeypatch)

    @network("stack")
    def build(inputs: object, outputs: int, widths: tuple[int, ...] = (8, 8)) -> None: ...

    made = Cell(
        protocol=protocol_of(problem="sinusoid", network="stack", widths=(4, 2)),
        method="maml",
        hyper=RATES,
        seed=0,
    )
    assert Cell.model_validate_json(made.model_dump_json()) == made
    assert records.load_header(records.dump(records.make(made, "failed", [], {}, "why"))).cell == made


class Tables(Problem):
    """With data sets of another kind."""

    class Fields(Frozen):
        dataset: Literal["wine", "houses"] = "wine"

    name = "tables"
    network = "mlp"


def test_a_field_of_ones_own_may_not_pass_for_a_data_set_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    registries.for_now(monkeypatch)
    problem(Tables)
    with pytest.raises(UserError, match="its field dataset is already one of few-shot classification"):
        protocol_of(problem="tables")


def test_a_problem_may_not_have_the_name_of_a_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    class Preset(Problem):
        name = "omniglot-5way"
        network = "mlp"

    registries.for_now(monkeypatch)
    problem(Preset)
    with pytest.raises(UserError, match="problem 'omniglot-5way': a preset has this name"):
        presets()


def test_a_default_of_a_plug_in_is_part_of_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may change: then the old records must not answer for the new default."""
    before = cell().cell_id
    widened(monkeypatch)
    first = cell(protocol_of()).cell_id
    assert first != before
    monkeypatch.setattr(Wider.model_fields["dropout"], "default", 0.5)
    assert cell(protocol_of(dropout=0.0)).cell_id == first


@pytest.mark.usefixtures("forgotten")
def test_what_a_data_set_wants_is_no_change() -> None:
    dataset("few", train_characters=6, validation_characters=5, n_way=3)(lambda: {})
    assert protocol_of(dataset="few").label == "paper-adam"
    assert protocol_of(dataset="few", n_way=4).changes("paper-adam") == {"n_way": 4}
    assert protocol_of(dataset="few", rotate=True).changes("paper-adam") == {"rotate": True}
