"""A command as it is typed here, and what only a checkout can do."""

from __future__ import annotations

import pytest

from harness.common import places
from harness.common.errors import UserError


def test_in_a_checkout_commands_are_typed_by_make() -> None:
    assert places.typed("sweep") == "make sweep"
    assert places.typed("plot", "fig2") == "make plots GRID=fig2"
    assert places.checkout("publish") == places.ROOT


def test_an_installed_package_has_no_make_and_keeps_its_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CHECKOUT", None)
    assert places.typed("sweep", "fig2") == "harness sweep fig2"
    assert places.typed("plot") == "harness plot"
    with pytest.raises(UserError, match="publish: works only in a checkout of the repository"):
        places.checkout("publish")
