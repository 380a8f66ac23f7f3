"""The figure of claims x readings, read off its axes."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.plots import claims, style
from tests.plots.legible import assert_legible

VARIED = ("k_shot=5", "k_query=15", "meta_batch=8", "head_init=normal", "resize=nearest", "inner_steps=5")
READINGS = ("paper-adam", "paper-sgd", *VARIED, "any reading")
CLAIMS = {"C1": "MAML misses", "C2": "2 decades off: about as many words as fit here", "C15": "so"}
NOTE = "a note"


def made() -> pd.DataFrame:
    """Cells that go through all pairs of verdicts, with and without a weak form, and then not asked."""
    pairs = itertools.cycle([(None, None), *itertools.product(claims.LOOKS, [*claims.LOOKS, None])])
    rows = [
        {"claim": key, "sentence": short, "reading": name, "strict": strict, "weak": weak}
        for (key, short), name in itertools.product(CLAIMS.items(), READINGS)
        for strict, weak in [next(pairs)]
    ]
    return pd.DataFrame(rows, dtype=object)


@pytest.fixture(scope="module")
def verdicts() -> pd.DataFrame:
    return made()


@pytest.fixture(scope="module")
def drawn(verdicts: pd.DataFrame) -> Figure:
    with style.applied():
        fig = claims.draw(verdicts, [NOTE])
        fig.draw_without_rendering()
    return fig


def axes(fig: Figure, label: str):
    (found,) = (ax for ax in fig.axes if ax.get_label() == label)
    return found


def forms(ax) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """(column, row) -> colour and sign of each form, from left to right; no colour: not asked."""
    side = ax.get_xlim()[1] / len(READINGS)
    found: dict[tuple[int, int], list[tuple[str, str]]] = {}
    for patch in sorted((p for p in ax.patches if isinstance(p, Rectangle)), key=Rectangle.get_x):
        place = int(patch.get_x() / side + 1e-9), int(patch.get_y())
        left, right = patch.get_x(), patch.get_x() + patch.get_width()
        signs = [
            text.get_text()
            for text in ax.texts
            if left < text.get_position()[0] < right and int(text.get_position()[1]) == place[1]
        ]
        fill = to_hex(patch.get_facecolor(), keep_alpha=True)
        found.setdefault(place, []).append((fill, "".join(signs)))
    return found


def test_colour_and_sign_of_every_form(drawn: Figure, verdicts: pd.DataFrame) -> None:
    found = forms(axes(drawn, "matrix"))
    assert len(found) == len(verdicts)
    for place, (strict, weak) in enumerate(zip(verdicts["strict"], verdicts["weak"], strict=True)):
        row, column = divmod(place, len(READINGS))
        looks = [claims.LOOKS[form] for form in (strict, weak) if form]
        expected = [(to_hex(look.fill, keep_alpha=True), look.sign) for look in looks]
        if strict is None:
            expected = [("#00000000", "")]
        assert found[column, row] == expected


def test_a_weak_form_is_hardly_smaller_than_the_sentence_itself(drawn: Figure) -> None:
    ax = axes(drawn, "matrix")
    widths = [patch.get_width() for patch in ax.patches if to_hex(patch.get_facecolor(), True)[-2:] != "00"]
    assert min(widths) > 0.25  # inches
    sizes = {text.get_size() for text in ax.texts if text.get_position()[0] > 0}
    assert min(sizes) >= style.LABEL


def test_verdicts_are_told_apart_without_colour() -> None:
    assert len({look.sign for look in claims.LOOKS.values()}) == len(claims.LOOKS) == 3


def test_rows_are_the_sentences_and_columns_the_readings(drawn: Figure) -> None:
    ax = axes(drawn, "matrix")
    words = {text.get_text() for text in ax.texts}
    assert {*CLAIMS, *CLAIMS.values()} <= words
    heads = [text.get_text().replace("=\n", "=") for text in ax.get_xticklabels()]
    assert heads == list(READINGS)
    key = " ".join(text.get_text() for text in axes(drawn, "key").texts)
    for word in ("holds", "fails", "cannot be told", "not asked", NOTE):
        assert word in key


def test_nothing_is_outside_the_figure_and_no_sentence_runs_into_a_cell(drawn: Figure) -> None:
    page, ax = drawn.bbox, axes(drawn, "matrix")
    for text in [*drawn.texts, *ax.texts, *ax.get_xticklabels(), *axes(drawn, "key").texts]:
        box = text.get_window_extent()
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text
    names = [text.get_window_extent() for text in ax.texts if text.get_position()[0] < 0]
    assert all(box.x1 < ax.get_window_extent().x0 for box in names)
    heads = [text.get_window_extent() for text in drawn.texts]
    assert not any(
        box.count_overlaps(heads) for text in ax.get_xticklabels() for box in [text.get_window_extent()]
    )


LONG = "paper-adam, split_seed=9223372036854775807, validation_characters=12, head_init=normal"


@pytest.mark.parametrize("more", [[], [LONG], ["a=b, c=d", "x" * 60, "α = 5"]])
def test_headers_stand_level_above_their_columns(more: list[str]) -> None:
    names = [*READINGS[:3], *more]
    rows = [
        {"claim": "C1", "sentence": "so", "reading": n, "strict": "holds", "weak": "fails"} for n in names
    ]
    with style.applied():
        fig = claims.draw(pd.DataFrame(rows, dtype=object))
        fig.draw_without_rendering()
    ax = axes(fig, "matrix")
    matrix = ax.get_window_extent()
    side = matrix.width / len(names)
    for k, head in enumerate(ax.get_xticklabels()):
        box = head.get_window_extent()
        assert head.get_rotation() == 0
        assert "".join(head.get_text().split()) == "".join(names[k].split())
        assert matrix.x0 + k * side <= box.x0
        assert box.x1 <= matrix.x0 + (k + 1) * side
        assert box.y0 > matrix.y1
    assert_legible(fig)


def test_both_files_and_the_same_bytes_again(tmp_path: Path, verdicts: pd.DataFrame) -> None:
    first = {path: path.read_bytes() for path in claims.render(verdicts, [], tmp_path / "claims")}
    assert [path.name for path in first] == ["claims.png", "claims.svg", "claims.pdf"]
    assert first == {path: path.read_bytes() for path in claims.render(verdicts, [], tmp_path / "claims")}
