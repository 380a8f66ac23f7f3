"""What is learned: problems, the data sets and networks that they use, random streams."""

from __future__ import annotations

from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.problems.base import PROBLEMS, Batch, Problem, Tasks, check, problem_of
from harness.problems.few_shot import FewShot
from harness.problems.sinusoid import Sinusoid

for _problem in (FewShot, Sinusoid):
    PROBLEMS.add(_problem.name, _problem, _problem.__module__)

__all__ = ["PROBLEMS", "Batch", "Problem", "Tasks", "check", "problem", "problem_of"]


def problem(kind: type[Problem]) -> type[Problem]:
    """Decorator: make a problem known. UserError: its name is taken, or it cannot be one."""
    if not (isinstance(kind, type) and issubclass(kind, Problem)):
        raise UserError(f"{getattr(kind, '__name__', kind)!r} is not a class that extends harness.Problem")
    PROBLEMS.add(getattr(kind, "name", None), kind, kind.__module__)  # type: ignore[arg-type]
    try:
        _check(kind)
    except UserError:
        PROBLEMS.drop(kind.name)
        raise
    return kind


def _check(kind: type[Problem]) -> None:
    """UserError: what it declares cannot be used."""
    what = f"problem '{kind.name}'"
    if not isinstance(getattr(kind, "title", None), str):
        kind.title = kind.name
    if not (isinstance(kind.Fields, type) and issubclass(kind.Fields, Frozen)):
        raise UserError(f"{what}: its Fields are not a class that extends harness.Fields")
    if needs := [name for name, field in kind.Fields.model_fields.items() if field.is_required()]:
        raise UserError(f"{what}: its field {needs[0]} needs a default: all do")
    if not isinstance(getattr(kind, "network", None), str):
        raise UserError(f"{what}: it names no network; write network = 'mlp', say")
    metrics = kind.metrics
    if not isinstance(metrics, tuple) or not all(
        isinstance(one, str) and one.isidentifier() for one in metrics
    ):
        raise UserError(f"{what}: its metrics are {metrics!r}; write a tuple of words, ('error',)")
    if "loss" in metrics:
        raise UserError(f"{what}: a metric cannot be called loss: the loss is")
