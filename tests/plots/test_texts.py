"""Numbers and words as the figures write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from harness.plots import style, texts


def test_a_symbol_takes_the_room_that_it_is_drawn_in():
    """The name has 13 letters and is drawn about six wide."""
    text = "Untuned rates, alpha_hyperlr varied"
    assert texts.wrapped(text, 2.15, 8.5) == r"Untuned rates, $\alpha_{\mathrm{hyperlr}}$ varied"
    assert texts.wrapped("beta_rule=raw", 5, 10) == "beta_rule=raw"  # no hyper-parameter


def test_wrapped_text_fits_and_a_dollar_starts_no_formula():
    lines = texts.wrapped("word " * 40 + "x" * 200, 3, 10).split("\n")
    assert max(map(len, lines)) <= 38
    assert texts.wrapped("costs $1 or $2", 5, 10) == r"costs \$1 or \$2"
    assert texts.wrapped("beta0 varied", 5, 10) == r"$\beta_0$ varied"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0004e-3, "0.0010004"),
        (1.5e-4, r"$1.5\times 10^{-4}$"),
        (1 / 3, "0.333333"),
        (12345.678, r"$1.23457\times 10^{4}$"),
        (7, "7"),
        (-0.25, "-0.25"),
        (1e-300, "$10^{-300}$"),
        (5e-324, r"$5\times 10^{-324}$"),
    ],
)
def test_a_number_of_six_digits(value, text):
    assert texts.number(value) == text


def test_no_two_values_look_alike():
    """Six digits where they are enough, all where they are not; the others do not get longer."""
    values = [1e-3, 1.0004e-3, 1.0000001e-3, 0.1 + 0.2, 0.3, 1 / 3, 1e-8]
    assert list(texts.numbers(values).values()) == [
        "$10^{-3}$",
        "0.0010004",
        "0.0010000001",
        "0.30000000000000004",
        "0.3",
        "0.333333",
        "$10^{-8}$",
    ]


def test_wide_letters_get_lines_of_their_own():
    """In a title the letters W are twice as wide as the mean letter."""
    for text in ("W" * 60, "漢" * 60, "W W W " * 20):
        lines = texts.wrapped(text, 3, 10, bold=True).split("\n")
        assert max(texts.size(line, 10, bold=True)[0] for line in lines) <= 3
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        (
            r"\beta0 and beta0",
            r"\beta0 and $\beta_0$",
        ),  # a backslash escapes a symbol's dollar
        (r"a\$b", r"a\\$b"),
        ("漢 beta0", "漢 beta0"),  # matplotlib has no fonts for this beside a formula
        ("עברית beta0", "עברית beta0"),
    ],
)
def test_where_a_symbol_would_break_a_title_the_name_stays(text, drawn):
    assert texts.wrapped(text, 5, 10) == drawn


def test_texts_flow_into_lines_that_fit():
    assert texts.flow(["one", "two", "three"], 5, 8) == "one, two, three"
    assert texts.flow(["one", "two", "three"], 5, 8, most=2) == "one, two\nthree"
    assert texts.flow(["one", "two", "three"], 0.5, 8) == "one, two\nthree"
    assert texts.flow(["a long text", "b"], 0.1, 8) == "a long text\nb"


def test_labels_in_a_line_leave_out_what_would_overlap():
    assert texts.spaced({0.0: "1", 1.0: "2", 2.0: "3"}, 8) == [0.0, 1.0, 2.0]
    assert texts.spaced({0.0: "1", 1.9: "2000", 2.0: "3000"}, 8) == [0.0, 2.0]


def test_one_iteration():
    assert [texts.iterations(count) for count in (1, 500)] == ["1 iteration", "500 iterations"]


@settings(deadline=None, max_examples=60)
@given(st.text("$\\{}^_%&<>#~ ab", min_size=1, max_size=12))
def test_any_text_is_drawn_as_it_is(text):
    """As wide as without formulas; and beside a symbol as wide as both."""
    with style.applied():
        fig = Figure(dpi=style.DPI)
        plain = fig.text(0, 0, text, size=10, parse_math=False).get_window_extent().width / style.DPI
    assert texts.size(texts.literal(text), 10)[0] == pytest.approx(plain, abs=1e-6)
    alone, both = (texts.wrapped(f"{text}.{more}", 50, 10) for more in ("", "beta0"))
    wide, wider, symbol = (texts.size(one, 10)[0] for one in (alone, both, r"$\beta_0$"))
    assert wider - wide == pytest.approx(symbol, abs=0.05)
