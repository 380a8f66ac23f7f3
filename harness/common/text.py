"""Numbers and tables as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def halves(value: float) -> str:
    """A median of counts: `60`, or `60.5` where two counts are in the middle."""
    return f"{value:.1f}".removesuffix(".0")


def markdown_table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, without a newline at its end."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def one_line(text: str, most: int = 500) -> str:
    """A text from elsewhere as one line: blanks in place of line ends and of what no terminal should get, and
    at most `most` letters."""
    if len(text) > most:
        text = f"{text[: most - 3]}..."
    if text.isprintable():
        return text
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
