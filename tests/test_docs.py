"""What docs/ list is what there is: fields, columns, and what a plug-in may define."""

from __future__ import annotations

import re

import pytest

from harness.cell import Cell, Protocol, presets, protocol_of
from harness.common import plugins
from harness.common.places import ROOT
from harness.methods import METHODS, Method
from harness.problems import PROBLEMS, Problem
from harness.problems.networks import NETWORKS
from harness.records import schema

DOCS = ROOT / "docs"


def section(page: str, begin: str, end: str) -> str:
    return (DOCS / page).read_text().split(begin)[1].split(end)[0]


def listed(text: str) -> list[str]:
    """The names in the first column of its tables."""
    return re.findall(r"^\| `(\w+)`", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("begin", "end", "model"),
    [
        ("Of the problem `few-shot`:", "Of the problem", PROBLEMS["few-shot"].Fields),
        ("Of the problem `sinusoid`:", "Of the network", PROBLEMS["sinusoid"].Fields),
        ("Of the network `conv4`", "Of the network", NETWORKS["conv4"].Fields),
        ("Of the network `mlp`", "Of every protocol", NETWORKS["mlp"].Fields),
        ("Of every protocol:", "Of a method:", Protocol),
    ],
    ids=["few-shot", "sinusoid", "conv4", "mlp", "every protocol"],
)
def test_every_field_is_there_with_its_default(begin: str, end: str, model: type[Protocol]) -> None:
    text = section("protocol.md", begin, end)
    assert sorted(listed(text)) == sorted(model.model_fields)
    for name, shown in re.findall(r"^\| `(\w+)` \| `?([^|`;]+?)`?(?:;[^|]*)? \|", text, re.MULTILINE):
        default = model.model_fields[name].default
        if name == "network":
            continue  # the problem's
        assert shown == (str(default).lower() if isinstance(default, bool) else str(default)) or (
            isinstance(default, float) and float(shown) == default
        ), name


def test_the_presets_are_there() -> None:
    text = section("protocol.md", "## The presets", "## The two")
    built_in = [name for name in presets() if name not in PROBLEMS or plugins.is_ours(PROBLEMS.module(name))]
    assert re.findall(r"^\| `([\w-]+)`", text, re.MULTILINE) == built_in


def test_the_columns_of_the_papers_tables_are_there_in_order() -> None:
    cells = [
        Cell(protocol=protocol_of(), method="maml", hyper={"alpha0": 1, "beta0": 1}, seed=0),
        Cell(
            protocol=protocol_of(),
            method="alpha-maml",
            hyper={"alpha0": 1, "beta0": 1, "alpha_hyperlr": 1, "beta_hyperlr": 1},
            seed=0,
        ),
    ]
    trials = section("records.md", "## trials.parquet", "These are the columns")
    assert listed(trials) == list(schema.trials(cells))
    curves = section("records.md", "## trajectories.parquet", "## metatest")
    assert listed(curves) == list(schema.trajectories(cells))
    tests = section("records.md", "## metatest.parquet", "## Outcome")
    columns = {**schema.meta_test(cells)}
    assert listed(tests) == [*columns, *schema.FIT]
    for name, column in (*columns.items(), *schema.FIT.items()):
        assert f"| `{name}` | {column.type} | {column.unit} | " in tests
        assert column.meaning in tests


def test_what_each_method_records_is_there() -> None:
    text = section("records.md", "| method | hyper-parameters | what it records in each row |", "\n\n")
    for name, method in METHODS.items():
        (row,) = (row for row in text.strip().splitlines() if f"`{name}`" in row.split("|")[1])
        assert all(f"`{column}`" in row for column in (*method.columns, *method.Hyper.model_fields))


@pytest.mark.parametrize(
    ("kind", "begin", "end"),
    [(Method, "## A method", "## A problem"), (Problem, "## A problem", "## A network")],
)
def test_everything_that_a_plug_in_may_define_is_there(kind: type, begin: str, end: str) -> None:
    text = section("extending.md", begin, end)
    names = {name for name in (*vars(kind), *kind.__annotations__) if not name.startswith("_")}
    assert names
    assert not [name for name in names if not re.search(rf"`(self\.)?{name}\b", text)]
