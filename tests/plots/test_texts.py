"""Numbers and words as the figures write them."""

import pytest

from harness.plots import texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-3, "$10^{-3}$"),
        (1.0, "$10^{0}$"),
        (100, "$10^{2}$"),
        (0.3, "0.3"),
        (3e-5, r"$3\times 10^{-5}$"),
        (0, "0"),
        (-0.01, "$-10^{-2}$"),
        (1e-3 * 0.1 * 1e-4, "$10^{-8}$"),  # 1.0000000000000002e-08
    ],
)
def test_number(value, text):
    assert texts.number(value) == text


@pytest.mark.parametrize(
    ("hyper_parameter", "text"),
    [
        ("alpha0", r"$\alpha_0$"),
        ("beta_hyperlr", r"$\beta_{\mathrm{hyperlr}}$"),
        ("gamma", r"$\gamma$"),
        ("momentum", "momentum"),
        ("alphabet", "alphabet"),
        ("beta_two_words", "beta_two_words"),
    ],
)
def test_symbols_of_hyper_parameters(hyper_parameter, text):
    assert texts.name(hyper_parameter) == text


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
