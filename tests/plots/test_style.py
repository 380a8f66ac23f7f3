"""Numbers and words as the figures write them."""

import matplotlib as mpl
import pytest

from harness.plots import style


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
    assert style.number(value) == text


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([3], "seed 3"), ([1, 0], "seeds 0, 1"), ([0, 1, 2], "seeds 0 to 2"), ([0, 2, 5], "seeds 0, 2, 5")],
)
def test_seeds(seeds, text):
    assert style.seeds_text(seeds) == text


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
    assert style.name(hyper_parameter) == text


def test_a_symbol_takes_the_room_that_it_is_drawn_in():
    """The name has 13 letters and is drawn about six wide."""
    text = "Untuned rates, alpha_hyperlr varied"
    assert style.wrapped(text, 2.15, 8.5) == r"Untuned rates, $\alpha_{\mathrm{hyperlr}}$ varied"
    assert style.wrapped("beta_rule=raw", 5, 10) == "beta_rule=raw"  # no hyper-parameter


def test_wrapped_text_fits_and_a_dollar_starts_no_formula():
    lines = style.wrapped("word " * 40 + "x" * 200, 3, 10).split("\n")
    assert max(map(len, lines)) <= 38
    assert style.wrapped("costs $1 or $2", 5, 10) == r"costs \$1 or \$2"
    assert style.wrapped("beta0 varied", 5, 10) == r"$\beta_0$ varied"


def test_the_style_is_only_applied_inside():
    before = dict(mpl.rcParams)
    with style.applied():
        assert mpl.rcParams["svg.hashsalt"] == "harness"
    assert dict(mpl.rcParams) == before
