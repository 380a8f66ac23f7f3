"""docs/sensitivity.md and the README say what the reference records say, and their Python runs as shown."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity.in_environment import ITERATIONS
from harness.common import pages
from harness.study import page
from harness.study.page import ALPHA_MAML, MAML, PAGE, PAIR, PPO, README, numbers

TEXT = PAGE.read_text()


@pytest.mark.parametrize("path", [README, PAGE], ids=lambda path: path.name)
def test_the_page_is_up_to_date(path: Path) -> None:
    """If this fails, run `harness publish page`."""
    assert pages.filled(path.read_text(), page.TABLES) == path.read_text()


def test_every_table_stands_on_the_page() -> None:
    assert sorted(pages.names(TEXT)) == sorted(page.TABLES)
    assert pages.names(README.read_text()) == ["headline"]


@pytest.mark.skipif(not PPO.exists(), reason="the table of Adkins et al. is not beside the project")
def test_what_is_said_of_ppo() -> None:
    table = TEXT.split("<!-- numbers: ppo -->")[1]
    rows = re.findall(
        r"^\| ([\w, ]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", table, re.MULTILINE
    )
    tuned, default, phi = ({name: float(row[i]) for name, *row in rows} for i in range(3))
    assert len(rows) == 7
    better = [name for name in tuned if tuned[name] > tuned["PPO"]]
    assert len(better) == 3
    assert all(phi[name] > phi["PPO"] for name in better)
    assert max(phi, key=lambda name: phi[name]) == "advantages scaled by percentiles"
    assert sum(default[name] < default["PPO"] for name in better) == 2


def ratios() -> dict[str, float]:
    """Environment of the reference's other grids -> Alpha-MAML's tuning cost as a share of MAML's."""
    return {
        f"{grid} {place}": numbers(grid).find("tuning_cost", ALPHA_MAML, place, ITERATIONS, other=MAML).value
        for grid in page.GRIDS
        for place in numbers(grid).runs.environments
    }


def test_what_is_said_in_short() -> None:
    """The sentences of its first section."""
    found = ratios()
    own = found.pop("fig2 paper-adam, target 2.5")
    assert round(1 / own) in (4, 5)
    assert min(found.values()) > 1 / 33
    assert max(found.values()) < 0.5
    largest = sorted(found, key=lambda name: found[name])[-2:]
    assert {name.split(", target")[0] for name in largest} == {
        "readings paper-adam, head_init=normal",
        "fig2-sgd paper-sgd",
    }
    assert numbers("fig2").effects("share_of_count", MAML, "paper-adam, target 2.5")[PAIR] > 0.99
    readings = numbers("readings")
    assert readings.value("sensitivity", MAML) == 0
    assert readings.value("default", ALPHA_MAML) > readings.value("tuned", MAML)


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_a_table_of_another_field_is_measured_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"method": method, "task": task, "lr": lr, "decay": decay, "seed": seed, "loss": rng.random()}
        for method, task, lr, decay, seed in product(["a", "b"], ["x", "y"], [0.1, 1], [0, 1], range(3))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "runs.csv", index=False)
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    exec(blocks()[0], space)
    assert {path.stem for path in (tmp_path / "figures").glob("*.png")} >= {"performance", "budget", "shares"}
    if PPO.exists():
        (tmp_path / "data_expected_over_seeds.csv").symlink_to(PPO)
        exec(blocks()[1], space)
        assert len(space["runs"].methods) == 7  # type: ignore[attr-defined]
