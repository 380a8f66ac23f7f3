"""Omniglot (Lake, Salakhutdinov and Tenenbaum 2015): read from zips or folders, verified, resized."""

from __future__ import annotations

import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from harness.common import places
from harness.common.errors import UserError
from harness.problems.datasets.base import DRAWERS, Contents, Dataset, cached

SIDE = 105
"""Pixels, before the resize."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A half of Omniglot: a zip or a folder, with files <name>/<alphabet>/<character>/<file>.png."""

    name: str
    characters: int
    sha256: str
    """Over numpy.packbits of each image, flattened, True = paper, in sorted path order."""


PARTS = (
    Part(
        name="images_background",
        characters=964,
        sha256="0c9dd3e690771a96b7005791e921146797608178e3c6ee5ba6e82cc98a57121e",
    ),
    Part(
        name="images_evaluation",
        characters=659,
        sha256="9981879aa1d6238ebf877b6a048c375fec76cf8ab66b261d4edca5c50a8c9e32",
    ),
)

_IMAGE = re.compile(r"[^./][^/]*/character\d+/\d+_\d+\.png", re.IGNORECASE)
"""Anything else in a folder or zip is somebody's own, or left by a system: `.DS_Store`, `._0001_01.png`."""

_INSTEAD = "or set OMNIGLOT_ROOT to the folder that holds it, or use DATASET=glyphs"


def load(resize: str) -> Dataset:
    """Omniglot at 28 x 28, background before evaluation, each in sorted path order.

    `resize`: `lanczos` (on grey levels) or `nearest` (binary: what Pillow makes of any resize of the
    files' mode "1", so what the original MAML saw). UserError: another resize, no data, damaged data.
    """
    if resize not in RESIZES:
        raise UserError(f"resize '{resize}' is unknown: it is one of {', '.join(RESIZES)}")

    def build() -> Contents:
        sources = [find(part) for part in PARTS]  # both, before the long work on either
        drawn = [read(part, source) for part, source in zip(PARTS, sources, strict=True)]
        images = np.concatenate([RESIZES[resize](paper) for paper, _ in drawn])
        return images.reshape(-1, DRAWERS, 28, 28), drawn[0][1] + drawn[1][1]

    return cached("omniglot", f"omniglot-{resize}-v1-pillow{version('pillow')}", build)


def find(part: Part) -> Path:
    """The part's zip or folder, in OMNIGLOT_ROOT or data/, bare, in a folder of its own name (as some
    programs unpack a zip) or where torchvision leaves it.

    A zip comes first: it is read faster, and has checksums. UserError: it is in none of these places."""
    roots = dict.fromkeys((places.omniglot(), places.data()))
    for root in roots:
        for folder in (root / part.name, root, root / "omniglot-py"):
            archive, unpacked = folder / f"{part.name}.zip", folder / part.name
            if archive.is_file():
                return archive
            if unpacked.is_dir():
                return unpacked
    looked = " or ".join(map(str, roots))
    raise UserError(
        f"omniglot: no {part.name} (zip or folder) in {looked}: "
        f"`harness data omniglot` fetches it, {_INSTEAD}"
    )


def read(part: Part, source: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Decode and verify one part: bool [images, 105, 105] with True = paper, and its characters' names.

    UserError names the file or the part that is damaged."""

    def images(names: Iterable[str]) -> list[str]:
        within = (name.removeprefix(f"{part.name}/") for name in names if name.startswith(f"{part.name}/"))
        return sorted(f"{part.name}/{name}" for name in within if _IMAGE.fullmatch(name))

    if source.is_dir():
        files = source.glob("*/*/*")
        paths = images(f"{part.name}/{file.relative_to(source).as_posix()}" for file in files)
        paper = _decode(paths, lambda path: (source.parent / path).read_bytes(), source)
    else:
        try:
            with zipfile.ZipFile(source) as archive:
                paths = images(archive.namelist())
                paper = _decode(paths, archive.read, source)
        except (zipfile.BadZipFile, OSError) as error:
            raise _damaged(str(source), str(error)) from error
    characters = [path.rsplit("/", 1)[0].removeprefix(f"{part.name}/") for path in paths]
    names = tuple(dict.fromkeys(characters))
    if len(names) != part.characters or characters != [name for name in names for _ in range(DRAWERS)]:
        has = f"{len(paths)} images of {len(names)} characters"
        right = f"{part.characters * DRAWERS} of {part.characters}"
        raise _damaged(str(source), f"{has} instead of {right}, {DRAWERS} each")
    if hashlib.sha256(np.packbits(paper.reshape(len(paper), -1), axis=1).data).hexdigest() != part.sha256:
        raise _damaged(str(source), "its pixels are not Omniglot's")
    return paper, names


def _decode(paths: Sequence[str], read_bytes: Callable[[str], bytes], source: Path) -> np.ndarray:
    from PIL import Image

    paper = np.empty((len(paths), SIDE, SIDE), bool)
    for row, path in zip(paper, paths, strict=True):
        try:
            with Image.open(io.BytesIO(read_bytes(path))) as image:
                if image.size != (SIDE, SIDE):
                    raise ValueError(f"{image.width} x {image.height} pixels instead of {SIDE} x {SIDE}")
                row[:] = np.asarray(image.convert("L")) > 127
        except Exception as error:  # zipfile and Pillow raise a dozen kinds for damaged bytes
            raise _damaged(f"{path} in {source}", str(error)) from error
    return paper


def _damaged(what: str, why: str) -> UserError:
    return UserError(
        f"omniglot: {what} is damaged ({why}): delete it and run `harness data omniglot`, {_INSTEAD}"
    )


def lanczos(paper: np.ndarray) -> np.ndarray:
    """bool [images, 105, 105], True = paper -> uint8 [images, 28, 28], 255 = ink.

    What Pillow's Lanczos gives for each image in mode L, bit for bit: Pillow resizes along one axis, then
    along the other, so a stack of images is one tall picture for the first and one wide for the second."""
    from PIL import Image

    tall = Image.fromarray(np.where(paper, np.uint8(255), np.uint8(0)).reshape(-1, SIDE))
    narrow = np.asarray(tall.resize((28, tall.height), Image.Resampling.LANCZOS))
    wide = Image.fromarray(narrow.reshape(-1, SIDE, 28).transpose(1, 0, 2).reshape(SIDE, -1))
    small = np.asarray(wide.resize((wide.width, 28), Image.Resampling.LANCZOS))
    return 255 - small.reshape(28, -1, 28).transpose(1, 0, 2)


def nearest(paper: np.ndarray) -> np.ndarray:
    """As `lanczos`, but each pixel is the one under its centre: 0 or 255."""
    under = ((np.arange(28) + 0.5) * SIDE / 28).astype(int)
    return np.where(paper[:, under[:, None], under], np.uint8(0), np.uint8(255))


RESIZES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"lanczos": lanczos, "nearest": nearest}


def fetch() -> Path:
    """Download what is missing of Omniglot with torchvision (14 MB) and return its folder, data/omniglot-py.

    UserError: no network, or the folder cannot be written."""
    place = places.data()
    try:
        for background in (True, False):
            torchvision_omniglot()(place, background=background, download=True)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"omniglot: cannot be fetched ({error}): put images_background.zip and images_evaluation.zip "
            f"(folder python of github.com/brendenlake/omniglot) into {place} by hand, {_INSTEAD}"
        ) from error
    return place / "omniglot-py"


_kept: list[Any] = []


def torchvision_omniglot() -> Any:
    """torchvision.datasets.Omniglot, beside whatever torch is installed.

    The PyPI wheel of torchvision is built against CUDA. Beside a CPU-only torch its operators cannot be
    loaded, and its import stops at "operator torchvision::nms does not exist". Declaring the schemas of the
    two that it looks for is enough: nothing here detects objects. Where the plain import works nothing is
    declared, because declaring a schema twice is an error.
    """
    try:
        from torchvision.datasets import Omniglot
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _kept:
            raise
        from torch.library import Library

        library = Library("torchvision", "FRAGMENT")
        _kept.append(library)  # the schemas live as long as it does
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[module]  # halves of the import that failed
        from torchvision.datasets import Omniglot
    return Omniglot
