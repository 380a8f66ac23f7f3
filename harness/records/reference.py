"""Reference results: the committed tables of results/reference/<grid>/. See publishing.py for how they get
there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.common import places
from harness.common.errors import UserError
from harness.common.text import listed
from harness.grids.selection import seed_ranges
from harness.records import compact

if TYPE_CHECKING:
    import pandas as pd

DEVICES, COMPARED = "devices", "compare.parquet"
"""The folder for comparisons of machines, and the file of each; see harness.cli.compare."""
RACES = "races"
"""The folder of what races came to; see harness.cli.race."""
WEIGHTS = "weights"
"""In a grid's folder: the weights that are published, a file for each cell; see checkpoints.py."""
NAMED = 2
"""Commits that a line names; more are counted."""


def grids() -> dict[str, Path]:
    """The folders with reference tables, by name; folders that hold something else are left out."""
    folders = (path for path in sorted(places.REFERENCE.glob("*")) if path.name != DEVICES)
    return {path.name: path for path in folders if compact.parts(path)}


def find(grid: str) -> Path:
    """The folder of a grid's reference tables. UserError: there are none."""
    folders = grids()
    if grid not in folders:
        raise none_of(grid)
    return folders[grid]


def none_of(grid: str) -> UserError:
    """What there is instead of a grid's reference records."""
    folders = grids()
    others = f"there are some of {', '.join(folders)}" if folders else "there are none yet"
    return UserError(f"{grid}: no reference records in {places.REFERENCE}; {others}")


def describe(trials: pd.DataFrame, of: Sequence[str] = ()) -> str:
    """`185 of 185 cells of seed 0; AMD EPYC, commit abc`: what was run, on which machine, by which code.

    of: the grids that it was run for, if not for this one: `50 of 50 cells of seed 0, from fig2; ...`.
    """
    done = trials[trials["outcome"].notna()]
    seeds = [int(seed) for seed in trials["seed"].unique()]
    machines = [re.sub(r"^\w+ \((.*)\)$", r"\1", device) for device in distinct(done["device"])]
    commits = distinct(done["commit"])
    named = f"commit {listed(commits)}" if len(commits) <= NAMED else f"{len(commits)} commits"
    origins = [*machines, *([named] if commits else [])]
    asked = f"{len(done)} of {len(trials)} cells of {say_seeds(seeds)}"
    asked += f", from {', '.join(of)}" if of else ""
    return "; ".join([asked, ", ".join(origins)] if origins else [asked])


def distinct(values: Iterable[Any]) -> list[str]:
    """The texts among these values, each once."""
    return list(dict.fromkeys(str(value) for value in values if isinstance(value, str)))


def say_seeds(seeds: Sequence[int]) -> str:
    """`seed 0`, `seeds 0-4`."""
    return f"seed{'s' * (len(seeds) > 1)} {seed_ranges(seeds)}"
