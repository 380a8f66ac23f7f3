"""The commands: `python -m harness`, or `harness`. `make help` lists short forms of the usual ones."""

from __future__ import annotations

import logging
import os
import sys

import typer

from harness.cli import bench, cell, claims, compare, data, grids, plot, publish, restore, show, status, sweep
from harness.cli.console import FAILED, INTERRUPTED, USER_ERROR, err, say
from harness.common import places
from harness.common.errors import NotWritten, UserError

app = typer.Typer(
    help=__doc__.splitlines()[0] if __doc__ else None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _example(words: str) -> str:
    return f"Example: harness {words}"


app.command(epilog=_example("sweep fig2 --seeds 0-4 --where alpha0=1e-4"))(sweep.sweep)
app.command(epilog=_example("plot fig2 fig3"))(plot.plot)
app.command(epilog=_example("claims --reference"))(claims.claims)
app.command(epilog=_example("compare fig2 --seeds 0"))(compare.compare)
app.command(epilog=_example("restore fig2"))(restore.restore)
app.command(epilog=_example("status fig2"))(status.status)
app.command(epilog=_example("show 0af8e3dc481b7096"))(show.show)
app.command(epilog=_example("cell --grid quick alpha0=1 beta0=1e-2"))(cell.cell)
app.command("grids", epilog=_example("grids fig2 --cells"))(grids.list_grids)
app.command(epilog=_example("data omniglot --sheet episodes.png"))(data.data)
app.command(epilog=_example("bench --only higher,torchopt --rounds 5"))(bench.bench)
app.command(epilog=_example("publish fig2 fig3 --seeds 0"), hidden=True)(publish.publish)


SURROUNDINGS = {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
"""For matplotlib, whatever a notebook exports (a backend that is not installed here) or a user prefers."""


def main() -> None:
    """Run a command. A user's error is one line on stderr and exit code 2; what cannot be written, one line
    and exit code 1."""
    if os.environ.pop("PYTHONOPTIMIZE", None) and sys.flags.optimize:  # Ray and our help need docstrings
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    os.environ.update(SURROUNDINGS)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a home folder that is not writable
    try:
        places.settle()
        app()
    except UserError as error:
        say(f"harness: {error}", console=err)
        sys.exit(USER_ERROR)
    except NotWritten as error:
        say(f"harness: {error}", console=err)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        say("harness: interrupted", console=err)
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.filename is None:
            raise
        say(f"harness: {error.filename}: {error.strerror}", console=err)
        sys.exit(USER_ERROR)
