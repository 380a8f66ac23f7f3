"""All commands, and what they have in common: help, version, completion."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from harness.cli import (
    bench,
    cell,
    claims,
    compare,
    data,
    export,
    grids,
    meta_test,
    plot,
    publish,
    race,
    report,
    restore,
    sensitivity,
    show,
    status,
    sweep,
    weights,
)
from harness.cli.codes import FAILED, USER_ERROR
from harness.cli.console import complain, err, say
from harness.cli.signals import Interrupted
from harness.common import places
from harness.common.errors import NotWritten, UserError, reason

NAME = "harness"


def run(words: Sequence[str]) -> int:
    """Run the command; its exit code. A user's error, and what this machine refuses, is one line on standard
    error."""
    try:
        places.settle()
        return app(words, prog_name=NAME, standalone_mode=False) or 0
    except UserError as error:
        complain(str(error))
        return USER_ERROR
    except NotWritten as error:
        complain(str(error))
        return FAILED
    except TyperException as error:  # an option that does not exist, say
        where = getattr(error, "ctx", None)
        command = NAME if where is None else where.command_path
        say(f"{command}: {error.format_message().rstrip('.')} ({command} -h explains)", console=err)
        return error.exit_code
    except OSError as error:
        what = reason(error)
        complain(what if error.filename is None else f"{error.filename}: {what}")
        return FAILED if error.filename is None else USER_ERROR
    except MemoryError:
        complain("out of memory")
        return FAILED


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # a sweep handles the signals itself
            raise Interrupted from None


app = typer.Typer(
    name=NAME,
    cls=_Commands,
    help="How much tuning does a meta-learner need? `make help` lists short forms of usual commands.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and the commit, and exit.")
    ] = False,
) -> None:
    if version:
        from harness.records import provenance

        code = provenance.of_code()
        say(f"{NAME} {code['harness'] or 'unknown'}" + f", commit {code['commit']}" * bool(code["commit"]))
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
    else:
        return
    raise typer.Exit


def _add(command: Callable[..., None], words: str, hidden: bool = False) -> None:
    """words: an example of its use. Its name is the first of them."""
    name, summary = words.split()[0], inspect.getdoc(command) or ""
    app.command(
        name,
        short_help=" ".join(summary.split("\n\n")[0].split()),  # Typer's own would be cut
        epilog=f"Example: {NAME} {words}",
        hidden=hidden,
    )(command)


_add(sweep.sweep, "sweep fig2 --seeds 0-4 --where alpha0=1e-4")
_add(plot.plot, "plot fig2 fig3")
_add(meta_test.meta_test, "meta-test accuracy --steps 3")
_add(sensitivity.sensitivity, "sensitivity fig2 fig2-sgd --seeds 0-4")
_add(race.race, "race league-5way --target 0.8")
_add(claims.claims, "claims --reference")
_add(compare.compare, "compare fig2 --seeds 0")
_add(report.report, "report fig2 --beside fig2-sgd")
_add(export.export, "export fig1 --format optuna")
_add(restore.restore, "restore fig2")
_add(status.status, "status fig2")
_add(show.show, "show 0af8e3dc481b7096")
_add(weights.weights, "weights 0af8e3dc481b7096 --out weights.safetensors")
_add(cell.cell, "cell --grid quick alpha0=1 beta0=1e-2")
_add(grids.list_grids, "grids fig2 --cells")
_add(data.data, "data omniglot --sheet episodes.png")
_add(bench.bench, "bench --only higher,torchopt --rounds 5")
_add(publish.publish, "publish fig2 fig3 --seeds 0", hidden=True)
