"""Numbers, counts and tables as text, and text that is safe to print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Unicode's control and format characters, what is no character or nobody's but a font's, lone surrogates,
separators of lines and paragraphs."""
_JOINERS = "\u200c\u200d"
"""Format characters that Persian, Hindi and many emoji are written with."""


def clean(text: str) -> str:
    r"""The text on one line, with nothing in it that a terminal would obey.

    Line breaks and tabs become spaces; control characters, escape sequences, overrides of the direction of
    writing and undecodable bytes are spelled out: `\x1b[31m`.
    """
    return text if text.isascii() and text.isprintable() else "".join(map(_clean, text))


def _clean(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in _INVISIBLE and character not in _JOINERS:
        return repr(character)[1:-1]
    return character


def shorten(text: str, length: int = 40) -> str:
    """The text, or its beginning and three points."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def one_line(text: str, length: int = 500) -> str:
    """A text from elsewhere, clean, without blanks in a row, and no longer than `length`."""
    return shorten(" ".join(clean(text[: length + 1]).split()), length)


def named_error(report: str) -> str | None:
    """The last line of a report that names an error, `ValueError: no`; None: there is none."""
    found = re.findall(r"^\s*([\w.]*(?:Error|Exception)\b.*:.*)$", report, re.MULTILINE)
    return found[-1].strip() if found else None


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 cell`, `2 cells`. plural: where it is not the noun with an s."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: float) -> str:
    """Bytes for people: `27 MiB`, `2 GiB`, `1.5 GiB`."""
    power = 0
    while count >= 1024 and power < len(_UNITS) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.3g} {_UNITS[power]}"


def bytes_of(text: str) -> int:
    """The way back: `2GiB`, `500 MB`, `0`. ValueError: it is no size."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", text, re.IGNORECASE)
    if found is None:
        raise ValueError(text)
    number, unit, binary = found.groups()
    return int(min(float(number), 1e15) * (1024 if binary else 1000) ** " kmgt".index(unit.lower() or " "))


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def number(value: float) -> str:
    """A rate: `0.001`, in six digits, or in as many as it has: `0.0010000001`."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def written(value: object) -> str:
    """A hyper-parameter as a person writes it: `0.001`, `5`, `true`, `raw`."""
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, float) else str(value)


def halves(value: float) -> str:
    """A median of counts: `60`, or `60.5` where two counts are in the middle."""
    return f"{value:.1f}".removesuffix(".0")


def markdown_table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, without a newline at its end."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
