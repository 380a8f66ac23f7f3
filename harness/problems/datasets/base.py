"""What a data set is, and the cache that keeps it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.common import places
from harness.common.files import write_whole

Contents = tuple[np.ndarray, tuple[str, ...]]
"""Images, uint8 [characters, drawers, 28, 28] with 255 = ink, and the characters' names."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    name: str
    images: np.ndarray
    """uint8 [1623 characters, 20 drawers, 28, 28], 255 = ink, read-only."""
    characters: tuple[str, ...]
    """1,623 names such as `Alphabet_of_the_Magi/character01` or `U+0041 A`."""
    sha256: str
    """Of images.tobytes(): goes into a record's provenance."""


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
