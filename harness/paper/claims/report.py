"""The matrix of claims for people and for programs: a terminal's tables, JSON, a Markdown page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from harness.paper.claims.definitions import SENTENCES
from harness.paper.claims.judge import Matrix, columns
from harness.paper.claims.judged import Form, Judged, Verdict
from harness.paper.claims.rules import MOST_CELLS
from harness.paper.claims.sentences import CLAIMS, Claim
from harness.paper.reading import Column, labels, short_labels

MARKS = {Verdict.HOLDS: "H", Verdict.FAILS: "F", Verdict.OPEN: "?"}
COLOURS = {Verdict.HOLDS: "green", Verdict.FAILS: "red", Verdict.OPEN: "dim"}
LEGEND = "H holds, F fails, ? cannot be told, blank: not asked; strict form, then the weak one in brackets"


def tables(matrix: Matrix) -> list[Table]:
    """For a terminal of 100 columns: each claim under the first reading, then all claims x readings."""
    asked = columns(matrix)
    main = Table(
        title=f"the paper's sentences under {labels(asked)[0]}",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for name in ("", "sentence", "strict", "weak", "sustained", "why"):
        main.add_column(
            name, ratio={"sentence": 3, "why": 5}.get(name), no_wrap=name not in ("sentence", "why")
        )
    for claim in CLAIMS:
        judged = matrix[claim.key, asked[0] if claim.everywhere else None]
        if judged is not None:
            forms = (judged.strict, judged.weak, judged.sustained)
            main.add_row(claim.key, claim.short, *map(_word, forms), judged.strict.why)
    small = Table(
        title="claims x readings", caption=LEGEND, title_justify="left", box=None, padding=(0, 1, 0, 0)
    )
    for name in ("", *short_labels(asked)):
        small.add_column(name.replace("=", "=\n"), overflow="fold")
    for claim in CLAIMS:
        cells = (matrix[claim.key, column] for column in asked)
        small.add_row(claim.key, *(Text() if judged is None else _mark(judged) for judged in cells))
    return [main, small]


def _word(form: Form | None) -> Text:
    if form is None:
        return Text("-", style="dim")
    word = "open" if form.verdict is Verdict.OPEN else str(form.verdict)
    return Text(word, style=COLOURS[form.verdict])


def _mark(judged: Judged) -> Text:
    return Text(mark(judged), style=COLOURS[judged.strict.verdict])


def mark(judged: Judged | None) -> str:
    """`F (H)`: strict, and in brackets the weak form if there is one; nothing if not asked."""
    if judged is None:
        return ""
    weak = f" ({MARKS[judged.weak.verdict]})" if judged.weak else ""
    return MARKS[judged.strict.verdict] + weak


def to_json(matrix: Matrix, sources: Mapping[str, str]) -> dict[str, Any]:
    """All of it as strict JSON: a count that is infinite is "miss", another number that is none is null."""
    asked = columns(matrix)
    return {
        "definitions": dict(SENTENCES),
        "sources": dict(sources),
        "readings": labels(asked),
        "claims": [
            {
                **{
                    name: getattr(claim, name)
                    for name in ("key", "place", "sentence", "short", "strict", "weak")
                },
                "judged": {
                    label: _judged(judged)
                    for column, label in zip(asked, labels(asked), strict=True)
                    if (judged := matrix[claim.key, column]) is not None
                },
            }
            for claim in CLAIMS
        ],
    }


def _judged(judged: Judged) -> dict[str, Any]:
    forms = {name: getattr(judged, name) for name in ("strict", "weak", "sustained")}
    return {
        **{
            name: None if form is None else {"verdict": str(form.verdict), "why": form.why}
            for name, form in forms.items()
        },
        "numbers": plain(judged.numbers),
        "cells": list(judged.cells),
        "seeds": list(judged.seeds),
        "statistic": judged.statistic,
        "interval": plain(judged.interval),
    }


def plain(value: Any) -> Any:
    """A value as strict JSON has it: numpy's numbers as Python's, inf as "miss", NaN as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "miss" if value == math.inf else None
    return value


def to_markdown(matrix: Matrix, sources: Mapping[str, str]) -> str:
    """A page: the matrix, what the words mean, then each claim with its verdicts, numbers and interval."""
    asked = columns(matrix)
    lines = [
        "# The paper's sentences, put to the records",
        "",
        f"{LEGEND}.",
        "",
        *_grid(
            ["claim", *labels(asked)],
            ([f"{c.key} {c.short}", *(mark(matrix[c.key, n]) for n in asked)] for c in CLAIMS),
        ),
        "",
        "Records:",
        "",
        *(f"- {grid}: {source}" for grid, source in sources.items()),
        "",
        "## What the words mean",
        "",
        *(f"- **{word}**: {meaning}" for word, meaning in SENTENCES.items()),
    ]
    for claim in CLAIMS:
        lines += ["", *_claim(claim, matrix, asked)]
    return "\n".join(lines) + "\n"


def _grid(head: Sequence[str], rows: Iterator[list[str]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _claim(claim: Claim, matrix: Matrix, asked: Sequence[Column]) -> Iterator[str]:
    yield from (f"## {claim.key}: {claim.short}", "", f"> {claim.sentence} ({claim.place})", "")
    yield f"Strict: {claim.strict}." + (f" Weak: {claim.weak}." if claim.weak else "")
    for column, label in zip(asked, labels(asked), strict=True):
        if (judged := matrix[claim.key, column]) is not None:
            yield from ("", f"### {claim.key}, {'once' if column is None else label}", "")
            yield from _verdicts(judged)
    if all(matrix[claim.key, column] is None for column in asked):
        yield from ("", "Not asked under any reading.")


def _verdicts(judged: Judged) -> Iterator[str]:
    for name, form in (("strict", judged.strict), ("weak", judged.weak), ("sustained", judged.sustained)):
        if form is not None:
            yield f"- {name}: **{form.verdict}**. {form.why}"
    if judged.statistic:
        yield f"- {judged.statistic}: {_interval(judged)}"
    if edges := judged.numbers.get("edges"):
        yield f"- without each edge of the hyper-rates: {', '.join(f'{k}: {v}' for k, v in edges.items())}"
    numbers = {name: value for name, value in judged.numbers.items() if name != "edges"}
    if numbers:
        yield from ("", "<details><summary>numbers</summary>", "")
        yield from _bullets(plain(numbers), 0)
        yield from ("", "</details>")
    if judged.cells:
        most = f"the first {MOST_CELLS} " * (len(judged.cells) == MOST_CELLS)
        yield from ("", f"<details><summary>{most}cells</summary>", "")
        yield ", ".join(f"`{cell}`" for cell in judged.cells)
        yield from ("", "</details>")


def _interval(judged: Judged) -> str:
    if judged.interval is None:
        return "fewer than two seeds: no interval"
    low, high = ("miss" if math.isinf(value) else f"{value:.3g}" for value in judged.interval)
    return f"{low} to {high} over the seeds"


def _bullets(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Nested numbers as nested lists; the leaves of one branch in a line."""
    leaves = {key: one for key, one in value.items() if not isinstance(one, Mapping)}
    if leaves:
        yield "  " * depth + "- " + "; ".join(f"{key}: {_leaf(one)}" for key, one in leaves.items())
    for key, one in value.items():
        if isinstance(one, Mapping):
            yield "  " * depth + f"- {key}"
            yield from _bullets(one, depth + 1)


def _leaf(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_leaf, value))}]"
    if value is None:
        return "not known"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
