"""Blackbox files of Syne Tune, as its own `blackbox_tabular.serialize` writes them: a folder for each method,
in which every protocol is a task."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.records.export.asked import Asked, file_names
from harness.records.export.curves import COST, Curves, curves, domain

FIDELITY = "iteration"


def write(asked: Asked, folder: Path) -> list[str]:
    """A folder for each method: see records.export.Format. A hyper-parameter of one value alone is no search
    space: it stands in metadata.json, under `constants`."""
    found, notes = curves(asked.name, asked.tables)
    for one, name in zip(found, file_names(one.method for one in found), strict=True):
        varied = [str(column) for column in one.settings if one.settings[column].nunique() > 1]
        if not varied:
            notes.append(f"{one.method}: left out, since it has one setting: there is nothing to search")
            continue
        every = math.prod(one.settings[column].nunique() for column in varied)
        if len(one.settings) < every:
            notes.append(
                f"{one.method}: {len(one.settings)} of the {every} combinations of its values are there; "
                "add_surrogate(blackbox, ...) answers for the others"
            )
        own = folder / name
        own.mkdir()
        _write(one, varied, own)
    return notes


def _write(one: Curves, varied: list[str], folder: Path) -> None:
    space = {name: _domain(one, name) for name in varied}
    fidelity = _uniform("Integer", lower=one.iterations[0], upper=one.iterations[-1])
    constants = {name: one.settings[name].tolist()[0] for name in one.settings if name not in varied}
    metadata = {
        "objectives_names": one.objectives,
        "task_names": one.tasks,
        "metric_elapsed_time": COST,
        "metric_default": one.objectives[0],
        "time_attr": FIDELITY,
        "seeds": one.seeds,
        "constants": constants,
    }
    files = {
        "configspace.json": space,
        "fidelityspace.json": {FIDELITY: fidelity},
        "metadata.json": metadata,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1, default=_plain) + "\n", "utf-8")
    table = pa.Table.from_pandas(one.settings[varied], preserve_index=False)
    pq.write_table(table, folder / "hyperparameters.parquet", compression="gzip")
    np.save(folder / "fidelities_values.npy", np.array(one.iterations), allow_pickle=False)
    np.save(folder / "objectives_evaluations.npy", one.values.astype(np.float32), allow_pickle=False)


def _domain(one: Curves, name: str) -> dict[str, Any]:
    """As syne_tune.config_space.to_dict has it: the grid's values, near each other where numbers are."""
    known = domain(one.settings[name])
    if not known.ordered:
        return _uniform("Categorical", categories=known.values)
    kwargs = {"categories": known.values, "log_scale": known.log}
    return {"domain_cls": "OrdinalNearestNeighbor", "domain_kwargs": kwargs}


def _uniform(domain_cls: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "domain_cls": domain_cls,
        "domain_kwargs": kwargs,
        "sampler_cls": "Uniform",
        "sampler_kwargs": {},
    }


def _plain(value: Any) -> Any:
    """A number of numpy's as one of Python's."""
    return value.item()
