"""A grid's tables in the files of other people's programs. A format is a file here: its name with an
underscore for a hyphen, with a function `write`; and its line in FORMATS."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from harness.common import places
from harness.common.errors import UserError
from harness.common.files import whole_folder
from harness.common.text import one_line
from harness.records import provenance
from harness.records.export.asked import Asked

ABOUT = "about.json"
"""The file in every export that says what it is, and from which records."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write tables. Its file has `write(asked, folder)`: it fills an empty folder, and returns a
    line for each thing that a reader should know, such as what is left out. UserError: there is nothing to
    write."""

    title: str
    """What it is, for the help."""
    needs: str = ""
    """The package that writing takes; empty: none beside ours."""
    extra: str = ""
    """The extra of this project that installs it."""
    prints: bool = False
    """Whether it writes the table that a paper would print, `Asked.printed`."""


FORMATS = {
    "syne-tune": Format(title="blackbox files of Syne Tune, one folder a method"),
    "mfpbench": Format(title="tables for mfpbench.TabularBenchmark, one a method and protocol"),
    "optuna": Format(
        title="a journal of Optuna, one study a method and protocol", needs="optuna", extra="race"
    ),
    "croissant": Format(title="both tables, described in Croissant (JSON-LD)"),
    "csv": Format(title="both tables as comma-separated values"),
    "latex": Format(title="a table for a paper, for booktabs", prints=True),
    "markdown": Format(title="the same table in Markdown", prints=True),
    "tensorboard": Format(
        title="event files with scalars and hyper-parameters", needs="tensorboard", extra="export"
    ),
}


def check(name: str) -> None:
    """UserError: there is no such format, or what writes it is not installed."""
    if name not in FORMATS:
        near = difflib.get_close_matches(name, FORMATS, n=1)
        hint = (
            f"did you mean {near[0]}? (all: {', '.join(FORMATS)})" if near else f"one of {', '.join(FORMATS)}"
        )
        raise UserError(f"format '{one_line(name, 40)}' is unknown: {hint}")
    known = FORMATS[name]
    if not known.needs:
        return
    try:
        import_module(known.needs)
    except ImportError as error:
        pip = f".venv/bin/pip install --editable '.[{known.extra}]'"
        pip = pip if places.CHECKOUT else f"pip install 'harness[{known.extra}]'"
        why = one_line(str(error), 80)
        raise UserError(f"format {name} needs the package {known.needs} ({why}): {pip}") from None


def check_folder(folder: Path) -> None:
    """UserError: there is something in this folder that is no export, and would be lost."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ABOUT).is_file():
        raise UserError(f"{folder}: holds other files; choose an empty folder, or a new one")


def write(name: str, asked: Asked, folder: Path) -> list[str]:
    """Write the tables in this format into a folder of their own, whole or not at all, in place of an older
    export. What the format's own `write` has to say. UserError: see `check`, `check_folder` and the format.
    NotWritten."""
    check(name)
    check_folder(folder)
    fill: Callable[[Asked, Path], list[str]] = import_module(f"{__name__}.{name.replace('-', '_')}").write
    with whole_folder(folder) as made:
        notes = fill(asked, made)
        about = {
            "format": name,
            "grid": asked.name,
            "source": asked.source,
            "notes": notes,
            "versions": provenance.of_code(),
        }
        (made / ABOUT).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    return notes
