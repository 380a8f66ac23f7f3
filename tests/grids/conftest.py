"""A method with hyper-parameters of every kind, known while the tests of a file run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from pydantic import Field

from harness.methods import METHODS, Hyper, maml, method
from harness.methods.base import Rate


class Kinds(Hyper):
    """A number, a whole number, a flag and a choice."""

    rate0: Rate
    steps: int = Field(5, ge=1, le=99)
    msl: bool = False
    rule: Literal["raw", "update"] = "raw"


class Every(maml.MAML):
    """Never trained."""

    name = "every"
    title = "Every kind"
    Hyper = Kinds


@contextmanager
def known(kind: type[maml.MAML]) -> Iterator[None]:
    method(kind)
    try:
        yield
    finally:
        METHODS.drop(kind.name)


@pytest.fixture(scope="module")
def every_kind() -> Iterator[None]:
    with known(Every):
        yield
