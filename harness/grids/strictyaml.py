"""YAML as people write it, read strictly.

1e-3 is a number; only true and false are booleans; dates, 1_000, 010 and 12:30 stay words; .inf, .nan, tags
and merge keys are refused, and so are a key that is given twice and a number that no double can hold. The
line of every value is known. (PyYAML alone reads 1e-3 as a string and `on` as true, and keeps the last of two
equal keys.) Size, depth and number of values are limited, so that any file is answered at once.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.common.errors import NotAFile, UserError, reason
from harness.common.files import opened
from harness.common.text import one_line, shorten

Place = tuple[str | int, ...]
"""Where a value is: ("cells", 1, "alpha_hyperlr") is written cells[1].alpha_hyperlr."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_HALF = re.compile("[\ud800-\udfff]")
_NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)
MAX_BYTES = 100_000
"""Of a file. The largest grid of sweeps/ has 2,000; PyYAML reads some 100,000 bytes in a second."""
_MAX_DEPTH, _MAX_VALUES = 32, 50_000  # aliases can make a small file very large


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that was read: its plain data (dict, tuple, str, int, float, bool, None) and its lines."""

    name: str
    data: Any
    lines: dict[Place, int]

    def line(self, path: Place) -> int:
        """The line (from 1) of the value, or of the smallest thing around it that is in the file."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read(path: Path, name: str | None = None) -> Document:
    """The file as plain data; errors call it `name`. Raises UserError."""
    name = one_line(name or str(path))
    try:
        content = _content(path, name)
        return parse(content.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name}:{line}: not UTF-8 text (byte {error.start})") from None
    except NotAFile as error:
        raise UserError(f"{name}: not a file but {error.reason}") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {reason(error)}") from None


def _content(path: Path, name: str) -> bytes:
    with opened(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UserError(f"{name}: larger than {MAX_BYTES:,} bytes, the limit for a grid's file")
    return content


def parse(text: str, name: str) -> Document:
    """The text of one YAML document as plain data. Raises UserError."""
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"{name}:{line}: not YAML: a control character") from None
    events = iter(loader.get_event, None)
    try:
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            raise UserError(f"{name}:1: empty")
        root = _Reader(name, events).node(next(events))
        next(events)  # the end of the document
        if not isinstance(after := next(events), yaml.StreamEndEvent):
            raise _wrong(name, after, "a second document; a file holds one")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join((error.problem or str(error)).split())
        what = "a tab; indent with spaces" if "'\\t'" in what else f"not YAML: {what}"
        raise refusal(f"{name}:{mark.line + 1 if mark else 1}: {what}") from None
    except (ValueError, OverflowError):  # an escape such as "\UFFFFFFFF"
        line = loader.get_mark().line + 1
        raise UserError(f"{name}:{line}: not YAML: an escape that stands for no character") from None
    lines: dict[Place, int] = {}
    return Document(name=name, data=_plain(name, root, (), root.line, lines), lines=lines)


def scalar(text: str) -> int | float | str | bool | None:
    """What an unquoted word means. Raises ValueError for a number that is not finite or not 0 but nearly."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    integer, number = _INTEGER.fullmatch(text), _FLOAT.fullmatch(text)
    if _NOT_FINITE.fullmatch(text) or ((integer or number) and not math.isfinite(float(text))):
        raise ValueError(f"{shorten(text, 20)} is not a finite number")
    if integer:
        return int(text)
    if not number:
        return text
    if abs(float(text)) < sys.float_info.min and re.search("[1-9]", number[1]):
        raise ValueError(f"{shorten(text, 20)} is too small a number; write 0, or more than 1e-307")
    return float(text) + 0.0  # there is one zero, -0.0 would be another cell


@dataclass(frozen=True, kw_only=True)
class _Node:
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
                anchor = shorten(str(event.anchor))
                raise _wrong(self.name, event, f"*{anchor}: there is no &{anchor} before it")
            return self.anchors[event.anchor]
        if event.tag is not None:
            raise _wrong(self.name, event, f"the tag {shorten(event.tag)}: write the plain value")
        if self.depth == _MAX_DEPTH:
            raise _wrong(self.name, event, f"nested deeper than {_MAX_DEPTH} levels")
        self.depth += 1
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = [self.node(child) for child in self.until(yaml.SequenceEndEvent)]
        else:
            value = self.mapping()
        self.depth -= 1
        node = _Node(line=event.start_mark.line + 1, value=value)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def until(self, end: type) -> Iterator[Any]:
        """The first event of each child, up to the end of the list or mapping."""
        while not isinstance(event := next(self.events), end):
            yield event

    def scalar(self, event: Any) -> Any:
        self.check(event)
        if not event.implicit[0]:
            return event.value  # quoted: a word, whatever it looks like
        try:
            return scalar(event.value)
        except ValueError as error:
            raise _wrong(self.name, event, str(error)) from None

    def check(self, event: Any) -> None:
        """Refuse half a character: an escape in quotes can write one, and no file can hold it."""
        if _HALF.search(event.value):
            raise _wrong(self.name, event, "not YAML: an escape that stands for no character")

    def mapping(self) -> dict[str, tuple[int, _Node]]:
        out: dict[str, tuple[int, _Node]] = {}
        for key in self.until(yaml.MappingEndEvent):
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
                raise _wrong(self.name, key, "a key must be a plain word")
            self.check(key)
            if key.value == "<<":
                raise _wrong(self.name, key, "<< (merge) is not supported; write the keys out")
            if key.value in out:
                text = f"given twice (first on line {out[key.value][0]})"
                raise _wrong(self.name, key, f"{shorten(key.value)}: {text}")
            out[key.value] = (line, self.node(next(self.events)))
        return out


def _plain(name: str, node: _Node, path: Place, line: int, lines: dict[Place, int]) -> Any:
    """The node as plain data; fills `lines`. A value of a mapping has the line of its key."""
    lines[path] = line
    if len(path) > _MAX_DEPTH or len(lines) > _MAX_VALUES:
        raise UserError(f"{name}:{line}: more than {_MAX_DEPTH} levels or {_MAX_VALUES:,} values")
    if isinstance(node.value, dict):
        return {k: _plain(name, v, (*path, k), at, lines) for k, (at, v) in node.value.items()}
    if isinstance(node.value, list):
        return tuple(_plain(name, v, (*path, i), v.line, lines) for i, v in enumerate(node.value))
    return node.value


def _wrong(name: str, event: Any, text: str) -> UserError:
    return refusal(f"{name}:{event.start_mark.line + 1}: {text}")


def refusal(text: str) -> UserError:
    """The user's error as one line, whatever names and values are in it."""
    return UserError(one_line(text, 1000))
