"""Mistakes in grids of any problem, network and method, and in hyper-parameters of any kind."""

from __future__ import annotations

import pytest

from tests.grids.test_grid import GRID, READINGS, TRACES, message, read, with_protocol


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        (["problem: sinusiod"], 4, "protocol.problem: 'sinusiod' is not a problem; did you mean sinusoid?"),
        (["problem: 3"], 4, "protocol.problem: 3 is not a problem; known: few-shot, sinusoid"),
        (["network: conv5"], 4, "protocol.network: 'conv5' is not a network; did you mean conv4?"),
        (["network: [mlp]"], 4, "protocol.network: a list is not a network; known: conv4, mlp"),
        (
            ["preset: sinus", "n_way: 5"],
            4,
            "protocol.preset: 'sinus' is not a preset; did you mean sinusoid",
        ),
        (
            ["problem: sinusoid", "filters: 16"],
            5,
            "protocol.filters: the network mlp has no filters; it has layers, width",
        ),
        (
            ["preset: sinusoid", "n_way: 5"],
            5,
            "protocol.n_way: the problem sinusoid has no n_way; it has k_shot, k_query",
        ),
        (
            ["network: mlp", "norm_eps: 1e-3"],
            5,
            "protocol.norm_eps: the network mlp has no norm_eps; it has layers, width",
        ),
        (["network: mlp", "widht: 8"], 5, "protocol.widht: unknown key; did you mean width?"),
        (
            ["problem: sinusoid", "dataset: glyphs"],
            5,
            "protocol.dataset: the problem sinusoid has no dataset; it has k_shot, k_query",
        ),
        (
            ["preset: paper-sgd", "problem: sinusoid"],
            5,
            "protocol.problem: the preset paper-sgd has the problem few-shot; leave one of them out",
        ),
        (["problem: sinusoid", "k_shot: 0"], 5, "protocol.k_shot: 0 is not >= 1"),
        (["problem: sinusoid", "layers: 1.5"], 5, "protocol.layers: 1.5 is not a whole number"),
        (["train_characters: 1624"], 4, "protocol.train_characters: 1624 is not <= 1623"),
        (["validation_characters: 2000"], 4, "protocol.validation_characters: 2000 is not <= 1623"),
        (
            ["train_characters: 1201"],
            3,
            "protocol: train_characters + validation_characters is more than",
        ),
        (["n_way: 812"], 4, "protocol.n_way: 812 is not <= 811"),
        (["dataset: glyphs", "k_query: 20"], 5, "protocol.k_query: 20 is not < 20"),
    ],
    ids=str,
)
def test_a_mistake_in_a_protocol_of_any_problem(lines: list[str], line: int, says: str) -> None:
    for text in (GRID, READINGS):
        found = message(with_protocol(*lines, text=text))
        assert found.startswith(f"mine.yaml:{line}: {says}")
        assert "more)" not in found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("{problem: sinusoid}", "problem: 'sinusoid'; a grid's readings share one problem, here 'few-shot'"),
        ("{problem: sinus}", "problem: 'sinus' is not a problem; did you mean sinusoid?"),
        ("{network: mpl, widht: 3}", "network: 'mpl' is not a network; did you mean mlp?"),
        ("{network: mlp, filters: 3}", "filters: the network mlp has no filters; it has layers, width"),
        ("{dataset: glyph}", "dataset: 'glyph' is not a data set; did you mean glyphs?"),
        ("{preset: paper-sdg}", "preset: unknown key; did you mean resize?"),
    ],
)
def test_a_mistake_in_a_reading_of_any_network(change: str, says: str) -> None:
    assert message(READINGS.replace("{k_query: 5}", change)) == f"mine.yaml:7: readings[1].{says}"


SECOND_ORDER = "fomaml leaves the second derivatives out by itself; leave first_order out"

UPDATE = "reptile has an outer update of its own; leave meta_optimizer out"

MEAN = "reptile moves to the mean over tasks; leave task_reduction out"

ORDER = "reptile leaves the second derivatives out by itself; leave first_order out"

MINE = "  - {method: METHOD, alpha0: 1, NAME: 1}\n"


@pytest.mark.parametrize(
    ("method", "line", "written", "says"),
    [
        ("fomaml", 5, "first_order: true", f"protocol.first_order: {SECOND_ORDER}"),
        ("fomaml", 5, "first_order: false", f"protocol.first_order: {SECOND_ORDER}"),
        ("reptile", 5, "first_order: true", f"protocol.first_order: {ORDER}"),
        ("reptile", 5, "meta_optimizer: adam", f"protocol.meta_optimizer: {UPDATE}"),
        ("reptile", 5, "meta_optimizer: sgd", f"protocol.meta_optimizer: {UPDATE}"),
        ("reptile", 5, "task_reduction: sum", f"protocol.task_reduction: {MEAN}"),
        ("fomaml", 7, "{first_order: true}", f"readings[1].first_order: {SECOND_ORDER}"),
        ("reptile", 7, "{meta_optimizer: adam}", f"readings[1].meta_optimizer: {UPDATE}"),
        ("reptile", 7, "{first_order: true}", f"readings[1].first_order: {ORDER}"),
    ],
)
def test_a_field_that_a_method_decides_by_itself(method: str, line: int, written: str, says: str) -> None:
    block = MINE.replace("METHOD", method).replace("NAME", "eps0" if method == "reptile" else "beta0")
    text = READINGS.replace(READINGS.splitlines()[1], TRACES.splitlines()[1]) + block
    text = text.replace("{method: maml, alpha0: 1e-1}", "{method: maml, alpha0: 1e-1, protocol: BASE}")
    text = text.replace("BASE", "'paper-adam, k_shot=5'")
    read(text)
    place = "{k_query: 5}" if line == 7 else "k_shot: 5"
    assert message(text.replace(place, written)) == f"mine.yaml:{line}: {says}"


def test_a_preset_that_chose_an_optimizer_for_a_method_with_its_own_update() -> None:
    text = TRACES.replace("preset: paper-adam", "preset: paper-sgd") + MINE.replace("METHOD", "reptile")
    assert message(text.replace("NAME", "eps0")) == f"mine.yaml:3: protocol.meta_optimizer: {UPDATE}"


@pytest.mark.usefixtures("every_kind")
@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("rate0: true", "rate0: true is not a number"),
        ("rate0: [1, 1.0]", "every rate0=1 steps=5 msl=false rule=raw is listed twice"),
        ("rate0: 1, steps: 2.5", "steps: 2.5 is not a whole number"),
        ("rate0: 1, steps: 5.0", "steps: write 5, without point or exponent"),
        ("rate0: 1, steps: [2, true]", "steps[1]: true is not a whole number"),
        ("rate0: 1, steps: 0", "steps: 0 is not >= 1"),
        ("rate0: 1, steps: 100", "steps: 100 is not <= 99"),
        ("rate0: 1, msl: 1", "msl: 1 is neither true nor false"),
        ("rate0: 1, msl: on", "msl: 'on' is neither true nor false"),
        ("rate0: 1, msl: [true, true]", "every rate0=1 steps=5 msl=true rule=raw is listed twice"),
        ("rate0: 1, rule: rew", "rule: 'rew' is not one of 'raw' or 'update'"),
        ("rate0: 1, rule: true", "rule: true is not one of 'raw' or 'update'"),
        ("rate0: 1, rule: {a: 1}", "rule: a mapping is not a value"),
        ("rate0: 1, rule: null", "rule: null is not a value"),
        ("rate0: 1, rul: raw", "rul: every has no rul; did you mean rule?"),
        ("steps: 3", "rate0: missing"),
        (
            "rate0: 1, paired: {msl: [true, 2], rule: raw}",
            "paired.rule: has length 1, msl has 2; paired",
        ),
        ("rate0: 1, paired: {msl: [true, 2]}", "paired.msl[1]: 2 is neither true nor false"),
    ],
)
def test_a_hyper_parameter_of_another_kind(values: str, says: str) -> None:
    found = message(TRACES + f"  - {{method: every, {values}}}\n")
    assert found.startswith("mine.yaml:18: cells[2]"), found
    assert says in found
    assert "more)" not in found


@pytest.mark.usefixtures("every_kind")
@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("{msl: true, method: every}", None),
        ("{rule: raw, method: every, steps: 5}", None),
        ("{msl: 1}", "columns[0].where.msl: no cell has msl 1"),
        ("{steps: true}", "columns[0].where.steps: no cell has steps true"),
        ("{rule: rew}", "columns[0].where.rule: no cell has rule 'rew'"),
        ("{beta0: true}", "columns[0].where.beta0: no cell has beta0 true"),
        ("{seed: true}", "columns[0].where.seed: true is not a seed"),
    ],
)
def test_a_column_shows_values_of_every_kind(where: str, says: str | None) -> None:
    text = TRACES.replace("{beta0: 1e-3}", where)
    text += "  - {method: every, rate0: 1, msl: [true, false], rule: [raw, update]}\n"
    if says is None:
        read(text)
    else:
        assert says in message(text)


@pytest.mark.usefixtures("every_kind")
@pytest.mark.parametrize(
    ("figure", "says"),
    [
        ("panels: [method, msl, rule], x: rate0, y: steps", None),
        ("panels: [method, msl, steps], x: rate0, y: rule", "figure.y: rule is not a number; list it among"),
        ("panels: [method, rule, steps], x: msl, y: rate0", "figure.x: msl is not a number; list it among"),
        (
            "panels: [method, msl], x: rate0, y: steps",
            "figure.panels: name what differs; every rate0=1",
        ),
    ],
)
def test_axes_are_numbers(figure: str, says: str | None) -> None:
    every = "{method: every, rate0: [1, 2], steps: [1, 2], msl: [true, false], rule: [raw, update]}"
    text = (
        f"title: T\ntarget_loss: 1\nmax_iterations: 1\nfigure: {{kind: heatmap, {figure}}}\ncells: [{every}]"
    )
    if says is None:
        read(text)
    else:
        assert says in message(text)


def test_a_protocol_is_not_an_axis() -> None:
    text = "figure.x: protocol is not a number; list it among the panels"
    assert text in message(GRID.replace("x: beta_hyperlr", "x: protocol"))
