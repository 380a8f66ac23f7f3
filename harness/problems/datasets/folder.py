"""Images in folders, a folder for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.common import places
from harness.common.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg")


def image_folder(path: str | Path, size: int = 84, mode: str = "RGB") -> dict[str, np.ndarray]:
    """The images of <path>/<class>/*.png and .jpg, in sorted order: {class: uint8 [images, size, size,
    channels]}.

    path: absolute, or in the data folder (HARNESS_DATA, or `data/`), so that every process of a sweep finds
    it. size: pixels, to which height and width are resized. mode: Pillow's, `RGB` or `L` (grey).
    UserError: no such folder, no classes, a class without images, a damaged file.
    """
    from PIL import Image  # late: it is slow to import

    root = places.data() / places.path(str(path), "image folder")
    if not root.is_dir():
        raise UserError(f"image folder {root}: there is no such folder")
    classes = {}
    for folder in sorted(one for one in root.iterdir() if one.is_dir() and not one.name.startswith(".")):
        files = sorted(file for file in folder.iterdir() if _is_image(file))
        images = np.empty((len(files), size, size, len(Image.new(mode, (1, 1)).getbands())), np.uint8)
        for at, file in enumerate(files):
            try:
                with Image.open(file) as image:
                    small = image.convert(mode).resize((size, size), Image.Resampling.LANCZOS)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                raise UserError(f"image folder {root}: {folder.name}/{file.name}: {error}") from error
            images[at] = np.asarray(small).reshape(images.shape[1:])
        if not files:
            raise UserError(f"image folder {root}: class {folder.name} has no .png or .jpg files")
        classes[folder.name] = images
    if not classes:
        raise UserError(f"image folder {root}: it has no folders; it needs one for each class")
    return classes


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
