"""Grids: their cells and the order of these, the round trip through JSON, and one line for each mistake."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness import grids
from harness.cell import PRESETS, Cell, Question
from harness.common.errors import UserError
from harness.grids import strictyaml
from harness.methods import Hyper, maml
from tests.grids.conftest import known

GRID = """\
title: Mine
figure: {kind: heatmap, panels: [alpha0, beta0], x: beta_hyperlr, y: alpha_hyperlr}
protocol:
  preset: paper-adam
  k_shot: 5
target_loss: 2.5
max_iterations: 500
seeds: [0]
cells:
  - method: maml
    paired: &pairs
      alpha0: [1e-1, 1e-2]
      beta0: [1e-3, 1e-4]
  - method: alpha-maml
    paired: *pairs
    alpha_hyperlr: [1e-3, 1e-2]
    beta_hyperlr: 1e-8
"""


READINGS = GRID.replace("[alpha0, beta0], x", "[protocol, alpha0, beta0], x").replace(
    "target_loss", "readings: [{},\n  {k_query: 5},\n  {meta_batch: 8}]\ntarget_loss", 1
)


TRACES = GRID.replace(
    GRID.splitlines()[1],
    "figure: {kind: trajectories, reference: {method: maml, alpha0: 1e-1},"
    " columns: [{title: A, where: {beta0: 1e-3}}]}",
)


FIELDS = {
    "maml": ("alpha0", "beta0"),
    "alpha-maml": ("alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr"),
    "every": ("rate0", "steps", "msl", "rule"),
}


RATES = st.integers(0, 9) | st.floats(1e-30, 1e9)
VALUES = {"steps": st.integers(1, 9), "msl": st.booleans(), "rule": st.sampled_from(["raw", "update"])}


ANY: dict[str, Any] = {"k_shot": st.integers(1, 10), "first_order": st.booleans()}
FEW_SHOT = ANY | {"dataset": st.sampled_from(["omniglot", "glyphs"]), "n_way": st.integers(2, 400)}
MLP = {"layers": st.integers(0, 9), "width": st.integers(1, 99)}
PROTOCOLS: list[tuple[dict, dict]] = [
    (
        {},
        FEW_SHOT
        | {
            "preset": st.sampled_from([name for name, of in PRESETS.items() if of.network == "conv4"]),
            "norm_eps": st.floats(1e-9, 1),
        },
    ),
    ({"network": st.just("mlp")}, FEW_SHOT | MLP),
    ({"problem": st.just("sinusoid")}, ANY | MLP),
    ({"preset": st.just("sinusoid")}, ANY | MLP),
]
"""What a protocol must and may have."""


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    method = draw(st.sampled_from(sorted(FIELDS)))
    keys = draw(st.permutations(FIELDS[method]))
    paired = keys[: draw(st.integers(0, len(keys)))]
    length = draw(st.integers(1, 3))
    row = st.tuples(*(VALUES.get(key, RATES) for key in paired))
    rows = draw(st.lists(row, min_size=1, max_size=length, unique=True))
    block: dict[str, Any] = {"method": method}
    for key in keys[len(paired) :]:
        values = VALUES.get(key, RATES)
        block[key] = draw(values | st.lists(values, min_size=1, max_size=3, unique=True))
    if paired:
        block["paired"] = {key: [row[i] for row in rows] for i, key in enumerate(paired)}
    return block


def expanded(block: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    """The promised order, written down a second time: paired outermost, then the method's fields."""
    paired = block.get("paired", {})
    rows = [dict(zip(paired, row, strict=True)) for row in zip(*paired.values(), strict=True)] or [{}]
    out = []
    for row in rows:
        free = [key for key in FIELDS[block["method"]] if key not in paired]
        lists = [block[key] if isinstance(block[key], list) else [block[key]] for key in free]
        out += [
            (block["method"], {**row, **dict(zip(free, vs, strict=True))}) for vs in itertools.product(*lists)
        ]
    return out


@st.composite
def sheets(draw: st.DrawFn) -> dict[str, Any]:
    """The data of a valid grid file: a reference cell, some blocks, no cell twice."""
    cells = [{"method": "maml", "alpha0": 0.25, "beta0": 0.125}, *draw(st.lists(blocks(), max_size=3))]
    keys = [(method, tuple(sorted(hyper.items()))) for b in cells for method, hyper in expanded(b)]
    assume(len(set(keys)) == len(keys))
    must, may = draw(st.sampled_from(PROTOCOLS))
    protocol = draw(st.fixed_dictionaries(must, optional=may))
    return {
        "title": "A title",
        "figure": {
            "kind": "trajectories",
            "reference": {"method": "maml", "alpha0": 0.25, "beta0": 0.125},
            "columns": [{"title": "One", "where": {"method": "maml", "alpha0": 0.25, "beta0": 0.125}}],
        },
        "protocol": protocol,
        "target_loss": draw(st.none() | st.floats(1e-3, 10)),
        "max_iterations": draw(st.integers(1, 10**6)),
        "seeds": draw(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=3, unique=True)),
        "cells": cells,
    }


def read(text: str) -> grids.Grid:
    return grids.resolve(strictyaml.parse(text, "mine.yaml"), "mine")


def dumped(sheet: dict[str, Any]) -> str:
    return yaml.safe_dump(sheet, sort_keys=False)


def message(text: str) -> str:
    with pytest.raises(UserError) as error:
        read(text)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.usefixtures("every_kind")
@settings(deadline=None, max_examples=40)
@given(sheets())
def test_cells_come_once_each_in_the_promised_order(sheet: dict[str, Any]) -> None:
    cells = read(dumped(sheet)).cells()
    want = [
        (seed, *point) for seed in sheet["seeds"] for block in sheet["cells"] for point in expanded(block)
    ]
    assert [(c.seed, c.method, c.hyper.model_dump()) for c in cells] == want
    assert len({c.cell_id for c in cells}) == len(cells)


def test_the_order_of_a_block_is_the_methods() -> None:
    """However its keys are ordered in the file: paired outermost, the last field runs fastest."""
    block = "{beta_hyperlr: [2, 1], paired: {beta0: [4, 3]}, alpha_hyperlr: [6, 5], alpha0: 7"
    block += ", method: alpha-maml}"
    figure = "{kind: heatmap, panels: [beta0], x: beta_hyperlr, y: alpha_hyperlr}"
    grid = read(f"title: T\ntarget_loss: 1\nmax_iterations: 1\nfigure: {figure}\ncells: [{block}]")
    rows = [(c.hyper.beta0, c.hyper.alpha_hyperlr, c.hyper.beta_hyperlr) for c in grid.cells()]
    assert rows == list(itertools.product([4, 3], [6, 5], [2, 1]))


@pytest.mark.usefixtures("every_kind")
@settings(deadline=None, max_examples=40)
@given(sheets())
def test_a_grid_comes_back_from_its_json(sheet: dict[str, Any]) -> None:
    grid = read(dumped(sheet))
    again = grids.from_json(grid.model_dump_json())
    assert again == grid
    assert [c.cell_id for c in again.cells()] == [c.cell_id for c in grid.cells()]
    assert grid.question == Question(target_loss=sheet["target_loss"], max_iterations=sheet["max_iterations"])


def test_readings_change_the_grids_protocol_and_come_seed_by_seed() -> None:
    grid, plain = read(READINGS), read(GRID)
    labels = [f"paper-adam, k_shot=5{more}" for more in ("", ", k_query=5", ", meta_batch=8")]
    assert [one.label for one in grid.protocols] == labels
    assert grid.label == "paper-adam, k_shot=5; k_query=5; meta_batch=8"
    assert [(c.seed, c.protocol.label) for c in grid.cells([4, 2])] == [
        (seed, label) for seed in (4, 2) for label in labels for _ in range(6)
    ]
    assert grid.cells()[:6] == plain.cells()  # an empty change is none
    assert {c.protocol.k_shot for c in grid.cells()} == {5}
    again = grids.from_json(grid.model_dump_json())
    assert again == grid
    assert again.cells() == grid.cells()


def test_readings_go_to_the_data_set_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(READINGS)
    grid = grids.load(str(path), dataset="glyphs")
    assert {c.protocol.dataset for c in grid.cells()} == {"glyphs"}
    assert len({c.protocol for c in grid.cells()}) == 3


def test_json_from_before_there_were_readings() -> None:
    kept = json.loads(read(GRID).model_dump_json())
    del kept["readings"]
    assert grids.from_json(json.dumps(kept)) == read(GRID)


def test_json_that_is_not_a_grid() -> None:
    with pytest.raises(UserError, match="the grid kept with the results"):
        grids.from_json("{}")
    for key in ("name", "folder"):
        for name in ("../elsewhere", "", "a/b"):
            kept = json.loads(read(GRID).model_dump_json()) | {key: name}
            with pytest.raises(UserError, match=f"'{name}' is not the name of a grid"):
                grids.from_json(json.dumps(kept))


def test_the_file_of_a_grid(tmp_path: Path) -> None:
    """Its path, for a grid that is not one of sweeps/. It is no part of the grid's JSON."""
    assert grids.load("quick").file is None
    path = tmp_path / "mine.yaml"
    path.write_text(GRID)
    grid = grids.load(str(path))
    assert grid.file == str(path)
    assert "file" not in json.loads(grid.model_dump_json())
    path.write_text(GRID + "file: elsewhere.yaml\n")
    with pytest.raises(UserError, match="file: unknown key"):
        grids.load(str(path))


def test_other_seeds() -> None:
    grid = grids.load("quick")
    assert [c.seed for c in grid.cells([3, 1, 3])] == [3] * 14 + [1] * 14


def test_cell_ids_never_change() -> None:
    """A new default, field or order in the hash would orphan every record: these ids are for good."""
    cells = grids.load("fig2").cells()
    assert cells[0].describe() == "maml alpha0=0.1 beta0=0.001 seed=0"
    sgd = Cell(
        protocol=PRESETS["paper-sgd"],
        method="alpha-maml",
        hyper={"alpha0": 1, "beta0": 0.1, "alpha_hyperlr": 0.01, "beta_hyperlr": 1e-8},
        seed=3,
    )
    assert [cells[0].cell_id, cells[-1].cell_id, sgd.cell_id] == GOLDEN


GOLDEN = ["7d250d523a8d78c8", "5f14f4a29fea843e", "938ba19a619326cb"]


def test_the_json_is_the_files_format() -> None:
    """What the results keep can be read by a person who knows the YAML."""
    blocks_ = json.loads(read(GRID).model_dump_json())["cells"]
    assert blocks_[1] == {
        "method": "alpha-maml",
        "paired": {"alpha0": [0.1, 0.01], "beta0": [0.001, 0.0001]},
        "alpha_hyperlr": [0.001, 0.01],
        "beta_hyperlr": [1e-8],
    }


def with_protocol(*lines: str, text: str = GRID) -> str:
    """The grid with this protocol, from line 4 on."""
    return text.replace("preset: paper-adam\n  k_shot: 5", "\n  ".join(lines))


@pytest.mark.parametrize(
    ("lines", "preset", "label"),
    [
        (["problem: sinusoid"], "sinusoid", "sinusoid"),
        (["preset: sinusoid", "width: 8"], "sinusoid", "sinusoid, width=8"),
        (["network: mlp", "width: 8"], "paper-adam", "paper-adam, network=mlp, width=8"),
        (["network: mlp", "layers: 4"], "paper-adam", "paper-adam, layers=4, network=mlp"),
        (["preset: omniglot-5way"], "omniglot-5way", "omniglot-5way"),
        (["preset: omniglot-5way", "dataset: glyphs"], "omniglot-5way", "omniglot-5way"),
        (["network: mlp"], "paper-adam", "paper-adam, network=mlp"),
    ],
    ids=str,
)
def test_a_protocol_of_any_problem_and_network(lines: list[str], preset: str, label: str) -> None:
    grid = read(with_protocol(*lines))
    assert (grid.preset, grid.label) == (preset, label)
    again = grids.from_json(grid.model_dump_json())
    assert again == grid
    assert again.protocol.model_dump() == grid.protocol.model_dump()


def test_another_network_starts_from_its_own_defaults() -> None:
    """Conv-4 has 4 layers, the perceptron 2; what surrounds the network stays."""
    conv, mlp = read(
        with_protocol("filters: 16\n  k_query: 3", text=READINGS).replace(
            "{k_query: 5}", "{network: mlp, width: 8}"
        )
    ).protocols[:2]
    assert (conv.layers, conv.filters, conv.k_query) == (4, 16, 3)
    assert (mlp.layers, mlp.width, mlp.k_query) == (2, 8, 3)
    assert not hasattr(mlp, "filters")


@pytest.mark.usefixtures("every_kind")
def test_hyper_parameters_of_every_kind() -> None:
    pairs = "paired: {msl: [true, false], rule: [raw, update]}"
    cells = read(TRACES + f"  - {{method: every, rate0: [1, 0], steps: 3, {pairs}}}\n").cells()[6:]
    assert [cell.hyper.model_dump() for cell in cells] == [
        {"rate0": rate, "steps": 3, "msl": msl, "rule": rule}
        for msl, rule in ((True, "raw"), (False, "update"))
        for rate in (1.0, 0.0)
    ]
    assert cells[0].describe() == "every rate0=1 steps=3 msl=true rule=raw seed=0"
    assert Cell.model_validate_json(cells[0].model_dump_json()) == cells[0]


@pytest.mark.usefixtures("every_kind")
def test_values_that_are_left_out_are_the_defaults() -> None:
    written, short = "rate0: 1, steps: 5, msl: false, rule: raw", "rate0: 1.0"
    ids = [read(TRACES + f"  - {{method: every, {one}}}\n").cells()[-1].cell_id for one in (written, short)]
    assert ids[0] == ids[1]


@pytest.mark.usefixtures("every_kind")
def test_methods_that_no_table_can_hold_together() -> None:
    """`steps` would be a column of two types."""

    class Texts(Hyper):
        steps: Literal["few", "many"]

    class Other(maml.MAML):
        name = "other"
        Hyper = Texts

    with known(Other):
        text = TRACES + "  - {method: every, rate0: 1}\n  - {method: other, steps: few}\n"
        says = "its steps is a choice, that of every a whole number; no column can hold both"
        assert message(text) == f"mine.yaml:19: cells[3].method: {says}"
