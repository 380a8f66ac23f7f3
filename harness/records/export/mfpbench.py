"""Tables as mfpbench.TabularBenchmark takes them: for each method and protocol a row for each setting and
iteration, means over the seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.records.export.asked import Asked, file_names
from harness.records.export.curves import Curves, curves

ID, FIDELITY = "id", "iteration"


def write(asked: Asked, folder: Path) -> list[str]:
    """A file for each method and protocol: see records.export.Format. Their names are what `Asked` and the
    notes say, as `file_names` makes them."""
    found, notes = curves(asked.name, asked.tables)
    for one, method in zip(found, file_names(one.method for one in found), strict=True):
        own = folder / method
        own.mkdir()
        for at, task in enumerate(file_names(one.tasks)):
            table(one, at).to_parquet(own / f"{task}.parquet")
    if len(found[0].seeds) > 1:
        notes.append(f"means over {len(found[0].seeds)} seeds; --seeds chooses")
    return notes


def table(one: Curves, task: int) -> pd.DataFrame:
    """Indexed by (id, iteration), ids as text: the hyper-parameters, then the objectives. NaN where one of
    the seeds has none."""
    ids = [str(i) for i in range(len(one.settings))]
    index = pd.MultiIndex.from_product([ids, one.iterations], names=[ID, FIDELITY])
    means = one.values[task].mean(axis=1).reshape(len(index), -1)
    settings = one.settings.loc[np.repeat(np.arange(len(ids)), len(one.iterations))]
    results = pd.DataFrame(means, index, list(one.objectives))
    return pd.concat([settings.set_index(index), results], axis=1)
