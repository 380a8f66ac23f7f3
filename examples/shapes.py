"""A data set: coloured circles, squares and triangles, a class for each pair, some with fewer images."""

import numpy as np

import harness

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "white": (255, 255, 255),
}
SIDE = 32
"""Height and width, pixels."""


@harness.dataset("shapes", train_characters=12, validation_characters=6, n_way=5)
def shapes() -> dict[str, np.ndarray]:
    """Class -> images, uint8 [images, height, width, 3]. The keywords above are fields of the protocol."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    classes = {}
    for colour, rgb in COLOURS.items():
        for shape in ("circle", "square", "triangle"):
            images = np.zeros((8 + len(classes) % 5, SIDE, SIDE, 3), np.uint8)
            for image in images:
                (y, x), r = random.integers(10, SIDE - 10, 2), random.integers(5, 10)
                down, right = rows - y, abs(columns - x)
                inside = {
                    "circle": down**2 + right**2 <= r**2,
                    "square": np.maximum(abs(down), right) <= r,
                    "triangle": (abs(down) <= r) & (2 * right <= down + r),
                }
                image[inside[shape]] = rgb
            classes[f"{colour} {shape}"] = images
    return classes
