"""Sweeps of what a plug-in brings: in Ray's workers, and after it has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import grids
from harness.common import plugins
from harness.common.errors import UserError
from harness.methods import METHODS
from harness.records import tables
from harness.records.store import Store
from harness.sweeping import supervisor
from harness.sweeping.sweep import Request
from tests.common.test_plugins import METHOD, grid, write
from tests.sweeping.tiny import MACHINE, run


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget()


def request(folder: Path, **more: object) -> Request:
    return Request(grid=grids.load(grid(folder)), results=folder / "results", machine=MACHINE, **more)


@pytest.mark.ray
def test_rays_workers_have_a_plug_in_whose_file_is_gone(tmp_path: Path) -> None:
    path = write(tmp_path)
    asked = request(tmp_path)
    path.unlink()
    result, _ = run(asked, supervisor.run)
    assert (result.ran, result.failed) == (1, {})
    (header,) = Store(asked.results).scan().headers.values()
    assert header.provenance["plugins"] == {"method mine": plugins.digest(METHODS.module("mine"))}


def test_a_changed_plug_in_is_told_and_trained_again_on_request(tmp_path: Path) -> None:
    path = write(tmp_path)
    run(request(tmp_path))
    path.write_text(path.read_text() + "# changed\n")
    result, display = run(request(tmp_path))
    assert (result.ran, result.left) == (0, 0)
    assert display.notes == ["1 record was made by other versions of method mine: STALE=1 trains them again"]
    result, display = run(request(tmp_path, stale=True))
    assert (result.ran, result.left, display.notes) == (1, 0, [])
    asked = request(tmp_path, stale=True)
    result, display = run(asked)
    assert (result.ran, display.notes) == (0, [])
    (told,) = tables.read(asked.folder).trials["plugins"]
    assert json.loads(told) == {"method mine": plugins.digest(METHODS.module("mine"))}


def test_what_cannot_be_trained_is_refused_before_anything_is(tmp_path: Path) -> None:
    write(tmp_path, METHOD + "    def step(self, *given): 1 / 0")

    def never(*arguments: object) -> None:
        raise AssertionError("nothing trains")

    with pytest.raises(UserError, match=r"^plug-in mine.py: method 'mine': line 9: ZeroDivisionError"):
        run(request(tmp_path), never)
