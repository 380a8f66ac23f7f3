"""Where things are: in the checkout that holds this code, or else in the working directory.

An installed package comes with its grids and reference records; results go to the working directory.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.common.errors import UserError

_PACKAGE = Path(__file__).resolve().parent.parent
CHECKOUT = _PACKAGE.parent if (_PACKAGE.parent / "sweeps" / "quick.yaml").is_file() else None
"""None: an installed package."""
ROOT = CHECKOUT or Path.cwd()

SWEEPS = ROOT / "sweeps" if CHECKOUT else _PACKAGE / "sweeps"
RESULTS = ROOT / "results"
REFERENCE = RESULTS / "reference" if CHECKOUT else _PACKAGE / "reference"
"""The committed records of the paper's grids."""


def data() -> Path:
    """The folder for downloads and caches: `data/`, or HARNESS_DATA. It need not exist yet."""
    return Path(os.environ.get("HARNESS_DATA", ROOT / "data"))


def omniglot() -> Path:
    """The folder that holds Omniglot as zips or extracted folders: OMNIGLOT_ROOT, or `data/`."""
    return Path(os.environ.get("OMNIGLOT_ROOT") or data())


def typed(command: str, grid: str | None = None) -> str:
    """A command as one types it here: `make sweep GRID=fig2` in a checkout, else `harness sweep fig2`.

    command: sweep, plot or compare. grid: None leaves it out.
    """
    if CHECKOUT is None:
        return " ".join(["harness", command, *([grid] if grid else [])])
    target = "plots" if command == "plot" else command
    return " ".join(["make", target, *([f"GRID={grid}"] if grid else [])])


def checkout(what: str) -> Path:
    """The checkout, for commands that need one. UserError: this is an installed package."""
    if CHECKOUT is None:
        raise UserError(f"{what}: works only in a checkout of the repository; this is an installed package")
    return CHECKOUT
