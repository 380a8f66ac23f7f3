"""The matrix of claims for programs and for people: as JSON and as a Markdown page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.common.text import markdown_table
from harness.paper.claims import CLAIMS, Claim
from harness.paper.definitions import MEANINGS, ON_VERDICTS
from harness.paper.judging.verdict import MOST_CELLS, Judged, Verdict
from harness.paper.matrix import Matrix, columns
from harness.paper.reading import Column, labels

MARKS = {Verdict.HOLDS: "H", Verdict.FAILS: "F", Verdict.OPEN: "?"}
INTRODUCTION = (
    "C1 to C16 are sentences of the paper, judged by the records: in a strict form, in a weaker one where "
    "there is one, and in the strict form by sustained passages"
)
LEGEND = (
    "H holds, F fails, ? cannot be told, blank: not asked; the strict form, then the weak one in brackets"
)


def meanings() -> dict[str, str]:
    """What the words of the claims are taken to mean."""
    of_claims = {word: meaning for claim in CLAIMS for word, meaning in claim.meanings.items()}
    return MEANINGS | of_claims | ON_VERDICTS


def mark(judged: Judged | None) -> str:
    """`F (H)`: the strict form, and in brackets the weak one if there is one; empty if it was not asked."""
    if judged is None:
        return ""
    weak = f" ({MARKS[judged.weak.verdict]})" if judged.weak else ""
    return MARKS[judged.strict.verdict] + weak


def to_json(matrix: Matrix, sources: Mapping[str, str]) -> dict[str, Any]:
    """The whole matrix as strict JSON: an infinite count is "miss", a number that is not known is null."""
    asked = columns(matrix)
    return {
        "definitions": meanings(),
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
    return {
        **{
            name: None if form is None else {"verdict": str(form.verdict), "why": form.why}
            for name, form in judged.forms.items()
        },
        "numbers": plain(judged.numbers),
        "cells": list(judged.cells),
        "seeds": list(judged.seeds),
        "statistic": judged.statistic,
        "interval": plain(judged.interval),
    }


def plain(value: Any) -> Any:
    """A value as strict JSON can hold it: numpy's numbers as Python's, inf as "miss", NaN as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "miss" if value == math.inf else None
    return value


def to_markdown(matrix: Matrix, sources: Mapping[str, str]) -> str:
    """A page: the matrix, what the words mean, then each claim with its verdicts, numbers and interval."""
    asked = columns(matrix)
    lines = [
        "# The paper's sentences, judged by the records",
        "",
        f"{INTRODUCTION}. {LEGEND}.",
        "",
        markdown_table(
            ["claim", *labels(asked)],
            ([f"{c.key} {c.short}", *(mark(matrix[c.key, n]) for n in asked)] for c in CLAIMS),
        ),
        "",
        "Where the records come from:",
        "",
        *(f"- {grid}: {source}" for grid, source in sources.items()),
        "",
        "## What the words mean",
        "",
        *(f"- **{word}**: {meaning}" for word, meaning in meanings().items()),
    ]
    for claim in CLAIMS:
        lines += ["", *_claim(claim, matrix, asked)]
    return "\n".join(lines) + "\n"


def _claim(claim: Claim, matrix: Matrix, asked: Sequence[Column]) -> Iterator[str]:
    yield from (f"## {claim.key}: {claim.short}", "", f"> {claim.sentence} ({claim.place})", "")
    yield f"Strict: {claim.strict}." + (f" Weak: {claim.weak}." if claim.weak else "")
    for column, label in zip(asked, labels(asked), strict=True):
        if (judged := matrix[claim.key, column]) is not None:
            yield from ("", f"### {claim.key}, {'under any reading' if column is None else label}", "")
            yield from _verdicts(judged)
    if all(matrix[claim.key, column] is None for column in asked):
        yield from ("", "Not asked under any reading.")


def _verdicts(judged: Judged) -> Iterator[str]:
    for name, form in judged.forms.items():
        if form is not None:
            yield f"- {name}: **{form.verdict}**: {form.why}"
    if judged.statistic:
        yield f"- {judged.statistic}: {_interval(judged)}"
    if edges := judged.numbers.get("edges"):
        without = ", ".join(f"{edge}: {verdict}" for edge, verdict in edges.items())
        yield f"- with one edge of the hyper-rates left out: {without}"
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
        return "no interval: fewer than two seeds"
    low, high = ("miss" if math.isinf(value) else f"{value:.3g}" for value in judged.interval)
    return f"{low} to {high} over the seeds"


def _bullets(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Nested numbers as nested lists; the leaves of one branch on one line."""
    leaves = {key: leaf for key, leaf in value.items() if not isinstance(leaf, Mapping)}
    if leaves:
        yield "  " * depth + "- " + "; ".join(f"{key}: {_leaf(leaf)}" for key, leaf in leaves.items())
    for key, branch in value.items():
        if isinstance(branch, Mapping):
            yield "  " * depth + f"- {key}"
            yield from _bullets(branch, depth + 1)


def _leaf(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_leaf, value))}]"
    if value is None:
        return "not known"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
