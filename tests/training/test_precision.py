"""How float32 numbers are multiplied: refused in one line where a device cannot, before anything trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import harness
from harness.cell import Cell, Protocol, protocol_of
from harness.common.errors import UserError
from harness.records.store import Store
from harness.training import pack, precision
from tests.conftest import SMALL
from tests.sweeping.tiny import grid_file

pytestmark = pytest.mark.usefixtures("noise")

TENSOR_CORES = ("tf32", "tf32x3")
ON_CPU = "precision '{}': only a GPU multiplies so; train with DEVICE=cuda, or write float32"


def small(**fields: Any) -> Protocol:
    return protocol_of(**SMALL.model_dump() | fields)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """As on a machine with two GPUs of these capabilities, and with Triton."""
    capabilities = [(9, 0), (8, 0)]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(capabilities))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda at: capabilities[at])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda at: f"GPU {at}")
    monkeypatch.setattr(precision, "find_spec", lambda name: name)
    return capabilities


def refused(*arguments: Any) -> str:
    with pytest.raises(UserError) as error:
        precision.check(*arguments)
    return str(error.value)


@pytest.mark.parametrize("of", TENSOR_CORES)
def test_a_cpu_has_none_of_the_tensor_cores(of: str, tmp_path: Path) -> None:
    """However one comes there: a pack, a cell, a grid."""
    cell = Cell(protocol=small(precision=of), method="maml", hyper={"alpha0": 0.1, "beta0": 0.01}, seed=0)
    grid = grid_file(tmp_path)
    grid.write_text(grid.read_text().replace("filters: 4", f"filters: 4\n  precision: {of}"))
    for train in (
        lambda: pack.Pack([cell], torch.device("cpu")),
        lambda: harness.run(cell, max_iterations=1),
        lambda: harness.run(grid, results=tmp_path / "results"),
    ):
        with pytest.raises(UserError) as error:
            train()
        assert str(error.value) == ON_CPU.format(of)
    assert not Store(tmp_path / "results").scan().headers
    assert refused(cell.protocol, "cpu", "auto") == ON_CPU.format(of)


@pytest.mark.parametrize("of", ["float32", "float64"])
def test_every_device_has_the_others(of: str) -> None:
    for device in ("cpu", "cuda", "meta"):
        precision.check(small(precision=of), device)


@pytest.mark.parametrize("of", TENSOR_CORES)
def test_the_oldest_gpu_counts(of: str, gpus: list[tuple[int, int]]) -> None:
    precision.check(small(precision=of), "cuda")
    gpus[1] = (7, 5)
    expected = (
        f"precision '{of}': GPU 1 has compute capability 7.5; GPUs multiply so from 8.0 on; write float32"
    )
    assert refused(small(precision=of), "cuda") == expected
    precision.check(small(precision=of), "cuda", "auto")  # a cluster's GPUs are elsewhere
    precision.check(small(), "cuda")


def test_three_products_need_triton(gpus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "find_spec", lambda name: None)
    precision.check(small(precision="tf32"), "cuda")
    expected = "precision 'tf32x3': needs Triton, which comes with torch for GPUs; write float32 or tf32"
    assert refused(small(precision="tf32x3"), "cuda") == expected


@pytest.mark.parametrize("fields", [{"problem": "sinusoid"}, {"network": "mlp", "dataset": "glyphs"}])
def test_three_products_are_those_of_the_papers_network(gpus: None, fields: dict[str, str]) -> None:
    precision.check(protocol_of(precision="tf32", **fields), "cuda")
    said = refused(protocol_of(precision="tf32x3", **fields), "cuda")
    assert said.startswith("precision 'tf32x3': only conv4 on images of 28 x 28 pixels in one channel")
    assert said == refused(protocol_of(precision="tf32x3", **fields), "cuda", "auto")


def test_torch_multiplies_in_tf32_where_the_protocol_says_so() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        for of, expected in (("tf32", "high"), ("tf32x3", "highest"), ("float64", "highest")):
            precision.use(small(precision=of))
            assert torch.get_float32_matmul_precision() == expected
    finally:
        torch.set_float32_matmul_precision(before)
