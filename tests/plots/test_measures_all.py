"""What holds for all figures of `harness sensitivity`."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from harness.analysis import sensitivity
from harness.plots import style, texts
from harness.plots.measures import figures, page
from harness.plots.measures.labels import Mark, placed
from tests.plots.legible import assert_legible
from tests.plots.measured import (
    COUNTS,
    ENVIRONMENTS,
    WHOLE,
    both,
    drawn,
    measured,
    said,
    table,
)


def test_one_seed_has_no_bands_and_the_heading_says_so():
    measures = measured(table(seeds=1), **(WHOLE | COUNTS))
    for figure in (figures.performance, figures.budget, figures.cost, figures.ecdf):
        fig, _ = drawn(figure, measures)
        assert "one seed: no intervals" in said(fig)
        assert not [band for ax in fig.axes for band in ax.collections]


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ([5, 5], "bands: the middle 95 % of all 126 resamples of 5 seeds (too narrow, with so few seeds)"),
        ([20], "bands: the middle 95 % of resamples of 20 seeds"),
        ([1, 6], "bands: the middle 95 % of all 462 resamples of 6 seeds; none where there is one seed"),
        ([1], "one seed: no intervals"),
        ([0], ""),
    ],
)
def test_what_the_intervals_are(seeds, words):
    rows = pd.DataFrame({"seeds": seeds, "value": 1.0})
    assert page.intervals(rows, "bands") == words


def test_panels_are_named_by_what_they_do_not_share():
    def shown(*names):
        runs = dataclasses.replace(both().runs, environments=names)
        return [*page.shown(dataclasses.replace(both(), runs=runs)).values()]

    assert shown("a, target 2", "b, target 2") == ["a", "b"]
    assert shown("a, k=5, target 2", "a, target 2") == ["k=5", "a"]  # as in the tables
    assert shown("a", "b") == ["a", "b"]
    assert shown("all") == [""]


def test_long_names_that_differ_stay_different():
    for names in (
        [f"A rather long method name, number {n}" for n in range(3)],
        [f"Rather long {n} is the name of this method" for n in range(3)],
        ["A rather long name of a method", "A rather long name of the other method"],
    ):
        found = page.named(names, 1.2)
        assert [*found] == names
        assert len({*found.values()}) == len(names)
        for text in found.values():
            assert text.count("…") == 1
            assert texts.size(text, style.TICK)[0] <= 1.2
    assert page.named(["maml"]) == {"maml": "MAML"}


def test_a_row_and_a_key_have_the_same_names():
    rows = table(2).replace({"method": {"maml": "one " * 20 + "a", "alpha-maml": "one " * 20 + "b"}})
    fig, axes = drawn(figures.cost, measured(rows, **COUNTS))
    (ax,) = axes[f"{ENVIRONMENTS[0]}|0"]
    first, second = (label.get_text() for label in ax.get_yticklabels())
    assert first != second
    keys = [text.get_text() for text in drawn(figures.budget, measured(rows, **COUNTS))[1]["key"][0].texts]
    assert keys == [first, second]
    assert_legible(fig)


@pytest.mark.parametrize("figure", [figures.shares, figures.cost, figures.performance])
def test_many_environments_are_counted_where_there_is_no_room(figure):
    one = table(environments=1, seeds=1)
    rows = pd.concat([one.assign(environment=f"environment {e}") for e in range(30)])
    if figure is figures.performance:  # no sensitivity, where each has a seed of its own
        rows = rows.assign(seed=rows["environment"].factorize()[0])
    fig, axes = drawn(figure, measured(rows, **(WHOLE | COUNTS)))
    assert fig.get_figheight() <= 12.5
    drawn_ones = {label.split("|")[0] for label in axes if "|" in label}
    assert 5 < len(drawn_ones) < 30
    assert f"Not drawn, for want of room: {30 - len(drawn_ones)} of 30 environments." in said(fig)


def test_many_panels_are_counted_where_there_is_no_room():
    """Twelve of each kind in three rows; of one kind 24 in six."""
    one = table(environments=1, seeds=1)
    rows = pd.concat([one.assign(environment=f"environment {e}") for e in range(30)])
    for columns, shown in ((WHOLE | COUNTS, 12), (COUNTS, 24)):
        fig, axes = drawn(figures.budget, measured(rows, **columns))
        assert len(axes["hit"]) == shown
        assert fig.get_figheight() < 14.5
        assert f"Not drawn, for want of room: {30 - shown} of 30 environments." in said(fig)


def test_footnotes_are_sentences():
    notes = [
        *("no column of seeds is named: so it is", "a method was not run in b: why", "Said. As it is."),
        *(f"{ENVIRONMENTS[1]}: seed 3 left out", "fig2: 3 cells not run"),
    ]
    sheet = page.Page.of(both(), "", [], notes)
    assert " ".join(sheet.notes.split()).split(". ") == [
        "No column of seeds is named: so it is",
        *("A method was not run in b: why", "Said", "As it is"),
        *(f"{ENVIRONMENTS[1]}: seed 3 left out", "fig2: 3 cells not run."),
    ]


def test_a_name_keeps_its_small_letter():
    runs = dataclasses.replace(both().runs, environments=("half cheetah", "ant"))
    sheet = page.Page.of(dataclasses.replace(both(), runs=runs), "", [], ["half cheetah: seed 3 left out"])
    assert sheet.notes == "half cheetah: seed 3 left out."


def test_twelve_methods_are_told_apart():
    looks = page.looks(measured(table(12), **WHOLE))
    assert len({(look.colour, look.dash) for look in looks.values()}) == 12
    assert len({look.marker for look in looks.values()}) == 12
    assert next(iter(looks.values())).colour == style.BASELINE


def test_names_beside_marks_cover_nothing():
    rng = np.random.default_rng(3)
    marks = [
        Mark(at=(x, y), text="", size=(1.0, 0.1), bars=[(x - 0.2, y), (x, y + 0.2)])
        for x, y in rng.uniform((1.5, 1), (3.5, 2.5), (12, 2))
    ]
    boxes = []
    for x, y in placed(marks, (5, 4)):
        assert 0.5 <= x <= 4.5
        boxes.append((x - 0.5, y - 0.05, x + 0.5, y + 0.05))
        assert not any(
            boxes[-1][0] < a < boxes[-1][2] and boxes[-1][1] < b < boxes[-1][3]
            for a, b in (other.at for other in marks)
        )
    for at, one in enumerate(boxes):
        for other in boxes[:at]:
            apart = one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
            assert apart


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ((1, 1, 1), WHOLE),
        ((1, 1, 1), COUNTS),
        ((2, 1, 3), WHOLE),
        ((2, 2, 1), COUNTS),
        ((12, 2, 3), WHOLE | COUNTS),
    ],
)
def test_every_figure_can_be_read(rows, columns):
    """Also those that say that there is nothing to draw."""
    measures = measured(table(*rows), **columns)
    for _, figure in figures.FIGURES.values():
        with style.applied():
            fig = figure(measures, "A title")
        assert_legible(fig)


def test_a_table_without_environments_seeds_or_rates():
    rows = pd.DataFrame({"method": ["$x_1$"], "return": [1.0]})
    measures = sensitivity.measure(sensitivity.runs(rows, hyper=[], score="return"))
    for _, figure in figures.FIGURES.values():
        with style.applied():
            assert_legible(figure(measures))
    assert "More is better" in said(drawn(figures.performance, measures)[0])
    assert "Nothing to draw" in said(drawn(figures.cost, measures)[0])


def test_environments_without_a_common_seed():
    rows = table()
    rows = rows[(rows["environment"] == ENVIRONMENTS[0]) == (rows["seed"] == 0)]
    fig, axes = drawn(figures.performance, measured(rows, **(WHOLE | COUNTS)))
    assert "No sensitivity: no seed was run in every environment." in said(fig)
    assert len(axes) == 2


def test_files_of_what_there_is_and_the_same_bytes_again(tmp_path):
    measures = measured(table(environments=1), **WHOLE)
    paths = figures.render(measures, tmp_path / "one", "A title")
    names = [path.name for path in paths]
    kinds = ("performance", "budget", "shares")
    assert names == [f"{kind}.{suffix}" for kind in kinds for suffix in ("png", "svg", "pdf")]
    again = figures.render(measures, tmp_path / "two", "A title")
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
    assert "A title: what the best setting gains" in said(drawn(figures.performance, measures, "A title")[0])


def test_all_five_figures_where_all_is_known():
    assert [name for name, (has, _) in figures.FIGURES.items() if has(both())] == [
        *("performance", "budget", "cost", "shares", "ecdf")
    ]


def test_notes_of_the_table_are_in_each_figure():
    runs = both().runs.noting(["fig2: 3 of 900 cells not run"])
    measures = dataclasses.replace(both(), runs=runs)
    for _, figure in figures.FIGURES.values():
        assert "3 of 900 cells not run" in said(drawn(figure, measures)[0])
