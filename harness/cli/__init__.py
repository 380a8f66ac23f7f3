"""The commands: `harness`, or `python -m harness`. `make help` lists short forms of the usual ones."""

from __future__ import annotations

import logging
import os
import sys

from harness.cli.codes import FAILED, INTERRUPTED
from harness.cli.signals import Interrupted, Signals
from harness.cli.streams import sturdy

SURROUNDINGS = {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
"""For matplotlib, whatever a notebook exports (a backend that is not installed here) or a user prefers."""


def main() -> None:
    """Run a command, and exit. All that ends it early is one line on standard error, except a bug.

    What is imported here is light: the commands load later, where an interrupt is caught.
    """
    if os.environ.pop("PYTHONOPTIMIZE", None) and sys.flags.optimize:  # Ray and our help need docstrings
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    os.environ.update(SURROUNDINGS)
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # matplotlib reads it, although our figures have no date
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a home folder that is not writable
    with sturdy() as (stdout, stderr), Signals() as signals:
        try:
            from harness.cli.app import run

            code = run(sys.argv[1:])
            signals.over = code == INTERRUPTED
        except BaseException as error:
            if not (signals.came or isinstance(error, KeyboardInterrupt | Interrupted)):
                raise
            signals.over = True
            stderr.write("harness: interrupted\n")
            code = INTERRUPTED
        stdout.flush()
        if stdout.lost is not None and not isinstance(stdout.lost, BrokenPipeError):  # `| head` is no loss
            stderr.write(f"harness: some of the output could not be written: {stdout.reason}\n")
            code = code or FAILED
    sys.exit(code)
