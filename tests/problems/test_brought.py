"""A problem of a user's own: what it may not declare is refused in one line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

import harness
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.problems import PROBLEMS, Problem, problem
from harness.problems.sinusoid import Sinusoid


class Needy(Frozen):
    """A field without a default."""

    noise: float = Field(ge=0)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"name": "sinusoid"}, "problem 'sinusoid' is built in"),
        ({"name": None}, "a problem's name is None; write a word"),
        ({"Fields": Needy}, "its field noise needs a default"),
        ({"Fields": dict}, "its Fields are not a class that extends harness.Fields"),
        ({"network": None}, "it names no network; write network = 'mlp', say"),
        ({"metrics": ["error"]}, r"its metrics are \['error'\]; write a tuple of words"),
        (
            {"metrics": ("error", "error")},
            r"its metrics are \('error', 'error'\); each needs a name of its own",
        ),
        ({"metrics": ("loss",)}, "a metric cannot be called loss"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("forgotten")
def test_what_it_declares(declared: dict[str, Any], words: str) -> None:
    before = dict(PROBLEMS)
    with pytest.raises(UserError, match=words):
        problem(type("Mine", (Problem,), {"name": "mine", "network": "mlp"} | declared))
    assert dict(PROBLEMS) == before


@pytest.mark.usefixtures("forgotten")
def test_without_a_title_of_its_own_it_goes_by_its_name() -> None:
    """Not by that of the problem that it extends."""
    problem(type("Mine", (Sinusoid,), {"name": "mine"}))
    assert (PROBLEMS["mine"].title, PROBLEMS["sinusoid"].title) == ("mine", "Sinusoid regression")


def test_what_is_public_is_completed() -> None:
    assert dir(harness) == sorted(harness.__all__)
    assert all(getattr(harness, name) is not None for name in dir(harness))
