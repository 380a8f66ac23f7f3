"""Where things are: in the checkout that holds this code, or else in the working directory.

An installed package comes with its grids and reference records; results go to the working directory.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.common.errors import UserError

_PACKAGE = Path(__file__).resolve().parent.parent
CHECKOUT = None if (_PACKAGE / "sweeps").is_dir() else _PACKAGE.parent
"""None: an installed package, which has its grids inside, whatever lies beside it."""
ROOT = CHECKOUT or Path()
"""For an installed package, whatever folder is the working folder."""

SWEEPS = ROOT / "sweeps" if CHECKOUT else _PACKAGE / "sweeps"
RESULTS = ROOT / "results"
REFERENCE = RESULTS / "reference" if CHECKOUT else _PACKAGE / "reference"
"""The committed records of the paper's grids."""


def path(text: str, what: str) -> Path:
    """A path that a person wrote; `~` is their home. `what`: where they wrote it, for the message.

    UserError: it is empty, or `~` is nobody's.
    """
    if not text:
        raise UserError(f"{what}: empty; write a path, or leave it out")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{what} {text}: there is no such home folder; write the whole path") from None


def data() -> Path:
    """The folder for downloads and caches: HARNESS_DATA, or `data/`. It need not exist yet."""
    return _from_environment("HARNESS_DATA") or ROOT / "data"


def omniglot() -> Path:
    """The folder that holds Omniglot as zips or extracted folders: OMNIGLOT_ROOT, or that of `data`."""
    return _from_environment("OMNIGLOT_ROOT") or data()


def settle() -> None:
    """Write into the environment what this process and those that it starts elsewhere need: absolute
    folders, and a home folder if there is none, as for an account of a container: Ray asks for it on import.
    UserError: as in `path`, or the working folder was deleted."""
    try:
        Path.cwd()
    except OSError:
        raise UserError("the working folder no longer exists; go to one that does") from None
    if not os.environ.get("HOME"):
        os.environ.pop("HOME", None)  # then it is the account's own, if there is one
        if os.path.expanduser("~") == "~":  # noqa: PTH111
            os.environ["HOME"] = tempfile.gettempdir()
    os.environ["HARNESS_DATA"] = str(data().absolute())
    if found := _from_environment("OMNIGLOT_ROOT"):
        os.environ["OMNIGLOT_ROOT"] = str(found.absolute())


def _from_environment(name: str) -> Path | None:
    """None: the variable is not set, or it is blank. Blanks and line ends around a path are left out: they
    come from files of settings."""
    text = os.environ.get(name, "").strip()
    return path(text, name) if text else None


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
