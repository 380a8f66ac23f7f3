"""Methods become known by name, and their names fit into grids, filters and tables."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import create_model

from harness.cell import protocol_of
from harness.common.errors import UserError
from harness.methods import METHODS, Hyper, base, maml, method, refusal
from harness.problems import PROBLEMS
from harness.records import schema
from tests import registries


def made(name: str = "mine", columns: tuple[str, ...] = (), **hyper: Any) -> type[base.Method]:
    fields: dict[str, Any] = {one: (kind, ...) for one, kind in hyper.items()}
    recorded = {one: base.Column(meaning="a rate") for one in columns}
    model = create_model("Mine", __base__=Hyper, **fields)
    return type("Mine", (maml.MAML,), {"name": name, "title": "Mine", "Hyper": model, "columns": recorded})


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (made(seed=float), "method 'mine': its hyper-parameter seed has the name of another column"),
        (made(paired=float), "its hyper-parameter paired has the name of another column"),
        (made(final_alpha=float), "its hyper-parameter final_alpha has the name of another column"),
        (made(val_rate=float), "its hyper-parameter val_rate has the name of another column"),
        (made(columns=("iteration",)), "its column iteration has the name of another column"),
        (made(columns=("train_loss",)), "its column train_loss has the name of another column"),
        (made(**{"α0": float}), "its hyper-parameter 'α0' is not a plain word such as rate0"),
        (made(columns=("a b",)), "its column 'a b' is not a plain word"),
        (made(rate=float | None), "its hyper-parameter rate is neither a number, a whole number, a flag nor"),
        (made(rates=list[float]), "its hyper-parameter rates is neither a number"),
        (made(rule=str), "its hyper-parameter rule is neither a number"),
        (made(rule=Literal[1, 2]), "its hyper-parameter rule is neither a number"),
        (made("a,b"), "a method's name is 'a,b'; write a word with letters, digits and"),
        (made("maml", rate0=float), "method 'maml' is built in; choose another name"),
    ],
)
def test_a_name_that_does_not_fit_is_refused(kind: type[base.Method], says: str) -> None:
    before = list(METHODS)
    with pytest.raises(UserError) as error:
        method(kind)
    assert says in str(error.value)
    assert list(METHODS) == before


def test_without_a_title_of_its_own_a_method_goes_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by that of the method that it extends: figures would call it MAML."""
    registries.for_now(monkeypatch)
    method(type("Mine", (maml.MAML,), {"name": "mine"}))
    assert (METHODS["mine"].title, METHODS["maml"].title) == ("mine", "MAML")


def test_hyper_parameters_are_of_four_kinds() -> None:
    kinds = {"rate0": base.Rate, "steps": int, "msl": bool, "rule": Literal["raw", "update"]}
    fields = made(**kinds).Hyper.model_fields
    assert [base.kind_of(field) for field in fields.values()] == ["number", "whole number", "flag", "choice"]


def test_every_column_of_the_tables_is_taken() -> None:
    """The list is kept below the tables, which are made of the methods."""
    columns = {name for name in (*schema.TRIALS, *schema.TRAJECTORIES) if not name.startswith(OWN)}
    assert columns <= base.TAKEN
    of_problems = {f"{split}_{name}" for one in PROBLEMS.values() for name in one.metrics for split in SPLITS}
    assert all(name.startswith(OWN) for name in of_problems)


SPLITS = ("train", "val")
OWN = ("train_", "val_", "final_")


def test_a_method_decides_no_more_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outer update of its own may have second derivatives or not."""
    kind = made("own", rate0=float)
    kind.own_update = True
    registries.for_now(monkeypatch)
    method(kind)
    assert refusal("own", protocol_of(first_order=True)) is None
    assert refusal("own", protocol_of(meta_optimizer="sgd")) == (
        "meta_optimizer",
        "own has an outer update of its own; leave meta_optimizer out",
    )


def test_a_method_that_extends_another_does_not_have_its_title(monkeypatch: pytest.MonkeyPatch) -> None:
    registries.for_now(monkeypatch)
    method(type("Mine", (maml.MAML,), {"name": "mine"}))
    method(type("Other", (maml.MAML,), {"name": "other", "title": "Another MAML"}))
    assert [METHODS[name].title for name in ("maml", "mine", "other")] == ["MAML", "mine", "Another MAML"]
