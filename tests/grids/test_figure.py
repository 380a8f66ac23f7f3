"""What a grid's file says about its figure: what cannot be drawn is refused, in one line that says why."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from harness import grids
from harness.common.errors import UserError
from harness.grids import strictyaml
from harness.grids.figure import (
    MAX_COLUMNS,
    MAX_LINES,
    MAX_PANELS,
    MAX_SQUARES,
    MAX_TITLE,
    MAX_VALUES,
    Axes,
    axes_of,
)

AXES = {"x": "beta_hyperlr", "y": "alpha_hyperlr"}


def count(number: int) -> list[float]:
    return [round(0.001 * (k + 1), 6) for k in range(number)]


def sheet(figure: dict[str, Any], *cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    cells = cells or (alpha(),)
    grid = {"title": "T", "figure": figure, "target_loss": 2.5, "max_iterations": 5, "cells": list(cells)}
    return grid | more


def alpha(**values: Any) -> dict[str, Any]:
    one = {"alpha0": 0.1, "beta0": 1e-3, "alpha_hyperlr": 0.1, "beta_hyperlr": 1e-6}
    return {"method": "alpha-maml"} | one | values


def heatmap(**more: Any) -> dict[str, Any]:
    return {"kind": "heatmap", "panels": ["alpha0", "beta0"]} | AXES | more


def trajectories(*wheres: dict[str, Any]) -> dict[str, Any]:
    columns = [{"title": "C", "where": where} for where in wheres]
    reference = {"method": "alpha-maml", "alpha0": 0.001, "beta_hyperlr": 1e-6}
    return {"kind": "trajectories", "reference": reference, "columns": columns}


def read(grid: dict[str, Any]) -> grids.Grid:
    return grids.resolve(strictyaml.parse(yaml.safe_dump(grid, sort_keys=False), "mine.yaml"), "mine")


MAML = {"method": "maml", "alpha0": 0.1, "beta0": 1e-3}
PLANE = heatmap(x="beta0", y="alpha0", panels=["method"])
READINGS = {"readings": [{}, {"k_shot": 5}]}

LOSSES = {"kind": "losses"}
REPTILE = {"method": "reptile", "alpha0": 0.1, "eps0": [0.1, 1], "steps": [1, 5]}
LSLR = {"method": "lslr", "alpha0": 0.1, "beta0": 1e-3, "msl": [False, True]}
NO_TARGET = {"target_loss": None}

REFUSED = {
    "a word along x": (
        sheet(heatmap(x="method"), alpha(beta_hyperlr=[1e-6, 1e-5])),
        "figure.x: method is not a number; list it among the panels",
    ),
    "a word along y": (
        sheet(heatmap(y="protocol")),
        "figure.y: protocol is not a number; list it among the panels",
    ),
    "seeds along x": (sheet(heatmap(x="seed")), "figure.x: a heatmap shows the median over seeds"),
    "a panel for each seed": (sheet(heatmap(panels=["alpha0", "seed"])), "figure.panels[1]: a heatmap shows"),
    "too wide": (
        sheet(heatmap(), alpha(beta_hyperlr=count(MAX_VALUES + 1))),
        "figure.x: beta_hyperlr has 41 values; at most 40 can be drawn legibly",
    ),
    "too high": (
        sheet(heatmap(), alpha(alpha_hyperlr=count(MAX_VALUES + 1))),
        "figure.y: alpha_hyperlr has 41 values",
    ),
    "too many panels": (
        sheet(heatmap(), alpha(alpha0=count(MAX_PANELS + 1))),
        "figure.panels: 101 panels; at most 100",
    ),
    "too many panels of two readings": (
        sheet(heatmap(panels=["protocol", "alpha0"]), alpha(alpha0=count(51)), **READINGS),
        "figure.panels: 102 panels",
    ),
    "too many squares": (
        sheet(heatmap(), alpha(alpha0=count(11), alpha_hyperlr=count(20), beta_hyperlr=count(20))),
        f"figure.panels: 4,400 squares; at most {MAX_SQUARES:,}",
    ),
    "a baseline that no panel would show": (
        sheet(heatmap(), alpha(), MAML | {"alpha0": [0.1, 0.2]}),
        "figure.panels: no panel has the values of maml alpha0=0.2 beta0=0.001, which has no beta_hyperlr",
    ),
    "the same, where its rates are not among the panels": (
        sheet(heatmap(panels=["beta0"]), alpha(), MAML | {"alpha0": 0.2}),
        "figure.panels: no panel has the values of maml alpha0=0.2",
    ),
    "a single panel for two pairs of rates": (
        sheet({"kind": "heatmap"} | AXES, alpha(alpha0=[0.1, 1])),
        "figure.panels: name what differs; alpha-maml alpha0=0.1 beta0=0.001 alpha_hyperlr=0.1",
    ),
    "a single panel and two counts of MAML's beside it": (
        sheet(heatmap(panels=[]), alpha(), MAML, MAML | {"beta0": 1e-2}),
        "figure.panels: name what differs; maml alpha0=0.1 beta0=0.001 and maml alpha0=0.1 beta0=0.01",
    ),
    "a single panel for two readings": (
        sheet(heatmap(panels=[]), alpha(), **READINGS),
        "figure.panels: name protocol too: the grid has several readings",
    ),
    "too many columns": (
        sheet(trajectories(*[{"alpha0": 0.001}] * (MAX_COLUMNS + 1)), alpha(alpha0=0.001)),
        "figure.columns: the list has 11 entries; at most 10 are allowed",
    ),
    "too many lines": (
        sheet(trajectories({"alpha0": 0.001}, {}), alpha(alpha0=count(MAX_LINES + 1))),
        "figure.columns[1].where: selects 21 lines; at most 20 can be drawn legibly",
    ),
    "losses, too wide": (
        sheet(LOSSES, MAML, alpha(beta0=[1e-3, 1e-2], alpha_hyperlr=count(MAX_VALUES + 1))),
        "figure.kind: alpha-maml has 41 values of alpha_hyperlr; at most 40 can be drawn legibly",
    ),
    "losses, too high": (
        sheet(LOSSES, MAML | {"alpha0": count(MAX_VALUES + 1), "beta0": [1e-3, 1e-2]}),
        "figure.kind: maml has 41 values of alpha0",
    ),
    "losses, a row that is too long": (
        sheet(LOSSES, MAML | {"beta0": count(MAX_VALUES + 1)}),
        "figure.kind: maml has 41 values of beta0",
    ),
    "losses, too many panels": (
        sheet(LOSSES, LSLR, MAML, readings=[{"meta_batch": k + 1} for k in range(34)]),
        "figure.kind: 102 panels; at most 100",
    ),
    "losses, too many squares": (
        sheet(
            LOSSES,
            MAML | {"alpha0": count(40), "beta0": count(40)},
            readings=[{"meta_batch": k + 1} for k in range(3)],
        ),
        f"figure.kind: 4,800 squares; at most {MAX_SQUARES:,}",
    ),
    "losses over something else": (
        sheet(LOSSES | {"rest": "mean"}),
        "figure.rest: 'mean' is not one of 'median' or 'best'",
    ),
    "losses with axes": (sheet(LOSSES | {"x": "beta0"}), "figure.x: unknown key"),
    "a title of a page": (
        sheet(heatmap(), title="x" * (MAX_TITLE + 1)),
        "title: is longer than 200 characters",
    ),
}


@pytest.mark.parametrize("char", ["\t", "\x7f", "\x85", "\u2028", "\u2029", "\ufdd0", "\ufffe"])
def test_a_title_is_one_line_of_characters(char: str) -> None:
    with pytest.raises(UserError, match="title: must be one line of printable text"):
        read(sheet(heatmap(), title=f"a{char}b"))


def is_refused(grid: Any, says: str) -> None:
    """In one line, with a single mistake."""
    with pytest.raises(UserError) as error:
        read(grid)
    said = str(error.value)
    assert says in said
    assert "more)" not in said
    assert "\n" not in said


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused(case: str) -> None:
    is_refused(*REFUSED[case])


ACCEPTED = {
    "as wide and high as can be": sheet(
        heatmap(), alpha(beta_hyperlr=count(MAX_VALUES), alpha_hyperlr=count(MAX_VALUES)), MAML
    ),
    "as many panels": sheet(heatmap(), alpha(alpha0=count(MAX_PANELS))),
    "as many squares": sheet(
        heatmap(), alpha(alpha0=count(10), alpha_hyperlr=count(20), beta_hyperlr=count(20))
    ),
    "as many columns and lines": sheet(trajectories(*[{}] * MAX_COLUMNS), alpha(alpha0=count(MAX_LINES))),
    "as long a title": sheet(heatmap(), title="x" * MAX_TITLE),
    "MAML alone": sheet(PLANE, MAML),
    "a single panel": sheet(heatmap(panels=[]), alpha(beta_hyperlr=count(3)), MAML),
    "a single panel, without the field": sheet({"kind": "heatmap"} | AXES, alpha(beta_hyperlr=count(3))),
    "MAML and Alpha-MAML over the same plane": sheet(PLANE, MAML, alpha()),
    "a baseline of each reading": sheet(heatmap(panels=["protocol"]), alpha(), MAML, **READINGS),
    "losses of methods that share no axes": sheet(LOSSES, MAML, REPTILE, LSLR, alpha(), **NO_TARGET),
    "losses at the end, with a target": sheet(LOSSES | {"rest": "best"}, MAML, REPTILE),
    "losses, as wide and high as can be": sheet(LOSSES, MAML | {"alpha0": count(40), "beta0": count(40)}),
    "losses over many values of the rest": sheet(
        LOSSES, alpha(alpha0=[0.1, 1], beta0=[0.1, 1], alpha_hyperlr=count(50), beta_hyperlr=count(50))
    ),
    "losses of many readings": sheet(LOSSES, MAML, readings=[{"meta_batch": k + 1} for k in range(100)]),
    "many seeds are no lines": sheet(trajectories({}), alpha(alpha0=0.001), seeds=list(range(100))),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_can_be_drawn_is_accepted(case: str) -> None:
    assert read(ACCEPTED[case]).cells()


@pytest.mark.parametrize(
    ("values", "y", "x", "rest", "panels"),
    [
        ({}, None, None, (), ()),
        ({"a": [1.0], "b": [2]}, None, None, (), ()),
        ({"a": [1.0], "b": [1, 2]}, None, "b", (), ()),
        ({"a": [1.0, 2.0], "flag": [False, True], "b": [1, 2]}, "a", "b", (), ("flag",)),
        (
            {"word": ["u", "v"], "a": [1.0, 2.0], "b": [1.0], "c": [1, 2], "d": [1, 2]},
            "a",
            "c",
            ("d",),
            ("word",),
        ),
    ],
)
def test_the_axes_of_a_method_are_its_first_two_numbers_that_vary(
    values: Any, y: Any, x: Any, rest: Any, panels: Any
) -> None:
    assert axes_of(values) == Axes(y=y, x=x, rest=rest, panels=panels)
