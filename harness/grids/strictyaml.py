"""YAML as people write it, read strictly, and one plain line for whatever is wrong in it.

1e-3 is a number; only true and false are booleans; dates, 1_000, 010 and 12:30 stay words; .inf, .nan,
tags and merge keys are refused, and so is a key given twice. Every value knows its line, and the errors of
pydantic are put into plain words and led back to it. (PyYAML alone reads 1e-3 as a string, `on` as true,
and keeps the last of two equal keys.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from harness.common.errors import UserError

Path_ = tuple[str | int, ...]
"""Where a value is: ("cells", 1, "alpha_hyperlr") is written cells[1].alpha_hyperlr."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)
_DEEPEST, _MOST = 32, 100_000  # levels and values: aliases can make a small file very large


class Document(NamedTuple):
    """A file that was read: its plain data (dict, tuple, str, int, float, bool, None) and its lines."""

    name: str
    data: Any
    lines: dict[Path_, int]

    def line(self, path: Path_) -> int:
        """The line (from 1) of the value, or of the nearest thing around it that is in the file."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


class Problem(NamedTuple):
    """What is wrong at `path`; `first` is the other place that it quarrels with."""

    path: Path_
    text: str
    first: Path_ | None = None


def read(path: Path, name: str | None = None) -> Document:
    """The file as plain data; `name` stands for it in errors. Raises UserError."""
    name = name or str(path)
    try:
        return parse(path.read_text(encoding="utf-8"), name)
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror}") from None


def parse(text: str, name: str) -> Document:
    """The text of one YAML document as plain data. Raises UserError."""
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    try:
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            raise UserError(f"{name}: empty")
        root = _Reader(name, events).node(next(events))
        next(events)  # the end of the document
        if not isinstance(after := next(events), yaml.StreamEndEvent):
            raise _wrong(name, after, "a second document; a file holds one")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join((error.problem or str(error)).split())
        what = "a tab; indent with spaces" if "'\\t'" in what else f"not YAML: {what}"
        raise UserError(f"{name}:{mark.line + 1 if mark else 1}: {what}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"{name}:{line}: not YAML: a control character") from None
    lines: dict[Path_, int] = {}
    return Document(name, _plain(name, root, (), root.line, lines), lines)


def scalar(text: str) -> int | float | str | bool | None:
    """What an unquoted word means. Raises ValueError for a number that is not finite."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    integer, number = _INTEGER.fullmatch(text), _FLOAT.fullmatch(text)
    if _NOT_FINITE.fullmatch(text) or ((integer or number) and not math.isfinite(float(text))):
        raise ValueError(f"{text if len(text) < 20 else text[:17] + '...'} is no finite number")
    if integer:
        return int(text)
    return float(text) + 0.0 if number else text  # + 0.0: there is one zero, -0.0 would be another cell


class _Node(NamedTuple):
    """A value of the file and its line; a mapping has the line of each key beside the value."""

    line: int
    value: Any  # a scalar, list[_Node] or dict[str, tuple[int, _Node]]


class _Reader:
    """Builds the nodes of a document from its events."""

    def __init__(self, name: str, events: Iterator[Any]) -> None:
        self.name, self.events, self.depth = name, events, 0
        self.anchors: dict[str, _Node] = {}

    def node(self, event: Any) -> _Node:
        """The node that starts with this event."""
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise _wrong(self.name, event, f"*{event.anchor}: there is no &{event.anchor} before it")
            return self.anchors[event.anchor]
        if event.tag is not None:
            raise _wrong(self.name, event, f"the tag {event.tag}: write the plain value")
        if self.depth == _DEEPEST:
            raise _wrong(self.name, event, f"nested deeper than {_DEEPEST} levels")
        self.depth += 1
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = [self.node(child) for child in self.until(yaml.SequenceEndEvent)]
        else:
            value = self.mapping()
        self.depth -= 1
        node = _Node(event.start_mark.line + 1, value)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def until(self, end: type) -> Iterator[Any]:
        """The first event of each child, up to the end of the list or mapping."""
        while not isinstance(event := next(self.events), end):
            yield event

    def scalar(self, event: Any) -> Any:
        if not event.implicit[0]:
            return event.value  # quoted: a word, whatever it looks like
        try:
            return scalar(event.value)
        except ValueError as error:
            raise _wrong(self.name, event, str(error)) from None

    def mapping(self) -> dict[str, tuple[int, _Node]]:
        out: dict[str, tuple[int, _Node]] = {}
        for key in self.until(yaml.MappingEndEvent):
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
                raise _wrong(self.name, key, "a key must be a plain word")
            if key.value == "<<":
                raise _wrong(self.name, key, "<< (merge) is not read; write the keys out")
            if key.value in out:
                raise _wrong(self.name, key, f"{key.value}: given twice (first in line {out[key.value][0]})")
            out[key.value] = (line, self.node(next(self.events)))
        return out


def _plain(name: str, node: _Node, path: Path_, line: int, lines: dict[Path_, int]) -> Any:
    """The node as plain data; fills `lines`. A value of a mapping has the line of its key."""
    lines[path] = line
    if len(path) > _DEEPEST or len(lines) > _MOST:
        raise UserError(f"{name}:{line}: more than {_DEEPEST} levels or {_MOST:,} values")
    if isinstance(node.value, dict):
        return {k: _plain(name, v, (*path, k), at, lines) for k, (at, v) in node.value.items()}
    if isinstance(node.value, list):
        return tuple(_plain(name, v, (*path, i), v.line, lines) for i, v in enumerate(node.value))
    return node.value


def _wrong(name: str, event: Any, text: str) -> UserError:
    return UserError(_one_line(f"{name}:{event.start_mark.line + 1}: {text}"))


def _one_line(text: str) -> str:
    """Keys and values come from the file, and may hold anything."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def suggest(word: Any, known: Iterable[str]) -> str:
    """`did you mean beta0?`, or all that there is."""
    known = list(known)
    near = get_close_matches(str(word), known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"


def refuse(problems: Iterable[Problem]) -> None:
    """Inside a validator of pydantic: raises if there are problems, their paths relative to the model."""
    if found := list(problems):
        text = "; ".join(": ".join(filter(None, (_spell(p.path), p.text))) for p in found)
        raise PydanticCustomError("problems", "{text}", {"text": text, "problems": found})


def problems(
    error: ValidationError, document: Document, known: Callable[[Path_], Iterable[str]]
) -> list[Problem]:
    """Pydantic's errors in plain words; `known` gives the keys that there are at a path."""
    out: list[Problem] = []
    for detail in error.errors(include_url=False):
        at = _place(detail["loc"], document, keep=detail["type"] == "missing")
        if detail["type"] == "problems":
            found = detail["ctx"]["problems"]
            out += [Problem(at + p.path, p.text, None if p.first is None else at + p.first) for p in found]
        elif detail["type"] == "too_short" and detail["input"]:
            pass  # its items were refused, each with an error of its own
        elif detail["type"] == "extra_forbidden":
            out.append(Problem(at, f"unknown key; {suggest(at[-1], known(at[:-1]))}"))
        elif detail["type"].startswith("union_tag"):  # pydantic puts it at the model, not at the tag
            key = detail["ctx"]["discriminator"].strip("'")
            detail["input"] = detail["input"].get(key)
            out.append(Problem((*at, key), words(detail)))
        else:
            at, text = _named(at, words(detail), document)
            out.append(Problem(at, text))
    return out


def report(document: Document, found: list[Problem]) -> UserError:
    """The first problem in the order of lines, as one line. A missing key comes last: a misspelt one is
    the likelier mistake, and is reported too."""
    first, *more = sorted(found, key=lambda p: (p.text == MISSING, document.line(p.path)))
    line = document.line(first.path)
    more = [p for p in more if (document.line(p.path), p.text) != (line, first.text)]  # an alias read twice
    more = [p for p in more if p.text != MISSING or str(p.path[-1]) not in first.text]
    text = f"{document.name}:{line}: "
    text += ": ".join(filter(None, (_spell(first.path), first.text)))
    if first.first is not None:
        text += f" (first in line {document.line(first.first)})"
    return UserError(_one_line(text + (f" (and {len(more)} more)" if more else "")))


MISSING = "missing"


def _spell(path: Path_) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _place(loc: Path_, document: Document, keep: bool) -> Path_:
    """Pydantic's location without what is not in the file: tags of unions, the list around a scalar."""
    path: Path_ = ()
    for i, part in enumerate(loc):
        if (*path, part) in document.lines or (keep and i == len(loc) - 1):
            path = (*path, part)
    return path


def _named(at: Path_, text: str, document: Document) -> tuple[Path_, str]:
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
        return f"'{value}'" if len(value) <= 40 else f"'{value[:37]}...'"
    return f"{value:g}" if isinstance(value, float) else str(value)


_WORDS = {
    "missing": MISSING,
    "int_type": "{value} is no whole number",
    "int_from_float": "{value} is no whole number",
    "float_type": "{value} is not a number",
    "finite_number": "{value} is no finite number",
    "string_type": "{value} is no text; put it in quotes if it is meant",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "must be one line of printable text",
    "bool_type": "{value} is neither true nor false",
    "tuple_type": "{value} is no list",
    "dict_type": "{value} is no mapping of keys to values",
    "model_type": "{value} is no mapping of keys to values",
    "model_attributes_type": "{value} is no mapping of keys to values",
    "too_short": "the list is empty",
    "literal_error": "{value} is none of {expected}",
    "union_tag_invalid": "{value} is none of {expected_tags}",
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
