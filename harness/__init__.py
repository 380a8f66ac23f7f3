"""harness: how sensitive is a meta-learner to its learning rates?

`harness.load("fig2")` gives a grid's trials and trajectories; `python -m harness --help` lists the commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.records.tables import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    if name == "load":  # late: pandas and pyarrow are slow to import
        from harness.records.tables import load

        return load
    raise AttributeError(name)
