"""Fonts for any script: those that are installed, in an order that does not change."""

import pytest
from matplotlib.figure import Figure

from harness.plots import fonts


@pytest.fixture
def installed(monkeypatch):
    """DejaVu and three made-up fonts."""
    has = {fonts.FAMILY: "abc", "Han": "漢字", "Kana": "かな", "Wide": "漢字か"}
    monkeypatch.setattr(fonts, "_installed", lambda: tuple(sorted(has)))
    monkeypatch.setattr(fonts, "_characters", lambda name: frozenset(map(ord, has[name])))


@pytest.mark.usefixtures("installed")
def test_as_few_families_as_cover_the_text():
    assert fonts.families("abc") == [fonts.FAMILY]
    assert fonts.families("a漢") == [fonts.FAMILY, "Han"]
    assert fonts.families("漢字かな") == [fonts.FAMILY, "Wide", "Kana"]
    assert fonts.families("☃漢") == [fonts.FAMILY, "Han"]


@pytest.mark.usefixtures("installed")
def test_what_no_font_has():
    assert fonts.lacking("abc漢") == ""
    assert fonts.lacking("a☃漢☃\u200d\n") == "☃"  # a joiner and a line break are not drawn


@pytest.mark.usefixtures("installed")
def test_a_text_gets_its_families_before_it_is_drawn():
    fig = Figure()
    plain, other = fig.text(0, 0, "abc"), fig.text(0, 0, "漢")
    before = plain.get_fontfamily()
    fonts.cover(fig)
    assert plain.get_fontfamily() == before
    assert other.get_fontfamily() == [fonts.FAMILY, "Han"]


@pytest.mark.usefixtures("installed")
def test_the_texts_of_axes():
    """And no ticks are made for them, which those that are not shown would never need."""
    fig = Figure()
    axes, off = fig.add_axes((0, 0, 1, 0.4)), fig.add_axes((0, 0.5, 1, 0.4))
    off.axis("off")
    axes.set_xticks([0.2, 0.6], ["abc", "漢"])
    axes.set_yticks([0.5], ["漢"], minor=True)
    axes.set(title="漢", xlabel="漢", ylabel="abc")
    axes.legend([axes.axhline(0)], ["漢"])
    fonts.cover(fig)
    both = [fonts.FAMILY, "Han"]
    texts = [*axes.get_xticklabels(), *axes.get_yticklabels(minor=True), axes.title]
    texts += [axes.xaxis.label, axes.yaxis.label, *axes.get_legend().get_texts()]
    assert [text.get_text() for text in texts if text.get_fontfamily() == both] == ["漢"] * 5
    assert [text.get_text() for text in texts if text.get_fontfamily() != both] == ["abc"] * 2
    assert len(off.xaxis.majorTicks) <= 1


def test_the_fonts_that_come_with_matplotlib():
    assert fonts.lacking("Ελληνικά, Кириллица, naïve, ≤ × β") == ""
    assert not any(name.startswith(fonts.LAST_RESORT) for name in fonts._installed())
    assert fonts.families("plain") == [fonts.FAMILY]
