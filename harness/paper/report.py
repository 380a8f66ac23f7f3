"""The matrix of claims for programs and for people: as JSON and as a Markdown page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.common.text import markdown_table
from harness.paper.claims import CLAIMS, Claim
from harness.paper.definitions import MEANINGS, ON_VERDICTS
from harness.paper.judging.verdict import Judged, Verdict
from harness.paper.matrix import Matrix, columns
from harness.paper.reading import Column, labels, short_labels

MARKS = {Verdict.HOLDS: "H", Verdict.FAILS: "F", Verdict.OPEN: "?"}
INTRODUCTION = (
    "C1 to C16 are sentences of the paper, judged by the records: in a strict form; in a weaker one, where "
    "there is one; and in the strict form with the mean of ten losses in place of a single one (sustained)"
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
    """A page to read: the matrix, what the words mean, and each claim with the numbers that decide it.

    Under the first reading these come with their range over the seeds; every other reading has a line. The
    numbers of each seed and the cells are in the JSON.
    """
    asked = columns(matrix)
    lines = [
        "# The paper's sentences, judged by the records",
        "",
        f"{INTRODUCTION}. The numbers of each seed, and the cells that decide, are in claims.json.",
        "",
        markdown_table(
            ["claim", *short_labels(asked)],
            ([f"{c.key} {c.short}", *(mark(matrix[c.key, n]) for n in asked)] for c in CLAIMS),
        ),
        "",
        f"{LEGEND}.",
        "",
        "Where the records come from:",
        "",
        *(f"- {grid}: {source}" for grid, source in sources.items()),
        "",
        "## What the words mean",
        "",
        "Meanings and thresholds were fixed after the first small sets of records and before the full grids "
        "were run.",
        "",
        *_words(MEANINGS | ON_VERDICTS),
    ]
    for claim in CLAIMS:
        lines += ["", *_claim(claim, matrix, asked)]
    return "\n".join(lines) + "\n"


def _words(meanings: Mapping[str, str]) -> Iterator[str]:
    yield from (f"- **{word}**: {meaning}" for word, meaning in meanings.items())


def _claim(claim: Claim, matrix: Matrix, asked: Sequence[Column]) -> Iterator[str]:
    yield from (f"## {claim.key}: {claim.short}", "", f"> {claim.sentence} ({claim.place})", "")
    yield f"Strict: {claim.strict}." + f" Weak: {claim.weak}." * bool(claim.weak)
    if claim.meanings:
        yield from ("", *_words(claim.meanings))
    names = dict(zip(asked, short_labels(asked), strict=True))
    told = {column: one for column in asked if (one := matrix[claim.key, column])}
    for column in [column for column in told if column in (asked[0], None)]:
        yield from ("", f"Under {names[column]}: {'. '.join(_in_full(told.pop(column)))}.")
    if told:
        yield from ("", *(f"- {names[column]}: {_in_short(one)}" for column, one in told.items()))


def _in_short(judged: Judged) -> str:
    """`**fails** (weak: holds; sustained: fails): 31 of 36 cells`."""
    forms = {name: form for name, form in judged.forms.items() if form}
    strict = forms.pop("strict")
    beside = "; ".join(f"{name}: {form.verdict}" for name, form in forms.items())
    return f"**{strict.verdict}**" + f" ({beside})" * bool(beside) + f": {strict.why}"


def _in_full(judged: Judged) -> Iterator[str]:
    """Sentences: the same, then what the weak form adds to it, the range over the seeds, and the edges."""
    yield _in_short(judged)
    said = judged.strict.why.split("; ")
    weak = judged.weak.why.split("; ") if judged.weak else []
    if more := [part for part in weak if part not in said]:
        yield f"Weak: {'; '.join(more)}"
    if judged.interval:
        ends = ("miss" if math.isinf(value) else f"{value:.4g}" for value in judged.interval)
        yield f"Over the seeds: {' to '.join(dict.fromkeys(ends))} ({judged.statistic})"
    edges = judged.numbers.get("edges", {})
    if moved := {edge: one for edge, one in edges.items() if one != judged.strict.verdict}:
        without = ", ".join(f"{edge}: {verdict}" for edge, verdict in moved.items())
        yield f"With one edge of the hyper-rates left out: {without}"
