"""The room's front door: names, the cache, the facts."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from harness.common.errors import UserError
from harness.problems import datasets
from harness.problems.datasets import base


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    return tmp_path / "cache"


class Builder:
    """Counts its calls; gives a tiny data set."""

    images = np.arange(2 * 3 * 28 * 28, dtype=np.uint8).reshape(2, 3, 28, 28)
    calls = 0

    def __call__(self):
        self.calls += 1
        return self.images.copy(), ("A/character01", "B/character01")


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UserError, match=r"'omniglt' is unknown: did you mean omniglot\?"):
        datasets.load("omniglt")


def test_what_was_built_is_read_from_the_cache(place):
    build = Builder()
    first = base.cached("tiny", "tiny-v1.0", build)
    second = base.cached("tiny", "tiny-v1.0", build)
    assert build.calls == 1
    for dataset in (first, second):
        assert np.array_equal(dataset.images, Builder.images)
        assert dataset.characters == ("A/character01", "B/character01")
        assert dataset.sha256 == hashlib.sha256(Builder.images.tobytes()).hexdigest()
        with pytest.raises(ValueError, match="read-only"):
            dataset.images[0] = 0
    assert sorted(file.name for file in place.iterdir()) == ["tiny-v1.0.json", "tiny-v1.0.npy"]


def _cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def _change_a_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", ["npy", "json"])
@pytest.mark.parametrize(
    "damage", [_cut, _change_a_byte, lambda path: path.write_bytes(b""), lambda p: p.unlink()]
)
def test_a_torn_cache_is_built_again(place, suffix, damage):
    build = Builder()
    base.cached("tiny", "tiny", build)
    damage(place / f"tiny.{suffix}")
    again = base.cached("tiny", "tiny", build)
    assert build.calls == 2
    assert np.array_equal(again.images, Builder.images)
    base.cached("tiny", "tiny", build)
    assert build.calls == 2  # the cache was mended


def test_where_nothing_can_be_written_it_is_built_each_time(place):
    place.write_text("a file where the folder would be")
    assert np.array_equal(base.cached("tiny", "tiny", Builder()).images, Builder.images)


def test_the_error_of_a_build_leaves_no_cache(place):
    def build():
        raise UserError("no data")

    with pytest.raises(UserError, match="no data"):
        base.cached("tiny", "tiny", build)
    assert not place.exists()


def test_facts():
    images = np.zeros((2, 3, 28, 28), np.uint8)
    images[0] = 255
    told = datasets.facts(
        base.Dataset(name="tiny", images=images, characters=("A/character01", "B/character01"), sha256="abc")
    )
    assert told == {
        "name": "tiny",
        "characters": 2,
        "drawers": 3,
        "alphabets": 2,
        "pixels": "28 x 28",
        "bytes": 2 * 3 * 28 * 28,
        "ink_share": 0.5,
        "sha256": "abc",
    }


def test_the_room_is_light_to_enter():
    heavy = {"torch", "torchvision", "matplotlib"}
    code = f"import sys, harness.problems.datasets; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
