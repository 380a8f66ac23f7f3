from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from harness.report.squares import Panel, panels

HEATMAP = {"kind": "heatmap", "x": "beta_hyperlr", "y": "alpha_hyperlr", "panels": ["alpha0"]}
LOSSES = {"kind": "losses"}


def settings(rows: list[dict[str, Any]], protocols: tuple[str, ...] = ("{}",)) -> pd.DataFrame:
    frame = pd.DataFrame(
        [{"preset": "p", "changes": changes, **row} for changes in protocols for row in rows]
    )
    return frame[
        [
            "method",
            *(name for name in frame if name not in ("method", "preset", "changes")),
            "preset",
            "changes",
        ]
    ]


def maml(alpha0: float) -> dict[str, Any]:
    return {"method": "maml", "alpha0": alpha0}


def alpha_maml(alpha0: float, up: float, right: float) -> dict[str, Any]:
    return {"method": "alpha-maml", "alpha0": alpha0, "alpha_hyperlr": up, "beta_hyperlr": right}


def positions(found: list[Panel]) -> list[int]:
    return sorted(
        {at for panel in found for *_, at in (*panel.squares, *((None, one) for one in panel.beside))}
    )


def test_a_heatmap_has_its_own_axes_and_what_lacks_them_beside() -> None:
    cells = [maml(0.1), maml(0.01)]
    cells += [alpha_maml(a, u, r) for a, u, r in itertools.product((0.1, 0.01), (1.0, 10.0), (1e-6, 1e-5))]
    found = panels(settings(cells), HEATMAP)
    assert [(one.method, one.shared, one.beside) for one in found] == [
        ("alpha-maml", {"alpha0": 0.1}, (0,)),
        ("alpha-maml", {"alpha0": 0.01}, (1,)),
    ]
    assert (found[0].x, found[0].y) == ("beta_hyperlr", "alpha_hyperlr")
    assert found[0].squares == ((1e-6, 1.0, 2), (1e-5, 1.0, 3), (1e-6, 10.0, 4), (1e-5, 10.0, 5))


def test_what_no_panel_shares_a_setting_with_has_a_panel_of_its_own() -> None:
    found = panels(settings([maml(0.1), maml(7.0), alpha_maml(0.1, 1.0, 1e-6)]), HEATMAP)
    assert [(one.method, one.x, one.y, len(one.squares), one.beside) for one in found] == [
        ("alpha-maml", "beta_hyperlr", "alpha_hyperlr", 1, ()),
        ("maml", "alpha0", None, 2, ()),
    ]


def test_a_protocol_has_panels_of_its_own() -> None:
    found = panels(settings([maml(0.1), alpha_maml(0.1, 1.0, 1e-6)], ("{}", '{"k_shot": 5}')), HEATMAP)
    assert [(one.protocol[1], one.beside) for one in found] == [("{}", (0,)), ('{"k_shot": 5}', (2,))]


def test_the_axes_of_a_full_grid_are_the_longest() -> None:
    cells = [
        alpha_maml(a, u, r) for a, u, r in itertools.product((1.0, 2.0, 3.0), (1.0, 2.0), (1e-6, 1e-5, 1e-4))
    ]
    found = panels(settings(cells), LOSSES)
    assert [(one.y, one.x, one.shared, len(one.squares)) for one in found] == [
        ("alpha0", "beta_hyperlr", {"alpha_hyperlr": 1.0}, 9),
        ("alpha0", "beta_hyperlr", {"alpha_hyperlr": 2.0}, 9),
    ]


def test_words_and_flags_make_panels_and_never_axes() -> None:
    cells = [
        {"method": "own", "rate": rate, "rule": rule, "clip": clip}
        for rate, rule, clip in itertools.product((1.0, 2.0), ("raw", "log"), (True, False))
    ]
    found = panels(settings(cells), LOSSES)
    assert {(one.x, one.y) for one in found} == {("rate", None)}
    assert [one.shared for one in found][:2] == [
        {"rule": "raw", "clip": True},
        {"rule": "raw", "clip": False},
    ]


def test_a_single_setting_is_a_single_square() -> None:
    (one,) = panels(settings([maml(0.1)]), LOSSES)
    assert (one.x, one.y, one.shared, one.squares) == (None, None, {}, ((None, None, 0),))


def test_every_setting_stands_somewhere() -> None:
    rng = np.random.default_rng(5)
    cells = [maml(a) for a in (0.1, 1.0)]
    cells += [alpha_maml(*(10.0 ** rng.integers(-2, 2, 3))) for _ in range(40)]
    frame = settings(cells).drop_duplicates(ignore_index=True)
    for figure in (HEATMAP, LOSSES):
        assert positions(panels(frame, figure)) == [*range(len(frame))]
