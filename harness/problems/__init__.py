"""What is learned: problems, the data sets and networks that they use, random streams."""

from __future__ import annotations

from harness.problems.base import PROBLEMS, Batch, Problem, Tasks, problem_of
from harness.problems.few_shot import FewShot
from harness.problems.sinusoid import Sinusoid

for _problem in (FewShot, Sinusoid):
    PROBLEMS.add(_problem.name, _problem, _problem.__module__)

__all__ = ["PROBLEMS", "Batch", "Problem", "Tasks", "problem", "problem_of"]


def problem(kind: type[Problem]) -> type[Problem]:
    """Decorator: make a problem known. UserError: its name is taken."""
    PROBLEMS.add(kind.name, kind, kind.__module__)
    return kind
