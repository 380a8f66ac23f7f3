"""What is wrong in a grid's file, in one plain line that says where, what, and what would be right.

Pydantic's errors are put into plain words and traced back to a line of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from harness.common.errors import UserError
from harness.common.text import shorten
from harness.grids.strictyaml import Document, Place, refusal

MISSING = "missing"
LONGEST = 500
"""Characters of a message. A name or a value in it is cut much earlier."""


@dataclass(frozen=True)
class Mistake:
    """What is wrong at `place`; `earlier` is the place that it repeats, if it does."""

    place: Place
    text: str
    earlier: Place | None = None


def suggest(word: Any, known: Iterable[str]) -> str:
    """`did you mean beta0?`, or all that is known."""
    known = list(known)
    near = similar(word, known)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"


def similar(word: Any, known: Iterable[str]) -> list[str]:
    """The known words that `word` may be a misspelling of, the most similar first."""
    return list(_close(str(word), tuple(known)))


@lru_cache(maxsize=4096)  # an alias can repeat a word many times
def _close(word: str, known: tuple[str, ...]) -> list[str]:
    near = get_close_matches(word, known, n=3, cutoff=0.65)
    alike = [SequenceMatcher(None, one, word).ratio() for one in near]
    return [one for one, ratio in zip(near, alike, strict=True) if ratio > alike[0] - 0.15]


def refuse(mistakes: Iterable[Mistake]) -> None:
    """For a pydantic validator: raises if there are any mistakes, with places relative to the model."""
    if listed := list(mistakes):
        text = "; ".join(": ".join(filter(None, (_spell(one.place), one.text))) for one in listed)
        raise PydanticCustomError("mistakes", "{text}", {"text": text, "mistakes": listed})


def of_error(
    error: ValidationError, document: Document, unknown: Callable[[Place], str], place: Place = ()
) -> list[Mistake]:
    """Pydantic's errors in plain words. unknown: what to say of a key that may not be at a place; place:
    where in the file the model is."""
    out: list[Mistake] = []
    for detail in error.errors(include_url=False):
        at = _place(place + detail["loc"], document, keep=detail["type"] == "missing")
        if detail["type"] == "mistakes":
            for one in detail["ctx"]["mistakes"]:
                earlier = None if one.earlier is None else at + one.earlier
                out.append(Mistake(_without_index(at + one.place, document), one.text, earlier))
        elif detail["type"] == "too_short" and detail["input"]:
            pass  # its items were refused, each with an error of its own
        elif detail["type"] == "extra_forbidden":
            out.append(Mistake(at, unknown(at)))
        elif detail["type"].startswith("union_tag"):  # pydantic puts it at the model, not at the tag
            key = detail["ctx"]["discriminator"].strip("'")
            detail["input"] = detail["input"].get(key)
            out.append(Mistake((*at, key), words(detail)))
        else:
            at, text = _named(at, words(detail), document)
            out.append(Mistake(at, text))
    return out


def report(document: Document, mistakes: Iterable[Mistake]) -> UserError:
    """The first mistake in the order of the file, as one line. A missing key comes last: a misspelt key is
    the likelier cause, and is reported too."""
    first, *more = sorted(mistakes, key=lambda one: (one.text == MISSING, document.line(one.place)))
    line = document.line(first.place)
    more = [
        one for one in more if (document.line(one.place), one.text) != (line, first.text)
    ]  # not again by an alias
    more = [one for one in more if one.text != MISSING or str(one.place[-1]) not in first.text]
    text = f"{document.name}:{line}: "
    text += ": ".join(filter(None, (_spell(first.place), first.text)))
    if first.earlier is not None:
        text += f" (first on line {document.line(first.earlier)})"
    return refusal(shorten(text, LONGEST) + (f" (and {len(more)} more)" if more else ""))


def _spell(place: Place) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{shorten(p)}" for p in place).lstrip(".")


def _place(loc: Place, document: Document, keep: bool) -> Place:
    """Pydantic's location without what is not in the file: union tags, the list around a scalar."""
    path: Place = ()
    for i, part in enumerate(loc):
        if (*path, part) in document.lines or (keep and i == len(loc) - 1):
            path = (*path, part)
    return path


def _without_index(place: Place, document: Document) -> Place:
    """A scalar stands for a list of one: its place is that of the list."""
    scalar = isinstance(place[-1], int) and place not in document.lines if place else False
    return place[:-1] if scalar else place


def _named(at: Place, text: str, document: Document) -> tuple[Place, str]:
    """A validator of a whole model may start its message with the key that it is about."""
    key, colon, rest = text.partition(": ")
    return ((*at, key), rest) if colon and (*at, key) in document.lines else (at, text)


def show(value: Any) -> str:
    """A value as it is written in YAML, for an error."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"'{shorten(value)}'"
    return f"{value:g}" if isinstance(value, float) else shorten(str(value), 20)


_WORDS = {
    "missing": MISSING,
    "int_type": "{value} is not a whole number",
    "int_from_float": "{value} is not a whole number",
    "float_type": "{value} is not a number",
    "finite_number": "{value} is not a finite number",
    "string_type": "{value} is not text; put it in quotes if it is meant as text",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "must be one line of printable text",
    "string_unicode": "must be one line of printable text",
    "bool_type": "{value} is neither true nor false",
    "tuple_type": "{value} is not a list",
    "dict_type": "{value} is not a mapping of keys to values",
    "model_type": "{value} is not a mapping of keys to values",
    "model_attributes_type": "{value} is not a mapping of keys to values",
    "too_short": "the list is empty",
    "too_long": "the list has {actual_length} entries; at most {max_length} are allowed",
    "string_too_long": "is longer than {max_length} characters",
    "literal_error": "{value} is not one of {expected}",
    "union_tag_invalid": "{value} is not one of {expected_tags}",
    "union_tag_not_found": MISSING,
    "greater_than": "{value} is not > {gt}",
    "greater_than_equal": "{value} is not >= {ge}",
    "less_than": "{value} is not < {lt}",
    "less_than_equal": "{value} is not <= {le}",
    "value_error": "{error}",
}


def words(detail: ErrorDetails) -> str:
    """One error of pydantic in plain words."""
    pattern = _WORDS.get(detail["type"])
    if pattern is None:
        return detail["msg"]
    value, limits = detail["input"], detail.get("ctx", {})
    if detail["type"] == "int_type" and isinstance(value, float) and value.is_integer():
        return f"write {value:.0f}, without point or exponent"
    limits = {key: show(limit) if isinstance(limit, float) else limit for key, limit in limits.items()}
    return pattern.format(value=show(value), **limits)
