"""What stands above a figure."""

import pytest

from harness.plots.heading import seeds_text


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([3], "seed 3"), ([1, 0], "seeds 0, 1"), ([0, 1, 2], "seeds 0 to 2"), ([0, 2, 5], "seeds 0, 2, 5")],
)
def test_seeds(seeds, text):
    assert seeds_text(seeds) == text


def test_many_seeds_with_gaps_are_counted():
    assert seeds_text(range(0, 200, 2)) == "100 seeds between 0 and 198"
