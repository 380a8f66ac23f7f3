"""Grids: their cells and the order of these, the round trip through JSON, and one line for each mistake."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness import grids, strictyaml
from harness.errors import UserError
from harness.protocol import PRESETS, Cell, Question

FIELDS = {
    "maml": ("alpha0", "beta0"),
    "alpha-maml": ("alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr"),
}
RATES = st.integers(0, 9) | st.floats(0, 1e9, allow_subnormal=False)


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    method = draw(st.sampled_from(sorted(FIELDS)))
    keys = draw(st.permutations(FIELDS[method]))
    paired = keys[: draw(st.integers(0, len(keys)))]
    length = draw(st.integers(1, 3))
    rows = draw(st.lists(st.tuples(*(RATES for _ in paired)), min_size=length, max_size=length, unique=True))
    block: dict[str, Any] = {"method": method}
    for key in keys[len(paired) :]:
        block[key] = draw(RATES | st.lists(RATES, min_size=1, max_size=3, unique=True))
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
    protocol = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "preset": st.sampled_from(sorted(PRESETS)),
                "dataset": st.sampled_from(["omniglot", "glyphs"]),
                "n_way": st.integers(2, 400),
                "k_shot": st.integers(1, 10),
                "first_order": st.booleans(),
                "norm_eps": st.floats(1e-9, 1),
            },
        )
    )
    return {
        "title": "A title",
        "figure": {
            "kind": "trajectories",
            "reference": {"method": "maml", "alpha0": 0.25, "beta0": 0.125},
            "columns": [{"title": "All", "where": {"method": sorted({b["method"] for b in cells})}}],
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


# --- Cells ---------------------------------------------------------------------------------------------


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


@settings(deadline=None, max_examples=40)
@given(sheets())
def test_a_grid_comes_back_from_its_json(sheet: dict[str, Any]) -> None:
    grid = read(dumped(sheet))
    again = grids.from_json(grid.model_dump_json())
    assert again == grid
    assert [c.cell_id for c in again.cells()] == [c.cell_id for c in grid.cells()]
    assert grid.question == Question(target_loss=sheet["target_loss"], max_iterations=sheet["max_iterations"])


def test_json_that_is_no_grid() -> None:
    with pytest.raises(UserError, match="the grid kept with the results"):
        grids.from_json("{}")


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


# --- The grids of sweeps/ ------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", "-sgd"])
def test_the_papers_grids(suffix: str) -> None:
    fig1, fig2, fig3 = (grids.load(f"fig{i}{suffix}") for i in (1, 2, 3))
    assert [(g.target_loss, g.max_iterations) for g in (fig1, fig2, fig3)] == [
        (None, 500),
        (2.5, 500),
        (2.99, 500),
    ]
    assert len(fig2.cells()) == 185
    assert fig2.cells() == fig3.cells()  # Figure 3 is read off the records of Figure 2
    assert {g.protocol.label for g in (fig1, fig2, fig3)} == {f"paper{suffix or '-adam'}"}
    assert {c.hyper for c in fig1.cells() if c.method == "maml"} <= {c.hyper for c in fig2.cells()}
    assert isinstance(fig1.figure, grids.Trajectories)
    for column in fig1.figure.columns:
        assert {c.method for c in fig1.cells() if grids.matches(column.where, c)} == {"maml", "alpha-maml"}


def test_fig2_is_the_papers_to_the_digit() -> None:
    decades = {
        "pairs": [(1e-1, 1e-3), (1e-2, 1e-4), (1e-3, 1e-5), (1e-4, 1e-6), (1e-5, 1e-7)],
        "alpha_hyperlr": [1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2],
        "beta_hyperlr": [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3],
    }
    rows = [tuple(c.hyper.model_dump().values()) for c in grids.load("fig2").cells()]
    assert rows[:5] == decades["pairs"]
    cross = itertools.product(*decades.values())
    assert rows[5:] == [(*pair, a, b) for pair, a, b in cross]


@pytest.mark.parametrize("name", grids.names())
def test_each_grid_loads_on_either_data_set(name: str) -> None:
    grid = grids.load(name)
    glyphs = grids.load(name, dataset="glyphs")
    assert grid.folder == grid.name == name
    assert glyphs.protocol.dataset == "glyphs"
    assert glyphs.folder == (name if grid.protocol.dataset == "glyphs" else f"{name}-glyphs")
    assert len(glyphs.cells()) == len(grid.cells())
    assert (glyphs.protocol == grid.protocol) == (name == "quick")


def test_landscapes_are_full_crosses() -> None:
    for name in ("landscape", "landscape-sgd"):
        cells = grids.load(name).cells()
        by_method = {m: {(c.hyper.alpha0, c.hyper.beta0) for c in cells if c.method == m} for m in FIELDS}
        alphas, betas = zip(*by_method["maml"], strict=True)
        assert by_method["maml"] == by_method["alpha-maml"] == set(itertools.product(alphas, betas))
        assert len(cells) == 2 * len(by_method["maml"])


def test_quick_is_below_chance() -> None:
    grid = grids.load("quick")
    assert grid.protocol.n_way == 5
    assert grid.target_loss is not None
    assert grid.target_loss < grid.protocol.chance_loss


# --- Mistakes ------------------------------------------------------------------------------------------

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
TRACES = GRID.replace(
    GRID.splitlines()[1],
    "figure: {kind: trajectories, reference: {method: maml, alpha0: 1e-1},"
    " columns: [{title: A, where: {beta0: 1e-3}}]}",
)

MISTAKES = [
    ("target_loss: 2.5", "target_los: 2.5", 6, "target_los: unknown key; did you mean target_loss?"),
    ("max_iterations: 500", "max_iteration: 500", 7, "did you mean max_iterations?"),
    ("max_iterations: 500", "max_iterations: '500'", 7, "max_iterations: '500' is no whole number"),
    ("max_iterations: 500", "max_iterations: 1.5", 7, "max_iterations: 1.5 is no whole number"),
    ("max_iterations: 500", "max_iterations: 5e2", 7, "max_iterations: write 500, without"),
    ("max_iterations: 500", "max_iterations: true", 7, "max_iterations: true is no number"),
    ("max_iterations: 500", "max_iterations: 0", 7, "max_iterations: 0 is not >= 1"),
    ("max_iterations: 500\n", "", 1, "max_iterations: missing"),
    ("target_loss: 2.5", "target_loss: true", 6, "target_loss: true is no number"),
    ("target_loss: 2.5", "target_loss: -1", 6, "target_loss: -1 is not > 0"),
    ("target_loss: 2.5", "target_loss: null", 6, "a heatmap counts"),
    ("title: Mine", "title: 5", 1, "title: 5 is no text"),
    ("title: Mine", "title: ''", 1, "title: is empty"),
    ("title: Mine", 'title: "a\\nb"', 1, "title: must be one line"),
    ("title: Mine", "title: Mine\nname: you", 2, "name: unknown key"),
    ("title: Mine", "title: Mine\nfolder: store", 2, "folder: unknown key"),
    ("seeds: [0]", "seeds: [0]\nseeds: [1]", 9, "seeds: given twice (first in line 8)"),
    ("seeds: [0]", "seeds:\n - 4\n - 1\n - 4", 11, "seeds[2]: 4 is there twice (first in line 9)"),
    ("seeds: [0]", "seeds: []", 8, "seeds: the list is empty"),
    ("seeds: [0]", "seeds: [-1]", 8, "seeds[0]: -1 is not >= 0"),
    ("preset: paper-adam", "preset: paper-adm", 4, "'paper-adm' is no preset; did you mean paper-adam"),
    ("k_shot: 5", "kshot: 5", 5, "protocol.kshot: unknown key; did you mean k_shot?"),
    ("k_shot: 5", "k_shot: true", 5, "protocol.k_shot: true is no number"),
    ("k_shot: 5", "k_shot: 20", 5, "protocol.k_shot: 20 is not < 20"),
    ("k_shot: 5", "k_shot: 19\n  k_query: 2", 3, "protocol: k_shot + k_query is 21"),
    ("k_shot: 5", "rotate: on", 5, "protocol.rotate: 'on' is neither true nor false"),
    ("k_shot: 5", "resize: cubic", 5, "protocol.resize: 'cubic' is none of 'lanczos' or 'nearest'"),
    ("k_shot: 5", "dataset: omniglott", 5, "is no data set; did you mean omniglot?"),
    ("kind: heatmap", "kind: heat", 2, "figure.kind: 'heat' is none of 'heatmap', 'trajectories'"),
    ("kind: heatmap, ", "", 2, "figure.kind: missing"),
    ("x: beta_hyperlr", "x: beta_hyper", 2, "figure.x: no cell has beta_hyper; did you mean beta_hyperlr"),
    ("x: beta_hyperlr", "x: alpha_hyperlr", 2, "figure.x: alpha_hyperlr is there twice"),
    ("x: beta_hyperlr", "z: 1, x: beta_hyperlr", 2, "figure.z: unknown key; known: kind, panels, x, y"),
    ("[alpha0, beta0], x: beta_hyperlr", "[beta_hyperlr], x: beta0", 2, "maml has no beta_hyperlr"),
    ("[alpha0, beta0], x: beta_hyperlr, y: alpha_hyperlr", "[method], x: alpha0, y: beta0", 2, "differs"),
    ("method: maml", "method: mam", 10, "cells[0].method: 'mam' is no method; did you mean maml?"),
    ("method: maml", "methd: maml", 10, "cells[0].methd: unknown key; did you mean method?"),
    ("method: maml", "beta0: 1", 10, "cells[0].method: missing"),
    ("method: maml", "method: maml\n    alpha0: 1", 13, "cells[0].paired.alpha0: given beside paired too"),
    ("method: maml", "method: maml\n    note: hi", 11, "cells[0].note: maml has no note"),
    ("method: alpha-maml", "method: maml", 16, "cells[1].alpha_hyperlr: maml has no alpha_hyperlr"),
    ("    beta_hyperlr: 1e-8\n", "", 14, "cells[1].beta_hyperlr: missing"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: abc", 17, "cells[1].beta_hyperlr: 'abc' is no number"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr:\n     - 1\n     - x", 19, "beta_hyperlr[1]: 'x' is no number"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: '1e-8'", 17, "cells[1].beta_hyperlr: '1e-8' is no number"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: [1, -1]", 17, "cells[1].beta_hyperlr[1]: -1 is not >= 0"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: []", 17, "cells[1].beta_hyperlr: the list is empty"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: [1, 1]", 14, "beta_hyperlr=1 is there twice"),
    ("alpha0: [1e-1, 1e-2]", "alpha0: [1e-1]", 12, "paired.alpha0: has 1 values, beta0 has 2"),
    ("alpha0: [1e-1, 1e-2]", "alpha0: [1e-1, -2]", 12, "cells[0].paired.alpha0[1]: -2 is not >= 0"),
    (GRID[GRID.index("cells:") :], "cells: []\n", 9, "cells: the list is empty"),
    (GRID[GRID.index("cells:") :], "cells:\n", 9, "cells: null is no list"),
    (GRID[GRID.index("cells:") :], "cells: [5]\n", 9, "cells[0]: 5 is no mapping"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "says"), MISTAKES)
def test_a_mistake_has_its_line(right: str, wrong: str, line: int, says: str) -> None:
    read(GRID)
    assert GRID.count(right) >= 1
    found = message(GRID.replace(right, wrong, 1))
    assert found.startswith(f"mine.yaml:{line}: "), found
    assert says in found


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("{beta0: 1e-3}", "{beta: 1e-3}", "columns[0].where.beta: no cell has beta; did you mean beta0?"),
        ("{beta0: 1e-3}", "{beta0: [1e-3, 7]}", "columns[0].where.beta0[1]: no cell has beta0 7"),
        ("{beta0: 1e-3}", "{beta0: 1e-3, alpha0: 1e-2}", "columns[0].where: selects no cells"),
        ("{beta0: 1e-3}", "{beta0: true}", "columns[0].where.beta0: true is neither word nor number"),
        ("where:", "were:", "figure.columns[0].were: unknown key; did you mean where?"),
        ("method: maml, alpha0: 1e-1}", "method: maml}", "figure.reference: selects 2 cells of a seed"),
    ],
)
def test_a_mistake_in_trajectories(right: str, wrong: str, says: str) -> None:
    read(TRACES)
    found = message(TRACES.replace(right, wrong, 1))
    assert found.startswith("mine.yaml:2: figure")
    assert says in found


def test_a_cell_given_twice_names_both_blocks() -> None:
    again = GRID + "  - method: maml\n    alpha0: 0.01\n    beta0: [1e-4, 1]\n"
    assert (
        message(again)
        == "mine.yaml:18: cells[2]: maml alpha0=0.01 beta0=0.0001 is there twice (first in line 10)"
    )


def test_a_slip_of_many_cells_is_refused() -> None:
    many = ", ".join(map(str, range(400)))
    assert "most" in message(GRID.replace("1e-8", f"[{many}]").replace("[1e-3, 1e-2]", f"[{many}]"))


@pytest.mark.parametrize("text", ["[1]", "word", "null", "3"])
def test_a_file_that_is_no_mapping(text: str) -> None:
    assert "is no mapping" in message(text)


@settings(deadline=None, max_examples=60)
@given(sheets(), st.sampled_from(["unknown", "doubled", "wrong type"]), st.data())
def test_a_mutated_grid_is_refused_in_its_line(sheet: dict[str, Any], kind: str, data: st.DataObject) -> None:
    lines = dumped(sheet).splitlines()
    found = [(i, re.fullmatch(r"([- ]*)(\w+):.*", line)) for i, line in enumerate(lines)]
    at, match = data.draw(st.sampled_from([(i, m) for i, m in found if m]))
    indent, key = match.groups()
    blank = " " * len(indent)
    if kind == "wrong type":
        below = [blank + " ", *([] if indent.endswith("- ") else [blank + "- "])]
        end = at + 1
        while end < len(lines) and lines[end].startswith(tuple(below)):
            end += 1
        lines[at:end] = [f"{indent}{key}: {{a: {{b: 1}}}}"]
    else:
        lines[at : at + 1] = [
            f"{indent}{key}{'_' if kind == 'unknown' else ''}: 1",
            blank + lines[at].removeprefix(indent),
        ]
    line = at + 2 if kind == "doubled" else at + 1
    assert message("\n".join(lines)).startswith(f"mine.yaml:{line}: ")


# --- Names, data sets ----------------------------------------------------------------------------------


def test_an_unknown_grid_gives_the_nearest() -> None:
    with pytest.raises(UserError, match=r"grid 'quik': unknown; did you mean quick\?"):
        grids.load("quik")
    with pytest.raises(UserError, match="known: fig1, fig1-sgd, fig2"):
        grids.load("zzz")
    with pytest.raises(UserError, match="cannot be read"):
        grids.load("no/such/file.yaml")
    with pytest.raises(UserError, match=r"data set 'glyph': unknown; did you mean glyphs\?"):
        grids.load("fig2", dataset="glyph")


def test_a_grid_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GRID)
    grid = grids.load(str(path))
    assert (grid.name, grid.folder) == ("mine", "mine")
    assert grids.load(str(path), dataset="glyphs").folder == "mine-glyphs"
    assert grid.protocol.label == "paper-adam, k_shot=5"
    path.write_text(GRID + "x: 1\n")
    with pytest.raises(UserError, match=re.escape(f"{path}:18: x: unknown key")):
        grids.load(str(path))


@pytest.mark.parametrize("stem", ["fig2", "FIG2", "fig2-glyphs", "store", "reference", "bench", "a b", ".x"])
def test_a_name_that_is_anothers_or_no_folder(tmp_path: Path, stem: str) -> None:
    (tmp_path / f"{stem}.yaml").write_text(GRID)
    with pytest.raises(UserError, match="rename it"):
        grids.load(str(tmp_path / f"{stem}.yaml"))


def test_a_grid_of_sweeps_by_its_path() -> None:
    assert grids.load(str(grids.places.SWEEPS / "fig2.yaml")) == grids.load("fig2")


# --- Filters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("method=maml", lambda c: c.method == "maml"),
        ("alpha0=1e-4, method=alpha-maml", lambda c: c.hyper.alpha0 == 1e-4 and c.method == "alpha-maml"),
        ("alpha0=0.1,alpha0=0.01", lambda c: c.hyper.alpha0 in (0.1, 0.01)),
        ("seed=1", lambda c: c.seed == 1),
        ("beta_hyperlr=1e-8", lambda c: c.method == "maml" or c.hyper.beta_hyperlr == 1e-8),
        ("alpha0=77", lambda c: False),
    ],
)
def test_where(text: str, want: Any) -> None:
    cells = grids.load("fig2").cells([0, 1])
    assert [c for c in cells if grids.where(text)(c)] == [c for c in cells if want(c)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alpah0=1", "'alpah0' is no column; did you mean alpha0?"),
        ("alpha0=big", "alpha0: 'big' is no number"),
        ("alpha0=.inf", "alpha0: '.inf' is no number"),
        ("alpha0=true", "alpha0: 'true' is no number"),
        ("method=mamml", "'mamml' is no method; did you mean maml"),
        ("seed=1.5", "'1.5' is no seed"),
        ("alpha0", "not of the form key=value"),
        ("alpha0=1,", "not of the form key=value"),
    ],
)
def test_a_wrong_where(text: str, says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)):
        grids.where(text)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_shards_partition_the_cells_evenly(n: int, random: Any) -> None:
    cells = grids.load("quick").cells([0, 1])
    shards = [grids.select_shard(cells, f"{i}/{n}") for i in range(1, n + 1)]
    assert sorted(c.cell_id for s in shards for c in s) == sorted(c.cell_id for c in cells)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert all(list(s) == [c for c in cells if c in s] for s in shards)  # their order stays
    shuffled = random.sample(cells, len(cells))
    assert {c.cell_id for c in grids.select_shard(shuffled, f"1/{n}")} == {c.cell_id for c in shards[0]}


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "1", "a/b", "1/2/3", "-1/3", ""])
def test_a_wrong_shard(text: str) -> None:
    with pytest.raises(UserError, match="write i/n"):
        grids.shard(text)


def test_seeds() -> None:
    assert grids.parse_seeds("0,2, 5-7") == (0, 2, 5, 6, 7)
    assert grids.parse_seeds(str(2**63 - 1)) == (2**63 - 1,)
    for text in ("", "a", "-1", "3-1", "0,,1", "1.5", str(2**63), "0-999999999999"):
        with pytest.raises(UserError, match="write whole numbers"):
            grids.parse_seeds(text)
    with pytest.raises(UserError, match="6 is there twice"):
        grids.parse_seeds("5-7,6")


def test_the_json_is_the_files_format() -> None:
    """What the results keep can be read by a person who knows the YAML."""
    blocks_ = json.loads(read(GRID).model_dump_json())["cells"]
    assert blocks_[1] == {
        "method": "alpha-maml",
        "paired": {"alpha0": [0.1, 0.01], "beta0": [0.001, 0.0001]},
        "alpha_hyperlr": [0.001, 0.01],
        "beta_hyperlr": [1e-8],
    }
