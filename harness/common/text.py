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
