"""Problems and data sets of a user's own: the decorators that make them known, and what these refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.problems import few_shot
from harness.problems.base import PROBLEMS, Problem
from harness.problems.datasets import DATASETS, own
from harness.problems.datasets.base import Source


def problem(kind: type[Problem]) -> type[Problem]:
    """Decorator: make a problem known. UserError: its name is taken, or it cannot be one."""
    if not (isinstance(kind, type) and issubclass(kind, Problem)):
        raise UserError(f"{getattr(kind, '__name__', kind)!r} is not a class that extends harness.Problem")
    PROBLEMS.add(getattr(kind, "name", None), kind, kind.__module__)  # type: ignore[arg-type]
    try:
        _check_declared(kind)
    except UserError:
        PROBLEMS.drop(kind.name)
        raise
    return kind


def _check_declared(kind: type[Problem]) -> None:
    """UserError: what it declares cannot be used."""
    what = f"problem '{kind.name}'"
    if not isinstance(vars(kind).get("title"), str):  # one that is inherited is that of another problem
        kind.title = kind.name
    if not (isinstance(kind.Fields, type) and issubclass(kind.Fields, Frozen)):
        raise UserError(f"{what}: its Fields are not a class that extends harness.Fields")
    if needs := [name for name, field in kind.Fields.model_fields.items() if field.is_required()]:
        raise UserError(f"{what}: its field {needs[0]} needs a default: all do")
    if not isinstance(getattr(kind, "network", None), str):
        raise UserError(f"{what}: it names no network; write network = 'mlp', say")
    metrics = kind.metrics
    if not isinstance(metrics, tuple) or not all(
        isinstance(one, str) and one.isidentifier() for one in metrics
    ):
        raise UserError(f"{what}: its metrics are {metrics!r}; write a tuple of words, ('error',)")
    if len(set(metrics)) < len(metrics):
        raise UserError(f"{what}: its metrics are {metrics!r}; each needs a name of its own")
    if "loss" in metrics:
        raise UserError(f"{what}: a metric cannot be called loss: the loss is")


def dataset(
    name: str, *, split: tuple[int, int] | None = None, **fields: Any
) -> Callable[[own.Load], own.Load]:
    """Decorator: make a data set known that a function without arguments returns.

    It returns {class name: images}, or a list of such pairs, or yields them: arrays or torch tensors, uint8
    (0 ... 255, which become 0 ... 1) or float32 (used as they are), [images, height, width] or [images,
    height, width, channels]. Classes may have different numbers of images; size, channels and type are the
    same for all. It is called once in each process that needs it, on whatever machine, from any working
    folder.

    split: (64, 16) lets the first 64 classes that the function returns train and holds the next 16 out, as in
    a published split, whatever `split_seed` is. None: the classes are sorted by name, and `split_seed`
    chooses among them.
    fields: what a protocol of this data set wants by default: `train_characters=64, n_way=5`. `rotate` is
    false unless given; `train_characters` and `validation_characters` are those of `split`.
    UserError: a field that few-shot classification does not have, or a value out of range; the name is taken.
    """
    if not isinstance(name, str):
        raise UserError("@harness.dataset: give it a name: @harness.dataset('birds')")
    if split is not None:
        if not (isinstance(split, tuple) and [type(one) for one in split] == [int, int] and min(split) > 0):
            raise UserError(f"data set '{name}': split is {split!r}; write two numbers, such as (64, 16)")
        fields = dict(zip(("train_characters", "validation_characters"), split, strict=True)) | fields
    fields = {"rotate": False} | fields
    _check_values(name, fields)

    def add(load: own.Load) -> own.Load:
        source = Source(name=name, load=lambda resize: own.made(name, load, split), fields=fields)
        DATASETS.add(name, source, load.__module__)
        return load

    return add


def _check_values(name: str, fields: Mapping[str, Any]) -> None:
    """UserError: a name or value that a protocol would refuse. Whether they agree is seen there."""
    known = [field for field in few_shot.Fields.model_fields if field not in ("dataset", "resize")]
    for field in fields:
        if field not in known:
            near = get_close_matches(field, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
            raise UserError(f"data set '{name}': {field} is not a field of few-shot classification; {hint}")
    try:
        few_shot.Fields.model_validate(fields, strict=True)
    except ValidationError as error:
        for wrong in error.errors():
            if wrong["loc"]:
                raise UserError(f"data set '{name}': {wrong['loc'][0]}: {wrong['msg']}") from None
