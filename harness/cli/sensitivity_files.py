"""The files of `harness sensitivity`: frames for programs, and tables for papers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.analysis.sensitivity.report import in_latex
from harness.analysis.sensitivity.rows import CURVE_WORDS, MEASURES
from harness.analysis.sensitivity.summary import footnotes
from harness.common.files import FIGURES as KINDS
from harness.common.files import whole_files
from harness.records.schema import INTEGER, NUMBER, TEXT, Column, arrow

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.sensitivity import Measures
    from harness.analysis.sensitivity.summary import Table

VALUES = {
    "measure": Column(TEXT, "", "what is measured, such as tuning_cost"),
    "method": Column(TEXT, "", "of which method"),
    "other": Column(TEXT, "", "the method that it is compared with; null: the number is the method's own"),
    "environment": Column(TEXT, "", "where: a protocol with its target; null: over all environments"),
    "of": Column(TEXT, "", "what of it: a hyper-parameter, a way of choosing, what a cost is counted in"),
    "unit": Column(TEXT, "", "of value, low and high; beside another method: difference or ratio"),
    "value": Column(NUMBER, "{unit}", "the number; inf: a cost without end; null: there is none, see why"),
    "low": Column(NUMBER, "{unit}", "2.5 % of the resamples of the seeds are below; null: no interval"),
    "high": Column(NUMBER, "{unit}", "2.5 % of the resamples of the seeds are above; null: no interval"),
    "seeds": Column(INTEGER, "seeds", "whose mean it is, and which are resampled"),
    "why": Column(TEXT, "", "why there is no number, or no interval; empty: there is"),
}
"""Columns of measures.parquet."""
CURVES = {
    "curve": Column(TEXT, "", "budget, hit, profile, ecdf or dimension"),
    "method": VALUES["method"],
    "environment": VALUES["environment"],
    "x": Column(NUMBER, "", "settings drawn, a factor, iterations or hyper-parameters tuned"),
    **{name: VALUES[name] for name in ("value", "low", "high", "unit", "seeds")},
}
"""Columns of curves.parquet."""
NAMES = ("measures.parquet", "curves.parquet", "measures.csv", "chosen.csv", "tables.tex")
FIGURES = tuple(
    f"{name}.{kind}" for name in ("performance", "budget", "cost", "shares", "ecdf") for kind in KINDS
)
"""All that may be drawn."""
FOLDER = "sensitivity"
AND = ","
"""Between the names of grids; no grid has it in its name."""
LONGEST = 100
"""Characters of the name of a folder."""


def folder_of(grids: Sequence[str], results: Path, target: float | None, sustained: bool) -> Path:
    """Where the files of these grids go: results/fig2/sensitivity, results/fig2,fig2-sgd/sensitivity; of
    another target results/fig1/sensitivity-2.5, of sustained passages results/fig1/sensitivity-sustained."""
    asked = [FOLDER, *([f"{target:g}"] if target is not None else []), *["sustained"] * sustained]
    name = AND.join(grids)
    if len(name) > LONGEST and len(grids) > 1:
        name = f"{name[: LONGEST - 13]}{AND}{sha256(name.encode()).hexdigest()[:12]}"
    return results / name / "-".join(asked)


def write(measured: Measures, tables: Sequence[Table], about: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the files of NAMES, all or none; the figures that were made from older ones are removed. The
    paths. `about`: where it all comes from, for the parquet files' metadata, which also say what each measure
    and curve is. NotWritten."""
    paths = [folder / name for name in NAMES]
    figures = [folder / name for name in FIGURES]
    with whole_files(paths, made_from=figures) as (values, curves, csv, chosen, tex):
        parquet(measured.values, VALUES, {**about, "measures": MEASURES}, values)
        parquet(measured.curves, CURVES, {**about, "curves": CURVE_WORDS}, curves)
        measured.values.to_csv(csv, index=False)
        measured.chosen.to_csv(chosen, index=False)
        tex.write_text(in_latex(tables, footnotes(measured, in_files=False), about["sources"]), "utf-8")
        for figure in figures:  # of what these files take the place of
            if figure.is_file():
                figure.unlink()
    return paths


def parquet(frame: pd.DataFrame, columns: Mapping[str, Column], about: Mapping[str, Any], path: Path) -> None:
    """Write a frame with these columns; `about` and the columns' meanings become its metadata."""
    table = pa.Table.from_pandas(frame, arrow(dict(columns)), preserve_index=False)
    text = json.dumps(about, allow_nan=False).encode()
    pq.write_table(table.replace_schema_metadata({b"harness": text}), path, compression="zstd")


def for_programs(measured: Measures, about: Mapping[str, Any]) -> dict[str, Any]:
    """The frame of numbers as strict JSON: an infinite number is "never", one that is not known is null."""
    rows = measured.values.astype(object).where(measured.values.notna(), None).to_dict("records")
    infinite = float("inf")
    plain = [
        {str(key): "never" if value == infinite else value for key, value in row.items()} for row in rows
    ]
    return {**about, "measures": plain}
