"""Lines and tables at many widths: broken between words, and no number cut."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from harness.cli.layout import Columns, wrapped


def printed(table: Columns, width: int) -> list[str]:
    console = Console(width=width, file=StringIO(), color_system=None)
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_line_breaks_between_words_and_what_follows_is_indented() -> None:
    text = "[1/2] reached at 57  alpha-maml alpha0=0.1 beta0=1e-05"
    assert wrapped(Text(text), len(text)).plain == text
    assert wrapped(Text(text), 40).plain.split("\n") == [
        "[1/2] reached at 57  alpha-maml",
        "    alpha0=0.1 beta0=1e-05",
    ]
    assert wrapped(Text(text), 40, indent=6).plain.split("\n")[1] == "      alpha0=0.1 beta0=1e-05"


def test_a_path_stays_whole_and_wide_letters_count_twice() -> None:
    assert wrapped(Text("wrote /a/long/path/of/thirty/columns, b"), 20).plain.split("\n") == [
        "wrote",
        "    /a/long/path/of/thirty/columns,",
        "    b",
    ]
    assert wrapped(Text("学習率 学習率"), 13).plain == "学習率 学習率"
    assert wrapped(Text("学習率 学習率"), 12).plain == "学習率\n    学習率"


def test_a_line_keeps_its_colours() -> None:
    line = Text("aaa ").append("bbb ccc", "red")
    parts = wrapped(line, 8)
    assert parts.plain == "aaa bbb\n    ccc"
    assert [parts.plain[span.start : span.end].strip() for span in parts.spans] == ["bbb", "ccc"]


def cells() -> Columns:
    table = Columns(
        ("cell", "method", "alpha_hyperlr", "iteration", "title"),
        right=("alpha_hyperlr", "iteration"),
        wrap=("title",),
    )
    table.add_row("cd84f1af1d78d27b", "alpha-maml", "1.234e-05", "500", "some words about it")
    return table


def test_a_table_gets_narrower_step_by_step() -> None:
    assert printed(cells(), 80) == [
        "cell              method      alpha_hyperlr  iteration  title",
        "cd84f1af1d78d27b  alpha-maml      1.234e-05        500  some words about it",
    ]
    assert printed(cells(), 71) == [
        "                                 alpha_",
        "cell              method        hyperlr  iteration  title",
        "cd84f1af1d78d27b  alpha-maml  1.234e-05        500  some words about it",
    ]
    assert printed(cells(), 60) == [
        "                           alpha_",
        "cell             method   hyperlr iteration title",
        "cd84f1af1d78d27b alpha- 1.234e-05       500 some words about",
        "                 maml                       it",
    ]
    assert printed(cells(), 40) == [
        "cd84f1af1d78d27b  method=alpha-maml,",
        "    alpha_hyperlr=1.234e-05,",
        "    iteration=500, title=some words",
        "    about it",
    ]


@pytest.mark.parametrize("width", range(30, 100))
def test_no_number_is_cut_at_any_width(width: int) -> None:
    lines = printed(cells(), width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines)
    assert "…" not in words
    for number in ("cd84f1af1d78d27b", "1.234e-05", "500"):
        assert number in words


def test_a_cell_is_shown_as_it_is() -> None:
    table = Columns(("[bold]name[/nope]",))
    table.add_row("[red]x[/nope] \x1b[31m")
    assert printed(table, 80) == ["[bold]name[/nope]", r"[red]x[/nope] \x1b[31m"]
