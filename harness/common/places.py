"""Where things lie: the checkout that holds this package, or else the working directory."""

from __future__ import annotations

import os
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
ROOT = _CHECKOUT if (_CHECKOUT / "sweeps").is_dir() else Path.cwd()

SWEEPS = ROOT / "sweeps"
RESULTS = ROOT / "results"
REFERENCE = RESULTS / "reference"
"""The committed records of the paper's grids."""


def data() -> Path:
    """The folder for downloads and caches: `data/`, or HARNESS_DATA. Made by whoever writes there."""
    return Path(os.environ.get("HARNESS_DATA", ROOT / "data"))


def omniglot() -> Path:
    """The folder that holds Omniglot as zips or extracted folders: OMNIGLOT_ROOT, or `data/`."""
    return Path(os.environ.get("OMNIGLOT_ROOT") or data())
