"""Sweeps of what a plug-in brings: in Ray's workers, and after it has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
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


MORE = """
    columns = MAML.columns | {"twice": harness.Column(meaning="two inner rates")}

    def record(self, before, after):
        return (*super().record(before, after), 2 * before.alpha[:, 0])
"""


def test_records_without_the_columns_of_today_are_set_aside(tmp_path: Path) -> None:
    """No table can have them beside new ones."""
    path = write(tmp_path)
    run(request(tmp_path))
    path.write_text(path.read_text() + MORE)
    result, display = run(request(tmp_path))
    assert result.ran == 1
    assert (
        "its columns are those of another version of method mine; its cell is run again" in display.notes[-1]
    )


def test_what_cannot_be_trained_is_refused_before_anything_is(tmp_path: Path) -> None:
    write(tmp_path, METHOD + "    def step(self, *given): 1 / 0")

    def never(*arguments: object) -> None:
        raise AssertionError("nothing trains")

    with pytest.raises(UserError, match=r"^plug-in mine.py: method 'mine': line 9: ZeroDivisionError"):
        run(request(tmp_path), never)


IMAGES = """
import pathlib, numpy, harness

@harness.dataset("mine", train_characters=3, validation_characters=3, n_way=3)
def mine():
    images = numpy.load(pathlib.Path(__file__).parent / "images.npy")
    return {str(at): one for at, one in enumerate(images)}
"""


def test_other_images_of_the_same_plug_in_are_told(tmp_path: Path) -> None:
    write(tmp_path, IMAGES)
    asked = grid(tmp_path, method="maml")
    text = Path(asked).read_text().replace("{preset: sinusoid}", "{dataset: mine, filters: 2, meta_batch: 1}")
    Path(asked).write_text(text)
    told = []
    for seed in (0, 1):
        images = np.random.default_rng(seed).integers(0, 256, (6, 2, 4, 4), dtype=np.uint8)
        np.save(tmp_path / "images.npy", images)
        plugins.forget()  # as in another process
        result, display = run(Request(grid=grids.load(asked), results=tmp_path / "results", machine=MACHINE))
        told.append((result.ran, display.notes))
    note = "1 record was made by other versions of the images of data set mine: STALE=1 trains them again"
    assert told == [(1, []), (0, [note])]
