"""`harness weights`, and what a plain torch program makes of its file."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from harness.common.places import ROOT
from harness.problems import problem_of
from harness.records.store import Store
from tests.cli.conftest import Run

GRID = """
title: Kept
figure: {kind: losses}
protocol: PROTOCOL
target_loss: null
max_iterations: 3
keep_weights: KEEP
cells:
  - {method: METHOD, alpha0: 0.4, beta0: 1e-2}
"""
FIVE_WAY = (
    "{dataset: glyphs, n_way: 5, meta_batch: 2, validation_tasks: 3, loss_scale: SCALE, head_init: normal}"
)
SINUSOID = "{preset: sinusoid, meta_batch: 2, width: 5}"


@pytest.fixture
def swept(harness: Run, results: Path, tmp_path: Path) -> Any:
    """A sweep of one cell; returns its header."""

    def sweep(protocol: str, method: str = "maml", keep: str = "true") -> Any:
        path = tmp_path / "kept.yaml"
        text = GRID.replace("PROTOCOL", protocol).replace("METHOD", method).replace("KEEP", keep)
        path.write_text(text)
        said = harness("sweep", str(path), "--runner", "serial")
        assert said.code == 0, said.err
        (header,) = Store(results).scan().headers.values()
        return header

    return sweep


@pytest.mark.parametrize("scale", ["mean", "sum_over_shots"])
def test_the_readmes_network_gets_the_same_loss(
    scale: str, harness: Run, swept: Any, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = swept(FIVE_WAY.replace("SCALE", scale))
    cell_id = header.cell.cell_id
    monkeypatch.chdir(tmp_path)
    said = harness("weights", cell_id[:6], "--out", "maml.safetensors")
    assert said.code == 0
    assert said.out.startswith("maml.safetensors\n") or "maml.safetensors" in said.out
    (block,) = (
        one
        for one in re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
        if "class Conv4" in one
    )
    space: dict[str, Any] = {"__name__": "readme"}
    exec(block, space)
    network = space["network"]
    with safe_open("maml.safetensors", "pt") as file:
        about = file.metadata()
    assert (about["cell_id"], about["iterations"], about["inner_steps"]) == (cell_id, "3", "1")
    rate = float(about["inner_rate"])
    assert rate == 0.4
    moved = {n: p for n, p in network.named_parameters() if n.endswith("weight") and p.dim() > 1}
    moved["head.bias"] = network.head.bias
    tasks = problem_of(header.cell.protocol).tasks(0, "validation", 0)
    losses = []
    for images, targets, query, query_targets in zip(*tasks, strict=True):
        whole = cross_entropy(network(images), targets) * (5 if scale == "sum_over_shots" else 1)
        slopes = torch.autograd.grad(whole, list(moved.values()))
        adapted = {n: p - rate * slope for (n, p), slope in zip(moved.items(), slopes, strict=True)}
        scores = functional_call(network, dict(network.named_parameters()) | adapted, query)
        losses.append(cross_entropy(scores, query_targets).item())
    recorded = Store(results).read(cell_id).rows["val_loss"][-1].as_py()
    assert sum(losses) / len(losses) == pytest.approx(recorded, rel=1e-5)


@pytest.mark.parametrize(
    ("method", "rates"),
    [
        ("maml", {}),
        ("meta-sgd", {"layer0.weight": [5, 1], "layer1.bias": [5], "layer2.weight": [1, 5]}),
        ("lslr", {"layer0.weight": [1], "layer1.bias": [1], "layer2.weight": [1]}),  # of one step
    ],
)
def test_learned_rates_go_along(
    method: str, rates: dict[str, list[int]], harness: Run, swept: Any, tmp_path: Path
) -> None:
    header = swept(SINUSOID, method)
    path = tmp_path / "one.safetensors"
    assert harness("weights", header.cell.cell_id, "--out", str(path)).code == 0
    found = load_file(path)
    names = {name.removeprefix("rate.") for name in found if name.startswith("rate.")}
    weights = {name for name in found if not name.startswith("rate.")}
    assert weights == {f"layer{i}.{kind}" for i in range(3) for kind in ("weight", "bias")}
    assert names == (weights if rates else set())
    assert {name: list(found[f"rate.{name}"].shape) for name in rates} == rates


def test_without_kept_weights_it_is_said_in_one_line(harness: Run, swept: Any) -> None:
    header = swept(SINUSOID, keep="false")
    said = harness("weights", header.cell.cell_id)
    assert said.code == 2
    assert "no weights of iteration 3 are kept; write keep_weights: true in its grid" in said.err
    assert len(said.err.splitlines()) == 1
    assert harness("weights", "f00").err.startswith("harness: cell 'f00': not the beginning of any record id")


def test_status_tells_the_disk_that_they_take(harness: Run, swept: Any) -> None:
    header = swept(SINUSOID)
    said = harness("status")
    assert re.search(r"the weights of 1 run, [\d.]+ KiB", said.out)
    kept = json.loads(harness("status", "--json").out)["kept"]
    assert (kept["checkpoints"], kept["weights"]) == (0, 1)
    assert kept["bytes"] > 100
    assert header.ending == "budget"


@pytest.mark.parametrize(("text", "why"), [("two", "write a size such as 2GiB"), ("-1", "write a size")])
def test_a_room_that_is_no_size_is_refused(harness: Run, tiny: str, text: str, why: str) -> None:
    said = harness("sweep", tiny, "--checkpoints", text, "--runner", "serial")
    assert said.code == 2
    assert why in said.err


def test_seconds_that_are_none_are_refused(harness: Run, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CHECKPOINT_SECONDS", "often")
    said = harness("sweep", tiny, "--runner", "serial")
    assert said.code == 2
    assert said.err == (
        "harness: HARNESS_CHECKPOINT_SECONDS: 'often' is no number of seconds; without it there are 300\n"
    )


@pytest.mark.usefixtures("reference_folder")
def test_published_weights_come_back_with_their_records(
    harness: Run, swept: Any, results: Path, reference_folder: Path, tmp_path: Path
) -> None:
    """So a sweep of the grid, which keeps weights, has nothing left to train."""
    header = swept(SINUSOID)
    path = str(tmp_path / "kept.yaml")
    assert harness("publish", path).code == 0
    (published,) = (reference_folder / "kept" / "weights").iterdir()
    own = results / "store" / "weights" / f"{header.cell.cell_id}-3.safetensors"
    assert published.read_bytes() == own.read_bytes()
    shutil.rmtree(results)
    said = harness("restore", "kept")
    assert said.out.rstrip().endswith("and the weights of 1 run")
    assert own.read_bytes() == published.read_bytes()
    assert harness("publish", path).code == 0  # what is published stays
    own.unlink()
    assert harness("publish", path).code == 0
    assert published.exists()
    assert harness("restore", "kept").out.count("the weights of 1 run") == 1
    assert "1 to run" not in harness("sweep", path, "--runner", "serial").out


def test_a_sweep_makes_the_meta_test_that_its_grid_asks_for(
    harness: Run, results: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tested.yaml"
    text = GRID.replace("PROTOCOL", SINUSOID).replace("METHOD", "maml")
    path.write_text(text.replace("keep_weights: KEEP", "meta_test: {tasks: 4, steps: 2}"))
    said = harness("sweep", str(path), "--runner", "serial")
    assert said.code == 0
    assert (results / "tested" / "metatest.parquet").exists()
    assert (results / "tested" / "metatest.png").exists()
    assert re.search(r"^MAML +2 +[\d.]+", said.out, re.M), said.out
