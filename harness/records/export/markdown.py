"""The table that a paper would print, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from harness.common.text import markdown_table, one_line, written
from harness.records.export.asked import Asked, Value, not_run


def write(asked: Asked, folder: Path) -> list[str]:
    """<grid>.md, the table below its caption: see records.export.Format."""
    printed = asked.printed
    assert printed is not None
    heads, rows = printed.laid_out(escaped, escaped, _values)
    page = f"{escaped(printed.caption)}\n\n{markdown_table(heads, rows)}\n"
    (folder / f"{asked.name}.md").write_text(page, "utf-8")
    return not_run(asked.tables.trials)


def escaped(text: str) -> str:
    """A text in which nothing is Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>|~$&#])", r"\\\1", one_line(text))


def _values(values: Iterable[Value]) -> dict[Value, str]:
    return {value: escaped(written(value)) for value in values}
