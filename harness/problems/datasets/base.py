"""What a data set is, and the cache that keeps it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.common import places
from harness.common.files import write_whole
from harness.common.registry import Registry

Contents = tuple[np.ndarray, tuple[str, ...]]
"""Images, uint8 [characters, drawers, 28, 28] with 255 = ink, and the characters' names."""


CHARACTERS, DRAWERS = 1623, 20
"""Omniglot's characters, and drawings of each; the glyphs stand in for it and have as many."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images by class."""

    name: str
    images: np.ndarray
    """uint8 (or float32, used as they are) [classes, images, height, width], or with channels as a fifth
    axis, read-only. 255 = ink. A class with fewer images than `images` is filled up with zeros that are never
    used."""
    characters: tuple[str, ...]
    """The classes' names, such as `Alphabet_of_the_Magi/character01` or `U+0041 A`."""
    sha256: str
    """Of images.tobytes(), or of the images, shapes and names of a user's own: goes into a record's
    provenance."""
    counts: NDArray[np.int64] | None = None
    """[classes] images of each; None: all have as many."""
    split: tuple[int, int] | None = None
    """How many of the first classes may train, and how many after them may be held out; None: any,
    `split_seed` chooses."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        height, width, *channels = self.images.shape[2:]
        return (*(channels or [1]), height, width)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """[classes] How many images each has."""
        return np.full(*self.images.shape[:2]) if self.counts is None else self.counts


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A data set by its name."""

    name: str
    load: Callable[[str], Dataset]
    """Of `resize`."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the protocol that it wants otherwise by default: `{"train_characters": 12}`."""
    classes: int | None = None
    images: int | None = None
    """How many classes, and images of each; None: not known before it is loaded."""


DATASETS: Registry[Source] = Registry("data set")


def cached(name: str, key: str, build: Callable[[], Contents]) -> Dataset:
    """The data set `name` as `build` makes it, kept in <data>/cache/<key>.npy and .json.

    A cache that is damaged, or whose digest is not the one beside it, is built again and replaced. Where
    nothing can be written, the data set is built each time. Errors from `build` are passed on.
    """
    folder = places.data() / "cache"
    dataset = _read(name, folder / key)
    if dataset is None:
        images, characters = build()
        dataset = _dataset(name, images, characters)
        with contextlib.suppress(OSError):  # a read-only or full disk costs time, not the run
            _write(dataset, folder / key)
    return dataset


def _dataset(name: str, images: np.ndarray, characters: tuple[str, ...]) -> Dataset:
    images = np.ascontiguousarray(images)
    images.flags.writeable = False
    digest = hashlib.sha256(images.data).hexdigest()
    return Dataset(name=name, images=images, characters=characters, sha256=digest)


def _read(name: str, stem: Path) -> Dataset | None:
    """The cached data set; None if it is missing or damaged."""
    try:
        beside = json.loads(_with(stem, "json").read_text("utf-8"))
        dataset = _dataset(name, np.load(_with(stem, "npy"), allow_pickle=False), tuple(beside["characters"]))
        return dataset if dataset.sha256 == beside["sha256"] else None
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


def _write(dataset: Dataset, stem: Path) -> None:
    """Each file whole or not at all. Two processes that write at the same time write the same."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    beside = json.dumps({"sha256": dataset.sha256, "characters": dataset.characters})
    write_whole(_with(stem, "npy"), lambda path: _save(path, dataset.images))
    write_whole(_with(stem, "json"), lambda path: path.write_text(beside, "utf-8"))


def _save(path: Path, images: np.ndarray) -> None:
    with path.open("wb") as file:  # given a path, numpy would add a suffix
        np.save(file, images)


def _with(stem: Path, suffix: str) -> Path:
    return stem.with_name(f"{stem.name}.{suffix}")  # not with_suffix: a key contains dots
