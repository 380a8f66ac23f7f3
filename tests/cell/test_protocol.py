"""Protocols: strict, with defaults that never change, and named for people."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from harness.cell import PRESETS, Protocol, protocol_of


def test_a_protocol_without_the_fields_of_its_problem_is_refused() -> None:
    for fields in ({}, {"problem": "sinusoid", "network": "mlp"}):
        with pytest.raises(ValidationError, match=r"write protocol_of\(\.\.\.\)"):
            Protocol(**fields)


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


def test_a_new_preset_renames_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper's two presets name each other's readings; a later one stands alone."""
    shots, sgd = protocol_of(k_shot=5), PRESETS["paper-sgd"].model_copy(update={"k_shot": 5})
    assert shots.named("paper-adam") == ("paper-adam", {"k_shot": 5})
    assert sgd.named("paper-adam") == sgd.named("paper-sgd") == ("paper-sgd", {"k_shot": 5})
    monkeypatch.setitem(PRESETS, "five-shots", shots)
    assert protocol_of(k_shot=5).named("paper-adam") == ("paper-adam", {"k_shot": 5})
    assert protocol_of(k_shot=5).named("five-shots") == ("five-shots", {})
    assert protocol_of().named("five-shots") == ("five-shots", {"k_shot": 1})
