"""Functions of the page's scripts, by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.report.page import FILES
from tests.report.scripts import run

BY_HAND: list[tuple[list[Any], Any]] = [
    (["text", "written", 1e-3], "10⁻³"),
    (["text", "written", -1e-5], "−10⁻⁵"),
    (["text", "written", 10], "10"),
    (["text", "written", 0.0031622776601683794], "0.003162"),
    (["text", "written", 3e-5], "3×10⁻⁵"),
    (["text", "written", 0], "0"),
    (["text", "written", True], "true"),
    (["text", "short", 2.4567891], "2.457"),
    (["text", "short", -0.5], "−0.5"),
    (["text", "short", 1.25e9, 3], "1.25×10⁹"),
    (["text", "short", 2e-7], "2×10⁻⁷"),
    (["text", "short", "nan"], ""),
    (["text", "short", "inf"], "∞"),
    (["text", "counted", 60], "60"),
    (["text", "counted", 60.5], "60.5"),
    (["text", "percent", 0.357], "36 %"),
    (["passages", "median", []], "nan"),
    (["passages", "median", [3, 1, 2]], 2),
    (["passages", "median", [4, 1, 2, 3]], 2.5),
    (["colours", "viridis", 0], [68, 1, 84]),
    (["colours", "viridis", 1], [253, 231, 37]),
    (["colours", "viridis", 1 / 30], [70, 14, 96]),
    (["colours", "ink", [68, 1, 84]], "#fff"),
    (["colours", "ink", [253, 231, 37]], "#000"),
    (["colours", "place", 10, {"low": 1, "high": 100, "log": True}], 0.5),
    (["colours", "place", 10, {"low": 0, "high": 100, "log": False}], 0.1),
    (["colours", "place", 3, {"low": 3, "high": 3, "log": False}], 0.5),
    (["cells", "field", 'say "a", b'], '"say ""a"", b"'),
    (["cells", "field", 0.1], "0.1"),
    (["cells", "field", "nan"], ""),
    (["cells", "field", "-inf"], "-inf"),
    (["axes", "span", [{"y": [1, 10]}], [], True], [10**-0.04, 10**1.04]),
    (["axes", "span", [{"y": [1, 3]}], [{"value": 6, "text": ""}], False], [0.8, 6.2]),
    (["axes", "span", [{"y": [1e-200, 1e300]}], [], True], [1e-220, 1e308]),
    (["axes", "span", [{"y": [*[1] * 50, *[2] * 48, 3, 900]}], [], False], [0.948, 2.352]),
    (["axes", "decades", 0.01, 10, 7, 1], [0.01, 0.03, 0.1, 0.3, 1, 3, 10]),
    (["axes", "decades", 1e-8, 1, 5, 1], [1e-7, 1e-5, 1e-3, 1e-1]),
    (["axes", "decades", 2.4, 3.0, 7, 1], [2.4, 2.5, 2.6, 2.7, 2.8, 2.9, 3]),
    (["axes", "decades", -5, 20, 7, 0.5], [-5, -2, -1, 0, 1, 3, 10]),
    (["axes", "decades", -0.001, 0.002, 7, 0.01], [-0.001, -0.0005, 0, 0.0005, 0.001, 0.0015, 0.002]),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    made: list[Any] = run("pure.js", [call for call, _ in BY_HAND], tmp_path_factory.mktemp("deno"))
    return made


@pytest.mark.parametrize("at", range(len(BY_HAND)))
def test_by_hand(found: list[Any], at: int) -> None:
    expected = BY_HAND[at][1]
    assert found[at] == (pytest.approx(expected) if isinstance(expected, float | list) else expected)


def test_ticks_end_whatever_the_axis(tmp_path: Path) -> None:
    """The library's own do not, where an axis begins elsewhere than at a decade."""
    odd = [(1e-300, 1e300), (3e-7, 20), (7, 7.0001), (1e-25, 20), (-1e30, 1e30), (0, 5e-324)]
    for ticks in run("pure.js", [["axes", "decades", low, high, 7, 1e-9] for low, high in odd], tmp_path):
        assert len(ticks) <= 16


@pytest.mark.parametrize(("paper", "of"), [("#ffffff", "light"), ("#14171b", "dark")])
def test_lines_stand_out_from_the_page(paper: str, of: str) -> None:
    """By 3 to 1, as WCAG 2 asks of graphics."""
    text = (FILES / "colours.js").read_text("utf-8")
    colours = re.findall(r"#[0-9a-f]{6}", re.findall(rf"{of}: \[(.*?)\]", text)[0])
    assert len({*colours}) == 6
    assert f"--paper: {paper}" in (FILES / "page.css").read_text("utf-8")
    for colour in colours:
        low, high = sorted((luminance(colour), luminance(paper)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
