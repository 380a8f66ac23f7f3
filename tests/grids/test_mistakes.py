"""A mistake in a grid is one line that says where, what, and what would be right."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grids.test_grid import GRID, READINGS, TRACES, dumped, message, read, sheets

MISTAKES = [
    ("target_loss: 2.5", "target_los: 2.5", 6, "target_los: unknown key; did you mean target_loss?"),
    ("max_iterations: 500", "max_iteration: 500", 7, "did you mean max_iterations?"),
    ("max_iterations: 500", "max_iterations: '500'", 7, "max_iterations: '500' is not a whole number"),
    ("max_iterations: 500", "max_iterations: 1.5", 7, "max_iterations: 1.5 is not a whole number"),
    ("max_iterations: 500", "max_iterations: 5e2", 7, "max_iterations: write 500, without"),
    ("max_iterations: 500", "max_iterations: true", 7, "max_iterations: true is not a number"),
    ("max_iterations: 500", "max_iterations: 0", 7, "max_iterations: 0 is not >= 1"),
    ("max_iterations: 500\n", "", 1, "max_iterations: missing"),
    ("max_iterations: 500", f"max_iterations: {2**63}", 7, "9223372036854775808 is not <= 10000000"),
    ("max_iterations: 500", "max_iterations: 10000001", 7, "max_iterations: 10000001 is not <= 10000000"),
    ("target_loss: 2.5", "target_loss: 1e31", 6, "target_loss: 1e+31 is not <= 1e+30"),
    ("target_loss: 2.5", "target_loss: true", 6, "target_loss: true is not a number"),
    ("target_loss: 2.5", "target_loss: -1", 6, "target_loss: -1 is not > 0"),
    ("target_loss: 2.5", "target_loss: null", 6, "a heatmap counts"),
    ("title: Mine", "title: 5", 1, "title: 5 is not text"),
    ("title: Mine", "title: ''", 1, "title: is empty"),
    ("title: Mine", 'title: "a\\nb"', 1, "title: must be one line"),
    ("title: Mine", 'title: "a\\x9b2Jb"', 1, "title: must be one line of printable text"),
    ("title: Mine", 'title: "a\\u202eb"', 1, "title: must be one line of printable text"),
    ("title: Mine", 'title: "a\\u2028b"', 1, "title: must be one line of printable text"),
    ("title: Mine", "title: '  '", 1, "title: must be one line of printable text"),
    ("title: Mine", f"title: {'x' * 201}", 1, "title: is longer than 200 characters"),
    ("title: Mine", f"title: Mine\n{'x' * 900}: 1", 2, "xxx...: unknown key"),
    ("title: Mine", "title: Mine\nname: you", 2, "name: unknown key"),
    ("title: Mine", "title: Mine\nfolder: store", 2, "folder: unknown key"),
    ("seeds: [0]", "seeds: [0]\nseeds: [1]", 9, "seeds: given twice (first on line 8)"),
    ("seeds: [0]", "seeds:\n - 4\n - 1\n - 4", 11, "seeds[2]: 4 is listed twice (first on line 9)"),
    ("seeds: [0]", "seeds: []", 8, "seeds: the list is empty"),
    ("seeds: [0]", f"seeds: [0, {2**63}]", 8, "seeds[1]: 9223372036854775808 is not < "),
    ("seeds: [0]", f"seeds: {[*range(8334)]}", 8, "6 cells x 8,334 seeds are 50,004; at most 50,000"),
    ("seeds: [0]", "seeds: [-1]", 8, "seeds[0]: -1 is not >= 0"),
    ("preset: paper-adam", "preset: paper-adm", 4, "'paper-adm' is not a preset; did you mean paper-adam"),
    ("k_shot: 5", "kshot: 5", 5, "protocol.kshot: unknown key; did you mean k_shot?"),
    ("k_shot: 5", "k_shot: true", 5, "protocol.k_shot: true is not a number"),
    ("k_shot: 5", "k_shot: 20", 5, "protocol.k_shot: 20 is not < 20"),
    ("k_shot: 5", "k_shot: 19\n  k_query: 2", 3, "protocol: k_shot + k_query is 21"),
    ("k_shot: 5", "meta_batch: 100001", 5, "protocol.meta_batch: 100001 is not <= 100000"),
    ("k_shot: 5", "validation_tasks: 1000000000", 5, "validation_tasks: 1000000000 is not <= 100000"),
    ("k_shot: 5", "filters: 10001", 5, "protocol.filters: 10001 is not <= 10000"),
    ("k_shot: 5", "inner_steps: 10001", 5, "protocol.inner_steps: 10001 is not <= 10000"),
    ("k_shot: 5", "norm_eps: 1e-31", 5, "protocol.norm_eps: 1e-31 is not >= 1e-30"),
    ("k_shot: 5", f"validation_every: {2**63}", 5, "is not <= 10000000"),
    ("k_shot: 5", "filters: 10000\n  inner_steps: 10000", 3, "most of it for filters, inner_steps, n_way"),
    ("k_shot: 5", "rotate: on", 5, "protocol.rotate: 'on' is neither true nor false"),
    ("k_shot: 5", "resize: cubic", 5, "protocol.resize: 'cubic' is not one of 'lanczos' or 'nearest'"),
    ("k_shot: 5", "dataset: omniglott", 5, "is not a data set; did you mean omniglot?"),
    (
        "kind: heatmap",
        "kind: heat",
        2,
        "figure.kind: 'heat' is not one of 'heatmap', 'trajectories', 'losses'",
    ),
    ("kind: heatmap, ", "", 2, "figure.kind: missing"),
    ("[alpha0, beta0], x", f"[{'alpha0, ' * 13}], x", 2, "panels: the list has 13 entries; at most 12"),
    ("x: beta_hyperlr", "x: beta_hyper", 2, "figure.x: no cell has beta_hyper; did you mean beta_hyperlr"),
    ("x: beta_hyperlr", "x: alpha_hyperlr", 2, "figure.x: alpha_hyperlr is listed twice"),
    ("x: beta_hyperlr", "z: 1, x: beta_hyperlr", 2, "figure.z: unknown key; known: kind, panels, x, y"),
    ("[alpha0, beta0], x: beta_hyperlr", "[beta_hyperlr], x: beta0", 2, "maml has no beta_hyperlr"),
    ("[alpha0, beta0], x: beta_hyperlr, y: alpha_hyperlr", "[method], x: alpha0, y: beta0", 2, "differs"),
    ("method: maml", "method: mam", 10, "cells[0].method: 'mam' is not a method; did you mean maml?"),
    ("method: maml", "methd: maml", 10, "cells[0].methd: unknown key; did you mean method?"),
    ("method: maml", "beta0: 1", 10, "cells[0].method: missing"),
    (
        "method: maml",
        "method: maml\n    alpha0: 1",
        13,
        "paired.alpha0: given twice, inside paired and outside it",
    ),
    ("method: maml", "method: maml\n    note: hi", 11, "cells[0].note: maml has no note"),
    ("method: alpha-maml", "method: maml", 16, "cells[1].alpha_hyperlr: maml has no alpha_hyperlr"),
    ("    beta_hyperlr: 1e-8\n", "", 14, "cells[1].beta_hyperlr: missing"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: abc", 17, "cells[1].beta_hyperlr: 'abc' is not a number"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr:\n     - 1\n     - x", 19, "beta_hyperlr[1]: 'x' is not a number"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: '1e-8'", 17, "cells[1].beta_hyperlr: '1e-8' is not a number"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: [1, -1]", 17, "cells[1].beta_hyperlr[1]: -1 is not >= 0"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: [1, -1e31]", 17, "beta_hyperlr[1]: -1e+31 is not >= 0"),
    (
        "beta_hyperlr: 1e-8",
        "beta_hyperlr: [0, 1e-31]",
        17,
        "beta_hyperlr[1]: 1e-31 is neither 0 nor >= 1e-30",
    ),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: [-1, 1, -2]", 17, "beta_hyperlr[0]: -1 is not >= 0 (and 1 more)"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: []", 17, "cells[1].beta_hyperlr: the list is empty"),
    ("beta_hyperlr: 1e-8", "beta_hyperlr: [1, 1]", 14, "beta_hyperlr=1 is listed twice"),
    ("alpha0: [1e-1, 1e-2]", "alpha0: [1e-1]", 12, "paired.alpha0: has length 1, beta0 has 2"),
    ("alpha0: [1e-1, 1e-2]", "alpha0: [1e-1, -2]", 12, "cells[0].paired.alpha0[1]: -2 is not >= 0"),
    (GRID[GRID.index("cells:") :], "cells: []\n", 9, "cells: the list is empty"),
    (GRID[GRID.index("cells:") :], "cells:\n", 9, "cells: null is not a list"),
    (GRID[GRID.index("cells:") :], "cells: [5]\n", 9, "cells[0]: 5 is not a mapping"),
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
        ("{beta0: 1e-3}", "{seed: 5}", None),
        ("{beta0: 1e-3}", "{seed: abc}", "columns[0].where.seed: 'abc' is not a seed"),
        ("{beta0: 1e-3}", "{seed: [0, 0.5]}", "columns[0].where.seed[1]: 0.5 is not a seed"),
        ("{beta0: 1e-3}", "{beta0: true}", "columns[0].where.beta0: no cell has beta0 true"),
        ("where:", "were:", "figure.columns[0].were: unknown key; did you mean where?"),
        ("method: maml, alpha0: 1e-1}", "method: maml}", "figure.reference: selects 2 cells per seed"),
    ],
)
def test_a_mistake_in_trajectories(right: str, wrong: str, says: str | None) -> None:
    read(TRACES)
    if says is None:
        read(TRACES.replace(right, wrong, 1))
        return
    found = message(TRACES.replace(right, wrong, 1))
    assert found.startswith("mine.yaml:2: figure")
    assert says in found


@pytest.mark.parametrize(
    ("right", "wrong", "line", "says"),
    [
        ("k_query: 5", "kquery: 5", 7, "readings[1].kquery: unknown key; did you mean k_query?"),
        ("k_query: 5", "k_query: 5.5", 7, "readings[1].k_query: 5.5 is not a whole number"),
        ("k_query: 5", "k_query: true", 7, "readings[1].k_query: true is not a number"),
        ("k_query: 5", "k_query: 16", 7, "readings[1]: k_shot + k_query is 21"),
        ("k_query: 5", "k_shot: 5", 7, "readings[1]: paper-adam, k_shot=5 is listed twice (first on line 6)"),
        ("k_query: 5", "meta_batch: 8", 8, "k_shot=5, meta_batch=8 is listed twice (first on line 7)"),
        ("k_query: 5", "n_way: 5", 7, "readings[1].n_way: 5; a grid's readings share one n_way, here 20"),
        ("k_query: 5", "dataset: glyphs", 7, "readings share one dataset, here 'omniglot'"),
        ("k_query: 5", "preset: paper-sgd", 7, "readings[1].preset: unknown key"),
        ("{}", "5", 6, "readings[0]: 5 is not a mapping"),
        ("[{},\n  {k_query: 5},\n  {meta_batch: 8}]", "[]", 6, "readings: the list is empty"),
        ("k_query: 5", "filters: 10000, inner_steps: 10000", 7, "readings[1]: a cell needs about "),
        ("[{},\n  {k_query: 5},\n  {meta_batch: 8}]", "3", 6, "readings: 3 is not a list"),
        ("k_shot: 5", "k_shot: x", 5, "protocol.k_shot: 'x' is not a whole number"),
        ("[protocol, alpha0, beta0]", "[alpha0, beta0]", 2, "figure.panels: name protocol too"),
        ("x: beta_hyperlr", "x: protocol", 2, "protocol is listed twice"),
    ],
)
def test_a_mistake_in_readings(right: str, wrong: str, line: int, says: str) -> None:
    assert READINGS.count(right) == 1
    found = message(READINGS.replace(right, wrong, 1))
    assert found.startswith(f"mine.yaml:{line}: "), found
    assert says in found
    assert "more)" not in found


def test_a_trace_of_several_readings_names_its_reference() -> None:
    traces = TRACES.replace("target_loss", "readings: [{}, {k_query: 5}]\ntarget_loss", 1)
    assert "figure.reference: selects 2 cells per seed" in message(traces)
    read(traces.replace("{method: maml,", "{method: maml, protocol: 'paper-adam, k_shot=5',"))


def test_a_cell_given_twice_names_both_blocks() -> None:
    again = GRID + "  - method: maml\n    alpha0: 0.01\n    beta0: [1e-4, 1]\n"
    assert (
        message(again)
        == "mine.yaml:18: cells[2]: maml alpha0=0.01 beta0=0.0001 is listed twice (first on line 10)"
    )


def many(count: int) -> str:
    return f"[{', '.join(map(str, range(1, count + 1)))}]"


def test_a_slip_of_many_cells_is_refused() -> None:
    """Before they are made: these are as many as 10^15 cells."""
    text = GRID.replace("1e-8", many(5000)).replace("[1e-3, 1e-2]", many(5000))
    says = "mine.yaml:9: cells: 50,000,002 cells; at most 50,000 are allowed"
    assert message(text) == says


def test_blocks_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.grids.grid.MAX_CELLS", 500)
    block = "  - {{method: maml, alpha0: {}, beta0: {}}}\n"
    blocks = [
        block.format(f"[{', '.join(str(j + 1000 * i) for j in range(15))}]", many(15)) for i in range(3)
    ]
    heatmap = "{kind: heatmap, panels: [alpha0, beta0], x: beta_hyperlr, y: alpha_hyperlr}"
    tuned = "{method: maml, alpha0: 0.1}"
    some = f"{{kind: trajectories, reference: {tuned}, columns: [{{title: T, where: {tuned}}}]}}"
    grid = GRID.replace(heatmap, some)  # a heatmap would have to show them all
    assert len(read(grid + blocks[1] + blocks[2]).cells()) == 6 + 2 * 15 * 15
    assert "cells: 681 cells; at most 500" in message(grid + "".join(blocks))


def test_readings_seeds_and_iterations_are_bounded_together() -> None:
    seeds = READINGS.replace("seeds: [0]", f"seeds: {many(3000)}")
    assert "seeds: 6 cells x 3 readings x 3,000 seeds are 54,000; at most 50,000" in message(seeds)
    long = READINGS.replace("seeds: [0]", f"seeds: {many(2000)}").replace("500", "30000")
    says = "max_iterations: 6 cells x 3 readings x 2,000 seeds x 30,000 iterations are 1,080,000,000 rows"
    assert says in message(long)
    listed = "".join(f"  - {{split_seed: {i}}}\n" for i in range(1001))
    text = READINGS.replace("readings: [{},\n  {k_query: 5},\n  {meta_batch: 8}]", f"readings:\n{listed}")
    assert "readings: the list has 1001 entries; at most 1000" in message(text)


def test_a_message_is_short() -> None:
    """Whatever the file holds, and however much of it is wrong."""
    keys = "".join(f"{'k' * 60}{i}: 1\n" for i in range(1200))
    found = message(GRID + keys)
    assert found.endswith("(and 1199 more)")
    assert len(found) < 250


@pytest.mark.parametrize("text", ["[1]", "word", "null", "3"])
def test_a_file_that_is_not_a_mapping(text: str) -> None:
    assert "is not a mapping" in message(text)


@pytest.mark.usefixtures("every_kind")
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
