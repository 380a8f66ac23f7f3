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
from harness.records import reference
from harness.study import page
from harness.study.accuracy import FIVE_WAY, SINUSOID
from harness.study.league import ALPHA_MAML, MAML
from harness.study.page import PAGE, PAIR, PPO, README, numbers

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


def ratios(*grids: str, sustained: bool = False) -> dict[str, float]:
    """Grid and environment -> Alpha-MAML's tuning cost as a share of MAML's."""
    return {
        f"{grid} {place}": known.find("tuning_cost", ALPHA_MAML, place, ITERATIONS, other=MAML).value
        for grid in grids
        for known in [numbers(grid, sustained=sustained)]
        for place in known.runs.environments
    }


def test_the_ratios_that_are_said_in_short() -> None:
    words = " ".join(TEXT.split("## In short")[1].split("## Measure")[0].split())
    first, sustained = ratios(*page.GRIDS), ratios(*page.GRIDS, sustained=True)
    (low, high), (above,) = (
        re.findall(r"between ([\d.]+) and ([\d.]+);", words)[0],
        re.findall(r"above 1, ([\d.]+), in one", words),
    )
    assert (f"{min(first.values()):.2f}", f"{max(first.values()):.2f}") == (low, high)
    assert [f"{one:.2f}" for one in sustained.values() if one > 1] == [above]
    assert max(first, key=lambda name: first[name]) == max(sustained, key=lambda name: sustained[name])
    assert "head_init=normal" in max(first, key=lambda name: first[name])
    (fig2,) = re.findall(r"On `fig2` random search over its settings spends ([\d.]+) of", words)
    same = re.findall(
        r"the ratio is ([\d.]+) on `fig2`, ([\d.]+) on `fig1` and ([\d.]+) on `readings`", words
    )[0]
    of = [first[f"{grid} paper-adam, target 2.5"] for grid in ("fig2", "fig1", "readings")]
    assert [f"{one:.2f}" for one in of] == [*same]
    assert fig2 == same[0]


def test_every_grid_of_both_methods_is_there() -> None:
    """But those of another target, of three cells, or of weights that were perturbed; and the league, and
    those that are judged by their accuracy."""
    others = {"fig3", "fig3-sgd", "limit", "yardstick", "beyond", "chance", FIVE_WAY, SINUSOID}
    league = {name for name in reference.grids() if name.startswith(("league-", "scale-free"))}
    assert {*page.GRIDS} == reference.grids().keys() - others - league


def test_what_else_is_said_in_short() -> None:
    known = numbers("fig2")
    (where,) = known.runs.environments
    spread = {name: known.value("deviation", name, where, "count") for name in (MAML, ALPHA_MAML)}
    assert spread[ALPHA_MAML] > spread[MAML]
    of_pairs = {n: known.effects("share_of_count", n, where)[PAIR] * spread[n] ** 2 for n in spread}
    assert {n: f"{one:.3f}" for n, one in of_pairs.items()} == {MAML: "0.035", ALPHA_MAML: "0.024"}
    assert "a variance of 0.024" in " ".join(TEXT.split())
    assert known.value("reached", MAML, where) < 0.5
    for readings in (numbers("readings"), numbers("readings", sustained=True)):
        assert readings.value("sensitivity", MAML) == 0
        assert readings.value("sensitivity", ALPHA_MAML) > 0
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
        assert (tmp_path / "ppo" / "performance.png").exists()
