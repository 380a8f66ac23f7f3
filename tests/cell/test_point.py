"""Cells and questions: strict, frozen, and found by an id that never moves."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from harness.cell import PRESETS, Cell, Protocol, Question, protocol_of
from harness.cell import cell as made_once
from harness.cell.point import point_of
from harness.methods import METHODS, maml
from harness.problems import PROBLEMS, FewShot, few_shot
from tests import registries

RATES = {"alpha0": 0.1, "beta0": 1e-3}
MOVING = RATES | {"alpha_hyperlr": 0.1, "beta_hyperlr": 1e-6}


def cell(protocol: Protocol | None = None, seed: int = 0, **rates: float) -> Cell:
    hyper = RATES | rates
    method = "alpha-maml" if "alpha_hyperlr" in hyper else "maml"
    return Cell(protocol=protocol or protocol_of(), method=method, hyper=hyper, seed=seed)


def test_a_cell_of_a_point_is_the_cell() -> None:
    """Made without checking it again, unless there is something to check."""
    protocol, hyper = protocol_of(n_way=5), METHODS["maml"].Hyper(**RATES)
    for seed in (0, 3, 2**63 - 1):
        made = made_once(protocol, "maml", hyper, seed)
        assert made == cell(protocol, seed)
        assert made.cell_id == cell(protocol, seed).cell_id
        assert made.model_dump_json() == cell(protocol, seed).model_dump_json()
        assert made is made_once(protocol, "maml", hyper, seed)
        assert pickle.loads(pickle.dumps(made)) == made
    for wrong in (-1, 2**63, True, 1.5, None):
        with pytest.raises(ValidationError, match="seed"):
            made_once(protocol, "maml", hyper, wrong)  # type: ignore[arg-type]


def test_a_point_is_all_of_a_cell_but_its_seed() -> None:
    """A key for all its cells, also for those that are made when it is no longer kept."""
    protocol, hyper = protocol_of(n_way=5), METHODS["maml"].Hyper(**RATES)
    first = made_once(protocol, "maml", hyper, 3).point
    assert first is point_of(protocol, "maml", hyper)
    point_of.cache_clear()
    again = cell(protocol_of(n_way=5), seed=4).point
    assert again is not first
    assert {first: "known"}[again] == "known"
    assert first.cell(4) == again.cell(4)
    others = [cell(), cell(protocol, alpha0=0.2), cell(protocol, alpha_hyperlr=0.1, beta_hyperlr=0.1)]
    assert not {first} & {other.point for other in others}
    assert first != (protocol, "maml", hyper)


@pytest.mark.parametrize(
    ("made", "cell_id"),
    [
        (cell(), "7d250d523a8d78c8"),
        (cell(seed=7), "377d1afa7085138e"),
        (cell(**MOVING), "340f781f5b60818c"),
        (cell(PRESETS["paper-sgd"], **MOVING), "36b7f1c6aa047ac2"),
        (cell(protocol_of(dataset="glyphs", n_way=5, norm_eps=1e-3)), "492511ec7fa5094b"),
    ],
    ids=["maml", "seed", "alpha-maml", "sgd", "other fields"],
)
def test_golden_ids(made: Cell, cell_id: str) -> None:
    """If one moves, every record of every store is orphaned: mend the change, not this test."""
    assert made.cell_id == cell_id


class Wider(few_shot.Fields):
    """As a later version may have it."""

    dropout: float = Field(0.0, ge=0)
    warm_up: int | None = None


def widened(monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(FewShot):
        Fields = Wider

    monkeypatch.setitem(PROBLEMS._things, "few-shot", Later)


def test_a_new_field_orphans_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wider, "__module__", "harness.problems.few_shot")
    before, five = cell().cell_id, cell(protocol_of(n_way=5), **MOVING).cell_id
    widened(monkeypatch)
    assert cell(protocol_of(n_way=5, dropout=0.0), **MOVING).cell_id == five
    assert cell(protocol_of(dropout=0.5)).cell_id != before
    assert cell(protocol_of(warm_up=0)).cell_id != before


class Decaying(maml.Hyper):
    """With a whole number as the default of a number."""

    decay: float = Field(1, ge=0)


@pytest.mark.parametrize("first", [{}, {"decay": 1.0}], ids=["left out first", "written first"])
def test_a_default_that_is_left_out_or_written_is_one_cell(
    first: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Method(maml.MAML):
        name = "decaying"
        Hyper = Decaying

    registries.bring(monkeypatch, METHODS, Method())
    point_of.cache_clear()
    made = [
        Cell(protocol=protocol_of(), method="decaying", hyper=RATES | hyper, seed=0)
        for hyper in (first, {}, {"decay": 1.0})
    ]
    assert {type(one.hyper.decay) for one in made} == {float}
    assert {one.cell_id for one in made} == {"b0d9573ef6c963a2"}


def test_a_new_hyper_parameter_with_a_default_orphans_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Momentum(maml.Hyper):
        momentum: float = Field(0.0, ge=0)

    before = cell().cell_id
    monkeypatch.setattr(Momentum, "__module__", "harness.methods.maml")
    monkeypatch.setattr(type(METHODS["maml"]), "Hyper", Momentum)
    assert cell().hyper.model_dump() == RATES | {"momentum": 0.0}
    assert cell().cell_id == before != cell(momentum=0.5).cell_id


@pytest.mark.parametrize("value", [1, 1.0, 10**0])
def test_a_whole_number_is_the_same_rate(value: float) -> None:
    assert cell(alpha0=value).cell_id == cell(alpha0=1.0).cell_id
    assert cell(protocol_of(norm_eps=value)).cell_id == cell(protocol_of(norm_eps=1.0)).cell_id


def test_minus_zero_is_zero() -> None:
    made = cell(**MOVING | {"alpha0": -0.0, "beta_hyperlr": -0.0})
    assert made.cell_id == cell(**MOVING | {"alpha0": 0, "beta_hyperlr": 0}).cell_id
    assert math.copysign(1, made.hyper.alpha0) == 1


rates = st.floats(1e-30, 1e308)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rates, rates, st.integers(0, 2**63 - 1), st.sampled_from(sorted(PRESETS)))
def test_id_survives_json_and_tells_neighbours_apart(
    alpha0: float, beta0: float, seed: int, preset: str
) -> None:
    made = cell(PRESETS[preset], seed, alpha0=alpha0, beta0=beta0)
    assert Cell.model_validate_json(made.model_dump_json()).cell_id == made.cell_id
    assert Cell.model_validate(made.model_dump(mode="json")) == made
    near = cell(PRESETS[preset], seed, alpha0=math.nextafter(alpha0, math.inf), beta0=beta0)
    assert near.cell_id != made.cell_id


def test_every_field_is_in_the_id() -> None:
    other: dict[str, Any] = {
        "resize": "nearest",
        "head_init": "normal",
        "loss_scale": "sum_over_shots",
        "task_reduction": "sum",
        "meta_optimizer": "sgd",
        "beta_rule": "raw",
        "precision": "tf32",
        "dataset": "glyphs",
        "norm_eps": 1e-3,
        "train_characters": 1100,
        "validation_characters": 400,
        "layers": 3,
        "problem": "sinusoid",
        "network": "mlp",
    }
    ids = {cell().cell_id}
    fields = type(protocol_of()).model_fields
    for name, field in fields.items():
        default = field.default
        value = other[name] if name in other else not default if isinstance(default, bool) else default + 1
        ids.add(cell(protocol_of(**{name: value})).cell_id)
    assert len(ids) == 1 + len(fields) == 29
    assert cell(alpha_hyperlr=0, beta_hyperlr=0).cell_id not in ids  # the method is in it too


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"hyper": RATES | {"alpha0": -1e-9}}, "alpha0"),
        ({"hyper": RATES | {"beta0": math.nan}}, "beta0"),
        ({"hyper": RATES | {"beta0": math.inf}}, "beta0"),
        ({"hyper": RATES | {"alpha0": -1e31}}, "alpha0"),
        ({"hyper": RATES | {"beta0": 1e-31}}, "beta0"),
        ({"hyper": {"alpha0": 0.1}}, "beta0"),
        ({"hyper": MOVING}, "alpha_hyperlr"),  # MAML has none
        ({"method": "alpha-maml"}, "alpha_hyperlr"),
        ({"method": "reptil"}, "'reptil' is not a method; known: maml, alpha-maml"),
        ({"method": "reptile", "hyper": {"alpha0": 0.1, "eps0": 0.1, "steps": 5.0}}, "steps"),
        ({"method": "reptile", "hyper": {"alpha0": 0.1, "eps0": 0.1, "steps": True}}, "steps"),
        ({"method": "fomaml", "protocol": protocol_of(first_order=True)}, "leave first_order out"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"trial": 3}, "trial"),
    ],
    ids=str,
)
def test_a_cell_is_strict(fields: dict, match: str) -> None:
    good: dict[str, Any] = {"protocol": protocol_of(), "method": "maml", "hyper": RATES, "seed": 0}
    assert Cell(**good)
    with pytest.raises(ValidationError, match=match):
        Cell(**good | fields)


def test_everything_is_frozen() -> None:
    made = cell()
    for thing, name in ((made, "seed"), (made.hyper, "alpha0"), (made.protocol, "n_way")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(thing, name, 3)
    assert len({cell(), cell(), cell(seed=1)}) == 2  # and can be a key


@pytest.mark.parametrize(
    "question",
    [{"target_loss": 0}, {"target_loss": math.inf}, {"max_iterations": 0}, {"max_iterations": 2**63}],
)
def test_a_question_is_strict(question: dict) -> None:
    with pytest.raises(ValidationError):
        Question(**{"target_loss": 1.0, "max_iterations": 5} | question)


def test_describe() -> None:
    assert cell(seed=2, **MOVING).describe() == (
        "alpha-maml alpha0=0.1 beta0=0.001 alpha_hyperlr=0.1 beta_hyperlr=1e-06 seed=2"
    )


def test_a_copy_is_checked_and_has_an_id_of_its_own() -> None:
    first = cell()
    assert first.cell_id == cell().cell_id
    assert first.model_copy(update={"seed": 1}).cell_id == cell(seed=1).cell_id != first.cell_id
    other = first.protocol.model_copy(update={"n_way": 6})
    assert other.label != first.protocol.label
    with pytest.raises(ValidationError):
        first.model_copy(update={"seed": -1})


@pytest.mark.parametrize("value", [True, "1e-3", None])
def test_a_rate_is_a_number(value: object) -> None:
    with pytest.raises(ValidationError):
        cell(alpha0=value)
