"""Numbers and words as figures write them."""

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


def test_wrapped_text_fits_and_a_dollar_is_no_formula():
    lines = style.wrapped("word " * 40 + "x" * 200, 3, 10).split("\n")
    assert max(map(len, lines)) <= 38
    assert style.wrapped("costs $1 or $2", 5, 10) == r"costs \$1 or \$2"
    assert style.wrapped("beta0 varied", 5, 10) == r"$\beta_0$ varied"


def test_the_style_is_only_applied_inside():
    before = dict(mpl.rcParams)
    with style.applied():
        assert mpl.rcParams["svg.hashsalt"] == "harness"
    assert dict(mpl.rcParams) == before
