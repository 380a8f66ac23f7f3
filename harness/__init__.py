"""harness: how much tuning does a meta-learner need?

`harness.load("fig2")` gives a grid's trials and trajectories, `harness.run` trains a grid or a cell from
Python; `python -m harness --help` lists the commands.
What a plug-in needs is here too: `harness.Method`, `harness.Problem`, and the decorators that make them
known.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import Field

    from harness.cell import Cell, Protocol, Question, protocol_of
    from harness.common.frozen import Frozen as Fields
    from harness.methods import METHODS, Hyper, Method, method
    from harness.methods.base import Column, MetaGradient, Rate, State
    from harness.problems import PROBLEMS, Problem, Tasks, dataset, problem, problem_of
    from harness.problems.base import Curves
    from harness.problems.datasets.folder import image_folder
    from harness.problems.networks import network
    from harness.records.meta_tests import load as load_meta_test
    from harness.records.tables import load
    from harness.sweeping.run import run

_PLACES = {
    "harness.cell": ("Cell", "Protocol", "Question", "protocol_of"),
    "harness.methods": ("METHODS", "Hyper", "Method", "method"),
    "harness.methods.base": ("Column", "MetaGradient", "Rate", "State"),
    "harness.problems": ("PROBLEMS", "Problem", "Tasks", "dataset", "problem", "problem_of"),
    "harness.problems.base": ("Curves",),
    "harness.problems.datasets.folder": ("image_folder",),
    "harness.problems.networks": ("network",),
    "harness.records.tables": ("load",),
    "harness.sweeping.run": ("run",),
    "pydantic": ("Field",),
}
_OTHERWISE = {
    "Fields": ("harness.common.frozen", "Frozen"),
    "load_meta_test": ("harness.records.meta_tests", "load"),
}
_FROM = {name: (module, name) for module, names in _PLACES.items() for name in names} | _OTHERWISE

__all__ = [
    "METHODS",
    "PROBLEMS",
    "Cell",
    "Column",
    "Curves",
    "Field",
    "Fields",
    "Hyper",
    "MetaGradient",
    "Method",
    "Problem",
    "Protocol",
    "Question",
    "Rate",
    "State",
    "Tasks",
    "dataset",
    "image_folder",
    "load",
    "load_meta_test",
    "method",
    "network",
    "problem",
    "problem_of",
    "protocol_of",
    "run",
]


def __getattr__(name: str) -> Any:
    """Late: pandas and pyarrow are slow to import."""
    if name in _FROM:
        module, its = _FROM[name]
        return getattr(import_module(module), its)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")


def __dir__() -> list[str]:
    """What is public, for completion."""
    return __all__
