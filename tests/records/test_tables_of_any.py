"""Tables of any problem, of several methods, and of hyper-parameters of any type."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pydantic import Field

import harness
from harness.methods import METHODS, maml
from harness.records import schema, tables
from tests import swept
from tests.registries import bring


def of_methods(trials: pd.DataFrame, name: str) -> dict[str, list[Any]]:
    """Method -> its values of a column; None: null."""
    values = [None if pd.isna(value) else value for value in trials[name]]
    found: dict[str, list[Any]] = {}
    for method, value in zip(trials["method"], values, strict=True):
        found.setdefault(method, []).append(value)
    return found


def test_several_methods_have_all_their_columns_and_nulls_where_a_method_has_none(tmp_path: Path) -> None:
    made = swept.swept(tmp_path, swept.MIXED)
    trials, curves = made.trials, made.trajectories
    names = list(trials.columns)
    assert names[names.index("n_way") + 1 : names.index("seed")] == ["alpha0", "beta0", "eps0", "steps"]
    assert of_methods(trials, "steps") == {"maml": [None], "reptile": [5, 5], "meta-sgd": [None]}
    assert of_methods(trials, "eps0") == {"maml": [None], "reptile": [0.1, 1.0], "meta-sgd": [None]}
    assert [name for name in names if name.startswith("final_")] == [
        *("final_alpha", "final_beta", "final_eps", "final_alpha_lowest", "final_alpha_highest"),
        *("final_train_loss", "final_val_loss", "final_val_accuracy"),
    ]
    assert list(curves.columns) == [
        *("cell_id", "iteration", "alpha", "beta", "eps", "alpha_lowest", "alpha_highest"),
        *("train_loss", "train_accuracy", "val_loss", "val_accuracy"),
    ]
    recorded = curves.merge(trials[["cell_id", "method"]]).groupby("method").count()
    assert recorded["eps"].to_dict() == {"maml": 0, "meta-sgd": 0, "reptile": 60}
    assert recorded["alpha_lowest"].to_dict() == {"maml": 0, "meta-sgd": 30, "reptile": 0}
    assert recorded["alpha"].to_dict() == {"maml": 30, "meta-sgd": 30, "reptile": 60}


def test_a_problem_without_classes_has_no_columns_of_them_and_no_unit(tmp_path: Path) -> None:
    made = swept.swept(tmp_path, swept.SINUSOID)
    assert not {"n_way", "dataset", "final_val_accuracy"} & {*made.trials.columns}
    assert not [name for name in made.trajectories.columns if "accuracy" in name]
    assert set(made.trials["problem"]) == {"sinusoid"}
    assert made.trials["final_train_loss"].notna().all()
    described = {"name": "sinusoid", "title": "Sinusoid regression", "unit": "", "metrics": []}
    assert (made.about["problem"], made.about["chance_loss"]) == (described, None)
    for name in tables.FILES:
        found = pq.read_schema(tmp_path / "mine" / name)
        units = {field.name: field.metadata[b"unit"].decode() for field in found if "loss" in field.name}
        assert set(units.values()) == {""}, units


def test_whole_numbers_flags_and_choices_keep_their_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept.bring_typed(monkeypatch)
    trials = swept.swept(tmp_path, swept.LINES).trials
    stored = pq.read_schema(tmp_path / "mine" / "trials.parquet")
    types = {name: stored.field(name).type for name in ("rule", "msl", "steps")}
    assert types == {"rule": schema.TEXT, "msl": schema.FLAG, "steps": schema.INTEGER}
    assert (trials["msl"].dtype, trials["steps"].dtype) == (pd.BooleanDtype(), pd.Int64Dtype())
    assert of_methods(trials, "msl") == {"typed": [False, False, True, True] * 2, "maml": [None]}
    assert of_methods(trials, "rule")["typed"] == ["raw"] * 4 + ["update"] * 4
    assert of_methods(trials, "steps") == {"typed": [1, 10] * 4, "maml": [None]}


def test_tables_are_read_where_their_method_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept.bring_typed(monkeypatch)
    made = swept.swept(tmp_path, swept.TYPED)
    swept.forget_typed(monkeypatch)
    trials, curves = harness.load("mine", results=tmp_path)
    pd.testing.assert_frame_equal(trials, made.trials)
    pd.testing.assert_frame_equal(curves, made.trajectories)


def test_one_name_of_two_types_is_a_column_that_holds_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hyper(maml.Hyper):
        steps: float
        rule: int

    class Other(maml.MAML):
        name = "other"
        title = "Other"

    Other.Hyper = Hyper
    swept.bring_typed(monkeypatch)
    bring(monkeypatch, METHODS, Other())
    more = "  - {method: other, alpha0: 0.1, beta0: 1e-3, steps: 0.5, rule: 3}\n"
    trials = swept.swept(tmp_path, swept.LINES + more).trials
    assert of_methods(trials, "steps") == {"typed": [1.0, 10.0] * 4, "maml": [None], "other": [0.5]}
    assert of_methods(trials, "rule")["other"] == ["3"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (float, schema.NUMBER),
        (int, schema.INTEGER),
        (bool, schema.FLAG),
        (str, schema.TEXT),
        (Literal["a", "b"], schema.TEXT),
        (Literal[1, 2], schema.INTEGER),
        (Literal[1, "all"], schema.TEXT),
        (Annotated[float, Field(ge=0)], schema.NUMBER),
        (Annotated[int, Field(ge=0)] | None, schema.INTEGER),
        (int | float, schema.NUMBER),
        (int | str, schema.TEXT),
        (tuple[int, ...], schema.TEXT),
    ],
)
def test_the_columns_type_of_a_hyper_parameter(annotation: Any, expected: Any) -> None:
    assert schema.type_of(annotation) == expected


def test_the_papers_columns_are_those_of_the_committed_tables() -> None:
    """But for the two that are new; types, units and meanings too."""
    from harness.common.places import REFERENCE
    from tests.readings import TRAJECTORIES, TRIALS

    for name, columns in zip(tables.FILES, (TRIALS, TRAJECTORIES), strict=True):
        kept = pq.read_schema(REFERENCE / "fig2" / name)
        now = [field for field in schema.arrow(columns) if field.name not in ("problem", "plugins")]
        assert [(field.name, field.type) for field in now] == [(field.name, field.type) for field in kept]
        units = [[field.metadata[b"unit"] for field in fields] for fields in (now, kept)]
        assert units[0] == units[1]
    names = list(TRIALS)
    assert (names.index("problem"), names.index("plugins")) == (
        names.index("method") + 1,
        names.index("dataset_sha256") + 1,
    )
