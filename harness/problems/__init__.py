"""What is learned: problems, the data sets and networks that they use, random streams."""

from __future__ import annotations

from harness.problems.base import PROBLEMS, Batch, Problem, Tasks, check, problem_of, tested_on
from harness.problems.brought import dataset, problem
from harness.problems.few_shot import FewShot
from harness.problems.sinusoid import Sinusoid

for _problem in (FewShot, Sinusoid):
    PROBLEMS.add(_problem.name, _problem, _problem.__module__)

__all__ = ["PROBLEMS", "Batch", "Problem", "Tasks", "check", "dataset", "problem", "problem_of", "tested_on"]
