"""Tables for mfpbench, read by mfpbench itself where it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from harness.records import export
from tests.records.export.made_up import asked, cell, made, square


@pytest.fixture
def path(tmp_path: Path) -> Path:
    export.write("mfpbench", asked(made(*square())), tmp_path / "out")
    return tmp_path / "out" / "maml" / "sinusoid.parquet"


def test_means_over_the_seeds(path: Path) -> None:
    table = pd.read_parquet(path)
    assert table.index.names == ["id", "iteration"]
    assert table.index.tolist() == [("0", 5), ("0", 10), ("1", 5), ("1", 10)]
    assert table["alpha0"].tolist() == [1, 1, 10, 10]
    assert table["val_loss"].tolist() == pytest.approx([101.1, 101.15, 110.1, 110.15], abs=1e-12)
    assert table["elapsed_iterations"].tolist() == [5, 10, 5, 10]


def test_a_file_for_each_method_and_protocol(tmp_path: Path) -> None:
    trials = [*square(), *square(changes='{"width": 3}'), *square(method="fomaml")]
    notes = export.write("mfpbench", asked(made(*trials)), tmp_path / "out")
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.parquet")}
    assert files == {"maml/sinusoid.parquet", "maml/sinusoid_width=3.parquet", "fomaml/sinusoid.parquet"}
    assert notes == ["means over 2 seeds; --seeds chooses"]


def test_it_is_unknown_where_one_seed_stopped(tmp_path: Path) -> None:
    trials = square(target=2)
    trials[0] = cell(0, alpha0=1.0, ending="stopped", passage=7, ran=7, target=2)
    export.write("mfpbench", asked(made(*trials)), tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "maml" / "sinusoid.parquet")
    assert table["val_loss"].isna().tolist() == [False, True, False, False]
    assert table["reached"].tolist() == [0, 0.5, 0, 0]


def test_mfpbench_reads_it(path: Path) -> None:
    why = "mfpbench needs NumPy 1, or ConfigSpace 0.6.1 compiled here: see docs/records.md"
    mfpbench: Any = pytest.importorskip("mfpbench", reason=why, exc_type=Exception)
    metric = mfpbench.metric.Metric

    @dataclass(frozen=True, eq=False, unsafe_hash=True)
    class MAML(mfpbench.TabularConfig):
        alpha0: float

    @dataclass(frozen=True)
    class Losses(mfpbench.Result):
        metric_defs: ClassVar[Any] = {
            "val_loss": metric(minimize=True),
            "elapsed_iterations": metric(minimize=True),
        }
        default_value_metric = "val_loss"
        default_cost_metric = "elapsed_iterations"
        val_loss: Any
        elapsed_iterations: Any

    table = pd.read_parquet(path)
    keys = {"id_key": "id", "fidelity_key": "iteration", "config_type": MAML, "result_type": Losses}
    benchmark = mfpbench.TabularBenchmark("made-up", table, **keys)
    assert set(benchmark.configs) == {"0", "1"}
    result = benchmark.query({"alpha0": 10.0}, at=5)
    assert result.error == pytest.approx(110.1, abs=1e-12)
    assert result.cost == 5
    assert [one.fidelity for one in benchmark.trajectory(benchmark.configs["0"], step=1)] == [5, 10]
