"""Data sets of a user's own: what their function returns, checked and put into one array."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from harness.common.errors import UserError
from harness.common.plugins import explain
from harness.common.text import one_line
from harness.problems.datasets.base import Dataset

Load = Callable[[], Any]
"""Returns {class name: images}, or (class name, images) pairs."""
DTYPES = ("uint8", "float32", "float64")


def made(name: str, load: Load, split: tuple[int, int] | None) -> Dataset:
    """The data set of a user's function; see problems.dataset for what it may return, and Dataset for
    `split`.

    UserError: the function raises, or returns what no tasks can be drawn from; with the class.
    """
    classes: dict[str, np.ndarray] = {}
    for pair in _returned(name, load):
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise _refusal(name, f"its function gives {type(pair).__name__}; return {{class name: array}}")
        label = one_line(str(pair[0]))
        if label in classes:
            raise _refusal(name, f"two classes are called {label}")
        classes[label] = _images(name, label, pair[1])
    if not classes:
        raise _refusal(name, "it has no classes; return {class name: array}")
    _alike(name, classes)
    if split is None:  # in whatever order a folder was read
        classes = dict(sorted(classes.items()))
    return _whole(name, classes, split)


def _refusal(name: str, text: str) -> UserError:
    return UserError(f"data set '{name}': {text}")


def _returned(name: str, load: Load) -> list[Any]:
    code = getattr(load, "__code__", None)
    try:
        result = load()
        if not isinstance(result, Mapping | Iterable) or isinstance(result, str | bytes):
            raise UserError(f"its function returns {type(result).__name__}; return {{class name: array}}")
        return list(result.items() if isinstance(result, Mapping) else result)
    except UserError as error:
        raise _refusal(name, str(error)) from error
    except (Exception, SystemExit) as error:
        raise _refusal(name, explain(error, code and code.co_filename)) from error


def _images(name: str, label: str, value: Any) -> np.ndarray:
    """A class's images, uint8 or float32 [images, height, width, channels]."""
    try:  # torch is known by its method: it need not be loaded here
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
    except Exception as error:
        raise _refusal(name, f"class {label}: no array: {one_line(str(error), 200)}") from error
    if array.dtype.name not in DTYPES:
        raise _refusal(name, f"class {label}: its numbers are {array.dtype}; use uint8 or float32")
    if array.ndim not in (3, 4):
        axes = "[images, height, width] or [images, height, width, channels]"
        raise _refusal(name, f"class {label}: an array of shape {array.shape} is not {axes}")
    array = array if array.ndim == 4 else array[..., None]
    count, height, width, channels = array.shape
    if 0 in array.shape:
        raise _refusal(name, f"class {label}: no {'pixels' if count else 'images'}")
    if height in (1, 3) and width == channels > 4:
        text = f"images of {height} x {width} pixels with {channels} channels; channels come last"
        raise _refusal(name, f"class {label}: {text}")
    if array.dtype != np.uint8:
        with np.errstate(over="ignore"):
            array = array.astype(np.float32, copy=False)
        if not np.isfinite(array).all():
            raise _refusal(name, f"class {label}: a number in its images is not finite")
    return array


def _alike(name: str, classes: Mapping[str, np.ndarray]) -> None:
    """UserError: classes differ in their images' size, channels or type."""
    (first, of_first), *others = classes.items()
    for label, images in others:
        if (images.shape[1:], images.dtype) != (of_first.shape[1:], of_first.dtype):
            text = f"class {label} has {_kind(images)}, class {first} {_kind(of_first)}; make them alike"
            raise _refusal(name, text)


def _kind(images: np.ndarray) -> str:
    _, height, width, channels = images.shape
    return f"images of {height} x {width} x {channels} {images.dtype}"


def _whole(name: str, classes: dict[str, np.ndarray], split: tuple[int, int] | None) -> Dataset:
    counts = np.array([len(images) for images in classes.values()])
    first = next(iter(classes.values()))
    _affordable(name, int(counts.sum()) * first[0].nbytes)
    whole = np.zeros((len(classes), counts.max(), *first.shape[1:]), first.dtype)  # unused, it is not held
    digest = hashlib.sha256()
    labels = tuple(classes)
    for at, label in enumerate(labels):
        images = np.ascontiguousarray(classes.pop(label))
        digest.update(f"{label}\0{images.dtype}\0{images.shape}\0".encode("utf-8", "surrogatepass"))
        digest.update(images.data)
        whole[at, : len(images)] = images
    whole.flags.writeable = counts.flags.writeable = False
    return Dataset(
        name=name, images=whole, characters=labels, sha256=digest.hexdigest(), counts=counts, split=split
    )


def _affordable(name: str, size: int) -> None:
    """UserError: the images, in bytes, take more than half of the machine's memory, and they are copied
    once."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size > memory / 2:
        text = f"its images take {size / 1e9:.1f} GB; at most half of this machine's {memory / 1e9:.1f} GB"
        raise _refusal(name, f"{text} are allowed: make them smaller or fewer")
