"""Protocols and cells: strict, frozen, and found by an id that never moves."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from harness.cell import PRESETS, Cell, Protocol, Question, protocol_of
from harness.cell.point import _json_before_seed
from harness.methods import METHODS, maml
from harness.problems import PROBLEMS, FewShot, few_shot
from tests import registries

RATES = {"alpha0": 0.1, "beta0": 1e-3}
MOVING = RATES | {"alpha_hyperlr": 0.1, "beta_hyperlr": 1e-6}


def cell(protocol: Protocol | None = None, seed: int = 0, **rates: float) -> Cell:
    hyper = RATES | rates
    method = "alpha-maml" if "alpha_hyperlr" in hyper else "maml"
    return Cell(protocol=protocol or protocol_of(), method=method, hyper=hyper, seed=seed)


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
    _json_before_seed.cache_clear()
    made = [
        Cell(protocol=protocol_of(), method="decaying", hyper=RATES | hyper, seed=0)
        for hyper in (first, {}, {"decay": 1.0})
    ]
    assert {type(one.hyper.decay) for one in made} == {float}
    assert {one.cell_id for one in made} == {"b0d9573ef6c963a2"}


def test_a_protocol_without_the_fields_of_its_problem_is_refused() -> None:
    for fields in ({}, {"problem": "sinusoid", "network": "mlp"}):
        with pytest.raises(ValidationError, match=r"write protocol_of\(\.\.\.\)"):
            Protocol(**fields)


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
        ({"n_ways": 5}, "n_ways"),
        ({"n_way": 1}, "n_way"),
        ({"n_way": 5.5}, "n_way"),
        ({"n_way": True}, "true is not a number"),
        ({"norm_eps": 0}, "norm_eps"),
        ({"norm_eps": math.inf}, "norm_eps"),
        ({"norm_eps": math.nan}, "norm_eps"),
        ({"head_init": "Linear"}, "head_init"),
        ({"k_shot": 15, "k_query": 6}, "a character has 20 drawings"),
        ({"train_characters": 1300}, "more than 1623"),
        ({"train_characters": 1624}, "train_characters: 1624 is not <= 1623"),
        ({"n_way": 812}, "n_way: 812 is not <= 811"),
        ({"k_query": 20}, "k_query: 20 is not < 20"),
        ({"train_characters": 10}, "n_way is 20"),
        ({"width": 40}, "width"),
        ({"network": "mlp", "filters": 16}, "filters"),
        ({"problem": "sinusoid", "n_way": 5}, "n_way"),
        ({"problem": "sinusiod"}, "'sinusiod' is not a problem; known: few-shot, sinusoid"),
        ({"network": "conv5"}, "'conv5' is not a network; known: conv4, mlp"),
        ({"validation_characters": 19}, "n_way is 20"),
        ({"meta_batch": 10**9}, "meta_batch"),
        ({"validation_tasks": 10**9}, "validation_tasks"),
        ({"filters": 10**9}, "filters"),
        ({"inner_steps": 10**9}, "inner_steps"),
        ({"validation_every": 2**63}, "validation_every"),
        ({"norm_eps": 1e-300}, "norm_eps"),
        ({"filters": 10_000, "inner_steps": 10_000}, "at most 1,000 are allowed"),
        ({"split_seed": -1}, "split_seed"),
        ({"split_seed": 2**63}, "split_seed"),
        ({"perturbation": -1}, "perturbation"),
    ],
    ids=str,
)
def test_a_protocol_is_strict(fields: dict, match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        protocol_of(**fields)


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


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({}, "paper-adam"),
        ({"dataset": "glyphs"}, "paper-adam"),
        ({"task_reduction": "sum", "meta_optimizer": "sgd"}, "paper-sgd"),
        ({"k_shot": 5}, "paper-adam, k_shot=5"),
        (
            {"task_reduction": "sum", "meta_optimizer": "sgd", "n_way": 5, "filters": 16},
            "paper-sgd, n_way=5, filters=16",
        ),
    ],
    ids=str,
)
def test_label(fields: dict, label: str) -> None:
    assert protocol_of(**fields).label == label


def test_what_a_cell_may_need() -> None:
    """The limits alone are within reach of a large machine; the estimate is the sum of three."""
    assert protocol_of().gigabytes == pytest.approx(0.06, abs=0.001)
    for name in ("meta_batch", "validation_tasks", "filters", "inner_steps"):
        limit = 10_000 if name in ("filters", "inner_steps") else 100_000
        assert 10 < protocol_of(**{name: limit}).gigabytes < 500


def test_defaults_never_change() -> None:
    """The ids leave defaults out, so an old record would stand for another problem. A new field joins here
    with the default that it is introduced with."""
    assert protocol_of().model_dump() == DEFAULTS


DEFAULTS = {
    "problem": "few-shot",
    "network": "conv4",
    "dataset": "omniglot",
    "resize": "lanczos",
    "split_seed": 0,
    "train_characters": 1200,
    "validation_characters": 423,
    "rotate": True,
    "n_way": 20,
    "k_shot": 1,
    "k_query": 1,
    "meta_batch": 16,
    "inner_steps": 1,
    "first_order": False,
    "layers": 4,
    "filters": 64,
    "norm_scale": False,
    "norm_adapted": False,
    "norm_eps": 1e-5,
    "head_init": "linear",
    "loss_scale": "mean",
    "task_reduction": "mean",
    "meta_optimizer": "adam",
    "beta_rule": "update",
    "validation_tasks": 32,
    "validation_every": 25,
    "precision": "float32",
    "perturbation": 0,
}


def test_paper_presets() -> None:
    """20-way 1-shot, 16 tasks, one second-order step, Conv-4 with 64 filters; two ways to move weights."""
    adam, sgd = PRESETS["paper-adam"], PRESETS["paper-sgd"]
    assert adam.model_dump() == DEFAULTS
    assert sgd.model_dump() == DEFAULTS | {"task_reduction": "sum", "meta_optimizer": "sgd"}
    assert adam.chance_loss == pytest.approx(2.995732, abs=1e-6)


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


def test_a_new_preset_renames_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper's two presets name each other's readings; a later one stands alone."""
    shots, sgd = protocol_of(k_shot=5), PRESETS["paper-sgd"].model_copy(update={"k_shot": 5})
    assert shots.named("paper-adam") == ("paper-adam", {"k_shot": 5})
    assert sgd.named("paper-adam") == sgd.named("paper-sgd") == ("paper-sgd", {"k_shot": 5})
    monkeypatch.setitem(PRESETS, "five-shots", shots)
    assert protocol_of(k_shot=5).named("paper-adam") == ("paper-adam", {"k_shot": 5})
    assert protocol_of(k_shot=5).named("five-shots") == ("five-shots", {})
    assert protocol_of().named("five-shots") == ("five-shots", {"k_shot": 1})
