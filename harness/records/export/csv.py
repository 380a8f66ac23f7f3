"""Both tables of a grid as comma-separated values, every number exact, and what their columns mean."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.records.export.asked import Asked, not_run

COLUMNS = "columns.csv"


def write(asked: Asked, folder: Path) -> list[str]:
    """trials.csv, trajectories.csv, and columns.csv, which describes theirs: see records.export.Format.

    A number has as few digits as name it alone among all doubles. An empty field is null: what that means is
    in columns.csv.
    """
    meanings = []
    for file, frame, columns in asked.described():
        table = Path(file).with_suffix(".csv").name
        frame.to_csv(folder / table, index=False, lineterminator="\n")
        for name, column in columns.items():
            meanings.append((table, name, str(column.type), column.unit, column.meaning))
    heads = ["table", "column", "type", "unit", "meaning"]
    pd.DataFrame(meanings, columns=heads).to_csv(folder / COLUMNS, index=False, lineterminator="\n")
    return [*not_run(asked.tables.trials), f"an empty field is null: {COLUMNS} says what that means"]
