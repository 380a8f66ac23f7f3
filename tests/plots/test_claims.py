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


def test_colour_and_sign_of_every_cell(drawn: Figure, verdicts: pd.DataFrame) -> None:
    ax = axes(drawn, "matrix")
    large = {
        (int(p.get_x()), int(p.get_y())): to_hex(p.get_facecolor(), keep_alpha=True)
        for p in ax.patches
        if isinstance(p, Rectangle) and p.get_width() == 1
    }
    signs = {}
    for text in ax.texts:
        x, y = text.get_position()
        if x > 0:
            signs.setdefault((int(x), int(y)), []).append(text.get_text())
    assert len(large) == len(verdicts)
    for place, (strict, weak) in enumerate(zip(verdicts["strict"], verdicts["weak"], strict=True)):
        row, column = divmod(place, len(READINGS))
        if strict is None:
            assert large[column, row].endswith("00")  # no fill
            assert (column, row) not in signs
            continue
        assert signs[column, row] == [claims.LOOKS[form].sign for form in (strict, weak) if form]
        assert large[column, row] == to_hex(claims.LOOKS[strict].fill, keep_alpha=True)


def test_verdicts_are_told_apart_without_colour() -> None:
    assert len({look.sign for look in claims.LOOKS.values()}) == len(claims.LOOKS) == 3


def test_rows_are_the_sentences_and_columns_the_readings(drawn: Figure) -> None:
    ax = axes(drawn, "matrix")
    words = {text.get_text() for text in ax.texts}
    assert {*CLAIMS, *CLAIMS.values()} <= words
    heads = [text.get_text() for text in ax.get_xticklabels()]
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


def test_both_files_and_the_same_bytes_again(tmp_path: Path, verdicts: pd.DataFrame) -> None:
    first = {path: path.read_bytes() for path in claims.render(verdicts, [], tmp_path / "claims")}
    assert [path.name for path in first] == ["claims.png", "claims.svg", "claims.pdf"]
    assert first == {path: path.read_bytes() for path in claims.render(verdicts, [], tmp_path / "claims")}
