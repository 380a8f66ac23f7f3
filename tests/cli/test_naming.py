"""Cells are told apart by what varies among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import grids
from harness.cli.naming import names
from tests import swept
from tests.cli.conftest import cells


def test_what_varies_and_what_is_shared(tiny: str) -> None:
    first, second, alpha = cells(tiny)
    named = names([first, second, alpha])
    assert named.varying == ("method", "alpha0")
    assert named.numbers == {"alpha0"}
    assert named.shared == "beta0=0.001 alpha_hyperlr=0.1 beta_hyperlr=1e-05 seed=0"
    assert [named.of(cell) for cell in (first, second, alpha)] == [
        "maml alpha0=0.1",
        "maml alpha0=0.2",
        "alpha-maml alpha0=0.1",
    ]
    assert named.values(second) == ["maml", "0.2"]


def test_a_cell_without_a_value(tiny: str) -> None:
    fig2 = names(grids.load("fig2").cells([0, 1]))
    assert fig2.varying == ("method", "alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr", "seed")
    assert fig2.shared == ""
    maml = next(cell for cell in grids.load("fig2").cells() if cell.method == "maml")
    assert fig2.values(maml)[3:5] == ["", ""]
    assert fig2.of(maml) == maml.describe()


def test_readings_by_what_they_change() -> None:
    every = grids.load("readings").cells()
    named = names(every)
    assert named.varying[-1] == "reading"
    assert named.values(every[0])[-1] == "paper-adam"
    assert named.of(every[40]).endswith("  k_shot=5")


def test_one_cell_alone(tiny: str) -> None:
    (one, *_) = cells(tiny)
    assert names([one]).of(one) == one.describe_point()


def test_choices_and_flags_are_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept.bring_typed(monkeypatch)
    every = swept.grid_of(tmp_path, swept.TYPED).cells()
    named = names(every)
    assert named.varying == ("alpha0", "rule", "msl", "steps")
    assert named.numbers == {"alpha0", "steps"}
    assert named.of(every[-1]) == "alpha0=0.1 rule=update msl=true steps=10"
