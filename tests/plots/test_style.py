"""The style, applied and taken off."""

import matplotlib as mpl

from harness.plots import style


def test_the_style_is_only_applied_inside():
    before = dict(mpl.rcParams)
    with style.applied():
        assert mpl.rcParams["svg.hashsalt"] == "harness"
    assert dict(mpl.rcParams) == before
