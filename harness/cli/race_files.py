"""The files of `harness race`: numbers and curves for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.sensitivity_files import parquet
from harness.common.files import FIGURES as KINDS
from harness.common.files import whole_files
from harness.records.schema import INTEGER, NUMBER, TEXT, Column
from harness.study.race import written
from harness.study.race.contenders import TITLES
from harness.study.race.headline import MEASURES

if TYPE_CHECKING:
    import pandas as pd

VALUES = {
    "measure": Column(TEXT, "", "what is measured, such as worth_by_loss"),
    "racer": Column(TEXT, "", "of whom"),
    "other": Column(TEXT, "", "the racer that it is set beside; null: the number is its own"),
    "of": Column(TEXT, "", "after how many whole budgets"),
    "unit": Column(TEXT, "", "of value, low and high; empty: the loss's"),
    "value": Column(NUMBER, "{unit}", "the number; inf and -inf as the measure says; null: there is none"),
    "low": Column(NUMBER, "{unit}", "2.5 % of the resamples of the seeds are below; null: no interval"),
    "high": Column(NUMBER, "{unit}", "2.5 % of the resamples of the seeds are above; null: no interval"),
    "first": Column(NUMBER, "runs", "of a worth: the smallest that could have come out"),
    "last": Column(NUMBER, "runs", "of a worth: the largest that could have come out"),
    "seeds": Column(INTEGER, "seeds", "training seeds, which are resampled"),
    "why": Column(TEXT, "", "why there is no number, no interval, or none that is finite; empty: there is"),
}
"""Columns of race.parquet."""
CURVES = {
    "curve": Column(TEXT, "", "hit: probability that the target has been reached; best: best loss so far"),
    "racer": VALUES["racer"],
    "x": Column(NUMBER, "iterations", "meta-iterations spent, abandoned runs included"),
    **{name: VALUES[name] for name in ("value", "low", "high", "seeds")},
}
"""Columns of curves.parquet."""
NAMES = (written.NUMBERS, written.CURVES, "race.csv")
FIGURES = tuple(f"race.{kind}" for kind in KINDS)


def write(numbers: pd.DataFrame, curves: pd.DataFrame, about: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the files of NAMES, all or none; the figures made from older ones are removed. NotWritten."""
    paths, figures = [folder / name for name in NAMES], [folder / name for name in FIGURES]
    with whole_files(paths, made_from=figures) as (*tables, csv):
        _tables(numbers, curves, about, *tables)
        numbers.to_csv(csv, index=False)
        for figure in figures:
            figure.unlink(missing_ok=True)
    return paths


def keep(
    numbers: pd.DataFrame, curves: pd.DataFrame, about: Mapping[str, Any], command: str, folder: Path
) -> list[Path]:
    """Write the numbers and the curves with the reference, and a README, all or none. command: that made
    them. NotWritten."""
    lines = [
        f"# {about['grid']}: a race",
        "",
        f"`{written.NUMBERS}` has every number of the race with its interval, `{written.CURVES}` the",
        "curves of its figure; what their columns mean is in the files' metadata.",
        "docs/sensitivity.md says what a race is.",
        "",
        *(f"- {name}: {source}" for name, source in about["sources"].items()),
        *(f"- {note}" for note in about["notes"]),
        "",
        f"Made by `{command}`.",
        "",
    ]
    paths = [folder / name for name in (*NAMES[:2], "README.md")]
    with whole_files(paths) as (*tables, page):
        _tables(numbers, curves, about, *tables)
        page.write_text("\n".join(lines), "utf-8")
    return paths


def _tables(
    numbers: pd.DataFrame, curves: pd.DataFrame, about: Mapping[str, Any], values: Path, points: Path
) -> None:
    described = {**about, "racers": TITLES}
    parquet(numbers, VALUES, {**described, "measures": MEASURES}, values)
    parquet(curves, CURVES, described, points)


def for_programs(numbers: pd.DataFrame, about: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers as strict JSON: inf is "over", -inf "under"; of a cost, inf is "never"."""
    rows = numbers.astype(object).where(numbers.notna(), None).to_dict("records")
    plain = [{str(key): _plain(value, row) for key, value in row.items()} for row in rows]
    return {**about, "numbers": plain}


def _plain(value: Any, row: Mapping[Any, Any]) -> Any:
    if value == float("inf"):
        return "over" if str(row["measure"]).startswith("worth") else "never"
    return "under" if value == -float("inf") else value
