"""The data sets by name: Omniglot, the glyphs, and those of a user's own.

Nothing in this room needs torch, except `omniglot.fetch`.
"""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from functools import lru_cache

from harness.common import plugins
from harness.common.errors import UserError
from harness.problems.datasets import glyphs, omniglot
from harness.problems.datasets.base import CHARACTERS, DATASETS, DRAWERS, Dataset, Source

for _name, _module in (("omniglot", omniglot), ("glyphs", glyphs)):
    _source = Source(name=_name, load=_module.load, classes=CHARACTERS, images=DRAWERS)
    DATASETS.add(_name, _source, _module.__name__)

__all__ = ["DATASETS", "Dataset", "facts", "load"]


def load(name: str, resize: str = "lanczos") -> Dataset:
    """A data set by its name in DATASETS; made once, then cached in the process. With a valid cache on
    the disk that takes about 0.1 s.

    `resize` is how Omniglot goes from 105 to 28 pixels, `lanczos` or `nearest`; the others ignore it.
    UserError: no such name or resize, no data, or damaged data.
    """
    if name not in DATASETS:
        known = DATASETS.known()
        near = get_close_matches(name, known, n=1, cutoff=0)
        raise UserError(f"dataset '{name}' is unknown: did you mean {near[0]}? (all: {', '.join(known)})")
    return _load(DATASETS[name], resize)


@lru_cache(maxsize=4)
def _load(source: Source, resize: str) -> Dataset:
    """Of a source, not of a name, which a notebook may give to another function."""
    data = source.load(resize)
    if source.classes is None:  # of a user's own
        _digests[source.name] = data.sha256
    return data


plugins.when_forgotten(lambda _: _load.cache_clear())


def digest_if_loaded(name: str) -> str | None:
    """The digest of the images of a user's own data set; None: this process has not loaded it."""
    return _digests.get(name)


_digests: dict[str, str] = {}


def facts(dataset: Dataset) -> dict[str, str | int | float]:
    """What a person wants to know about a data set. `ink_share` is the mean of the images over 255; a glyph's
    alphabet is the first word of its character's Unicode name."""
    channels, height, width = dataset.shape
    if dataset.counts is not None:
        least, most = int(dataset.counts.min()), int(dataset.counts.max())
        images = int(dataset.counts.sum())
        return {
            "name": dataset.name,
            "classes": len(dataset.characters),
            "images": images,
            "images_per_class": str(most) if least == most else f"{least}-{most}",
            "pixels": f"{height} x {width}",
            "channels": channels,
            "type": dataset.images.dtype.name,
            "bytes": images * dataset.images[0, 0].nbytes,
            "sha256": dataset.sha256,
        }
    alphabets = [_alphabet(character) for character in dataset.characters]
    counts: dict[str, str | int | float] = {"alphabets": len(set(alphabets))}
    if dataset.name == "omniglot":
        background = omniglot.PARTS[0].characters
        counts |= {
            "alphabets_background": len(set(alphabets[:background])),
            "alphabets_evaluation": len(set(alphabets[background:])),
        }
    characters, drawers = dataset.images.shape[:2]
    return {
        "name": dataset.name,
        "characters": characters,
        "drawers": drawers,
        **counts,
        "pixels": f"{height} x {width}",
        "bytes": dataset.images.nbytes,
        "ink_share": round(float(dataset.images.mean()) / 255, 4),
        "sha256": dataset.sha256,
    }


def _alphabet(character: str) -> str:
    """`Greek/character01` -> `Greek`; `U+0041 A` -> `latin`."""
    if character.startswith("U+"):
        return unicodedata.name(character[-1], "unnamed").split()[0].lower()
    return character.split("/")[0]
