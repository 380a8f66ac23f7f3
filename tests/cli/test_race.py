"""A race from made-up records: what is printed and written, what goes on, what is refused."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from harness import grids, records
from harness.cli.race_files import CURVES, FIGURES, NAMES, VALUES
from harness.common import places
from harness.records import Row, reference
from harness.records.store import Store
from harness.study import league
from harness.study.race import contenders, live, sentences, written
from harness.study.race.contenders import DEFAULT, LITERATURE, LOG_DEFAULT, PBT, RANDOM, TITLES, TPE
from tests.cli.conftest import Run, is_refused
from tests.cli.raced import COARSE, REPEATS, Trainer, fill, with_seeds, write
from tests.cli.terminal import terminal
from tests.records.test_tables import ORIGIN


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    trainer = Trainer()
    monkeypatch.setattr(live, "train", trainer)
    monkeypatch.setattr(contenders, "REPEATS", REPEATS)
    monkeypatch.setattr(contenders, "REPLAYED", {name: REPEATS[name] for name in (TPE, contenders.ASHA)})
    return trainer


@pytest.fixture
def mine(tmp_path: Path, results: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A league of two grids in this folder, with all records."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "mine", "other")
    monkeypatch.setattr(league, "LEAGUE", ("mine", "other.yaml"))
    monkeypatch.setitem(league.TARGETS, "mine", 0.9)
    monkeypatch.setitem(league.LITERATURE, "mine", league.Pair(alpha0=1.0, beta0=1e-3, source="a paper"))
    for name in ("mine.yaml", "mine-fine.yaml"):
        fill(results, name)
    return "mine.yaml"


def numbers(results: Path) -> pd.DataFrame:
    return pd.read_parquet(results / "mine" / "race" / "race.parquet")


def noted(harness: Run, grid: str) -> list[str]:
    """What a race says of who runs, without drawing it."""
    said = harness("race", grid, "--replayed", "--json")
    assert said.code == 0, said.err
    return [*json.loads(said.out)["notes"]]


def test_what_is_written(harness: Run, mine: str, results: Path, trainer: Trainer) -> None:
    said = harness("race", mine)
    assert said.code == 0, said.err
    folder = results / "mine" / "race"
    assert {path.name for path in folder.iterdir()} == {*NAMES, *FIGURES, contenders.FOLDER}
    assert len([*(folder / contenders.FOLDER).iterdir()]) == sum(REPEATS.values())
    for name, columns in (("race.parquet", VALUES), ("curves.parquet", CURVES)):
        schema = pq.read_schema(folder / name)
        assert schema.names == [*columns]
        about = json.loads(schema.metadata[b"harness"])
        assert (about["target"], about["racers"]) == (0.9, TITLES)
    rows = numbers(results)
    assert {*rows["racer"]} == {*TITLES} - {DEFAULT, LOG_DEFAULT}
    assert {*rows["seeds"]} == {2}
    assert "MAML, the literature's rates: alpha0=1 beta0=0.001 (a paper)" in said.out
    assert "What one run at random initial rates is worth" in said.out
    first, *_ = said.out.splitlines()
    who = "one run of Alpha-MAML at random initial rates, with hyper-rates drawn at random too"
    assert re.fullmatch(
        rf"On mine, {who}, is worth .* of MAML by random search, by the loss it ends with\.", first
    )
    assert sentences.headline(written.read(folder / "race.parquet")) == first
    assert trainer.asked == [REPEATS[PBT]]
    csv = pd.read_csv(folder / "race.csv")
    pd.testing.assert_frame_equal(csv[["value", "low", "high"]], rows[["value", "low", "high"]])


def test_defaults_come_from_the_other_grids(harness: Run, mine: str, results: Path, trainer: Trainer) -> None:
    with_seeds(results, 0, 1, 2, 3)
    said = harness("race", mine, "--replayed")
    assert (
        f"without {TITLES[DEFAULT]}: no records of other.yaml, on which its default would be chosen"
        in said.out
    )
    assert {*numbers(results)["seeds"]} == {4}
    assert trainer.asked == []
    fill(results, "other.yaml", best=1.0)
    said = harness("race", mine, "--replayed")
    assert said.code == 0, said.err
    # There 1 is better than .1, unlike in the race itself; both beta_hyperlr are alike: the first.
    where = "chosen on other.yaml, seeds 0-1 (mean Gamma"
    assert f"{TITLES[DEFAULT]}: alpha_hyperlr=1 beta_hyperlr=0.0001, {where}" in said.out
    assert f"{TITLES[LOG_DEFAULT]}: eta=0.5, {where}" in said.out
    rows = numbers(results)
    worth = rows[(rows["measure"] == "worth_by_loss") & (rows["racer"] == DEFAULT)]
    assert {*worth["other"]} == {RANDOM, contenders.COARSE, TPE, contenders.ASHA}


def test_nobody_races_on_the_seeds_of_the_choice(harness: Run, mine: str, results: Path) -> None:
    """Whether they are named or not. Where there are no others, the defaults are left out."""
    with_seeds(results, 0, 1, 2, 3)
    fill(results, "other.yaml")
    told = "all racers run on seeds 2-3, on which no default was chosen"
    found = []
    for asked in ([], ["--seeds", "2-3"]):
        assert told in harness("race", mine, "--replayed", *asked).out
        found.append(numbers(results))
        assert {*found[0]["seeds"]} == {2}
        pd.testing.assert_frame_equal(found[-1], found[0])
    repeats = (results / "mine" / "race" / contenders.FOLDER).iterdir()
    assert {path.stem.split("-")[2] for path in repeats} == {"seed2", "seed3"}
    said = harness("race", mine, "--replayed", "--seeds", "0-1")
    why = "its default would be chosen on seeds 0-1, and no other seed is left to race on"
    assert said.code == 0, said.err
    for name in (DEFAULT, LOG_DEFAULT):
        assert f"without {TITLES[name]}: {why}\n" in said.out, said.out
    rows = numbers(results)
    assert {*rows["racer"]} == {*TITLES} - {DEFAULT, LOG_DEFAULT, PBT}
    assert {*rows["seeds"]} == {2}


def test_a_default_is_chosen_on_its_own_seeds_alone(harness: Run, mine: str, results: Path) -> None:
    """On seeds 0 and 1 of the other grid 1 is best, on the other three 0.1: these only say what the choice is
    worth."""
    with_seeds(results, 0, 1, 2)
    write(Path(), "other", seeds=range(5))
    fill(results, "other.yaml", best=1.0, seeds=(0, 1))
    fill(results, "other.yaml", best=0.1, seeds=(2, 3, 4))
    where = r"chosen on other.yaml, seeds 0-1 \(mean Gamma (\S+) there, (\S+) on their seeds 2-4\)"
    notes = " / ".join(noted(harness, mine))
    found = re.search(rf"{TITLES[DEFAULT]}: alpha_hyperlr=1 beta_hyperlr=0.0001, {where}", notes)
    assert found is not None, notes
    assert float(found[1]) > float(found[2])


def test_a_choice_needs_its_seeds_whole(harness: Run, mine: str, results: Path) -> None:
    with_seeds(results, 0, 1, 2)
    fill(results, "other.yaml")
    by_method = {cell.method: cell.cell_id for cell in grids.load("other.yaml").cells([1])}
    path = results / "store" / f"{by_method['alpha-maml']}.parquet"
    kept = path.read_bytes()
    path.unlink()
    (line,) = (note for note in noted(harness, mine) if note.startswith("without"))
    assert re.fullmatch(
        f"without {TITLES[DEFAULT]}: other.yaml: not all cells of alpha-maml have a result of seed 1, on "
        "which its default would be chosen; make sweep .*other.yaml runs what is missing",
        line,
    )
    path.write_bytes(kept)
    (results / "store" / f"{by_method['maml']}.parquet").unlink()
    assert f"without {TITLES[DEFAULT]}: other.yaml: not all methods have seeds 0-1" in noted(harness, mine)


def test_a_method_whose_own_knobs_do_not_vary(
    harness: Run, mine: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its one setting is the default, whatever the other grids say; any and all four are the same search."""
    one = COARSE.replace("alpha_hyperlr: [0.1, 1]", "alpha_hyperlr: 0.1")
    one = one.replace("beta_hyperlr: [1e-4, 1e-3]", "beta_hyperlr: 1e-4").replace(
        "eta: [0.1, 0.5]", "eta: 0.5"
    )
    Path("mine.yaml").write_text(one)
    fill(results, "other.yaml")
    said = harness("race", mine, "--replayed")
    assert said.code == 0, said.err
    assert f"{TITLES[DEFAULT]}: nothing to choose" in said.out
    rows = numbers(results)
    costs = rows[(rows["measure"] == "tuning_cost") & rows["other"].isna()].set_index("racer")["value"]
    names = (DEFAULT, contenders.ANY_PAIR, contenders.SEARCHED)
    assert len({*costs[[*names]]}) == 1


def test_a_race_that_was_stopped_goes_on(harness: Run, mine: str, results: Path, trainer: Trainer) -> None:
    trainer.enough = 3
    said = harness("race", mine)
    assert said.code == 2
    assert said.err == "harness: the race: Ray's raylet died; the same command continues\n"
    trainer.enough = 100
    assert harness("race", mine).code == 0
    assert trainer.asked == [REPEATS[PBT], REPEATS[PBT] - 3]


def test_what_is_kept_is_not_made_again(
    harness: Run, mine: str, results: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same records give the same bytes, whatever was kept; another target needs no repeat."""
    assert harness("race", mine).code == 0
    folder = results / "mine" / "race"
    first = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    made = {path.name: path.read_bytes() for path in (folder / contenders.FOLDER).iterdir()}
    for path in (folder / contenders.FOLDER).iterdir():
        path.unlink()
    assert harness("race", mine).code == 0
    assert made == {path.name: path.read_bytes() for path in (folder / contenders.FOLDER).iterdir()}
    assert first == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def again(*asked: object) -> None:
        raise AssertionError("again")

    monkeypatch.setattr(contenders, "REPLAYS", {TPE: again, contenders.ASHA: again})
    assert harness("race", mine, "--target", "1.2").code == 0
    assert trainer.asked == [4, 4, 0]
    (folder / contenders.FOLDER / f"{TPE}-seed0-000.json").write_text("{")
    with pytest.raises(AssertionError, match="again"):
        harness("race", mine)


def test_for_programs(harness: Run, mine: str, results: Path) -> None:
    said = harness("race", mine, "--json", "--replayed")
    found = json.loads(said.out)
    assert [*found] == [
        *("grid", "target", "seeds", "budget", "unit", "chosen", "sources", "notes", "numbers")
    ]
    assert [*found["numbers"][0]] == [*VALUES]
    assert found["chosen"] == {LITERATURE: {"alpha0": 1.0, "beta0": 0.001}}
    assert not (results / "mine" / "race" / "race.csv").exists()


def test_what_is_kept_with_the_reference(
    harness: Run, mine: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "REFERENCE", tmp_path / "reference")
    said = harness("race", mine, "--replayed", "--target", "0.8", "--keep")
    assert said.code == 0, said.err
    kept, made = tmp_path / "reference" / "races" / "mine", results / "mine" / "race"
    assert {path.name for path in kept.iterdir()} == {"race.parquet", "curves.parquet", "README.md"}
    pd.testing.assert_frame_equal(written.read(kept / "race.parquet").numbers, numbers(results))
    pd.testing.assert_frame_equal(
        written.read_curves(kept / "curves.parquet"), pd.read_parquet(made / "curves.parquet")
    )
    page = (kept / "README.md").read_text()
    assert "Made by `harness race mine --target 0.8 --replayed --keep`." in page
    assert not reference.grids()


def test_what_is_not_kept(harness: Run, mine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    is_refused(harness("race", mine, "--keep", "--json"), "--keep: with --json nothing of a race is written")
    monkeypatch.setattr(places, "CHECKOUT", None)
    is_refused(harness("race", mine, "--keep"), "race --keep: works only in a checkout")


def test_it_fits_a_terminal(harness: Run, mine: str, results: Path) -> None:
    with terminal(80) as screen:
        harness("race", mine, "--replayed")
    whole = (str(results), "race.parquet", "other.yaml")  # paths are not broken
    lines = [line for line in screen.lines if not any(path in line for path in whole)]
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("On mine, one run of Alpha-MAML ")
    assert any(line.startswith("What one run") for line in lines)


def test_without_the_fine_grid(harness: Run, mine: str, results: Path) -> None:
    for cell in grids.load("mine-fine.yaml").cells():
        (results / "store" / f"{cell.cell_id}.parquet").unlink()
    is_refused(harness("race", mine), "no records of mine-fine yet .*make sweep GRID=.*mine-fine.yaml makes")
    Path("mine-fine.yaml").unlink()
    is_refused(harness("race", mine), r"mine-fine.yaml.*; a race needs MAML on a finer grid of this name$")


def test_without_the_coarse_grid(harness: Run, mine: str, results: Path) -> None:
    kept = {cell.cell_id for cell in grids.load("mine-fine.yaml").cells()}
    for path in (results / "store").iterdir():
        if path.stem not in kept:
            path.unlink()
    (results / "store" / f"{grids.load('mine-fine.yaml').cells()[0].cell_id}.parquet").touch()
    said = harness("race", mine, "--replayed")
    assert said.code == 0, said.err
    assert "without Alpha-MAML: mine: " in said.out
    assert {*numbers(results)["racer"]} == {LITERATURE, RANDOM, contenders.COARSE, TPE, contenders.ASHA}


def test_seeds_that_are_not_whole_are_left_out(harness: Run, mine: str, results: Path) -> None:
    (first, *_) = grids.load("mine-fine.yaml").cells([1])
    (results / "store" / f"{first.cell_id}.parquet").unlink()
    said = harness("race", mine, "--replayed")
    assert said.code == 0, said.err
    assert {*numbers(results)["seeds"]} == {1}
    assert said.out.splitlines()[-2] == "One seed: no intervals."


def test_what_is_refused(
    harness: Run, mine: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_refused(harness("race", mine, "--target", "-1"), "target -1: write a number > 0")
    is_refused(harness("race", "other.yaml"), "other: say with --target .* which training loss is a success")
    is_refused(harness("race", "nobody"), "nobody")
    monkeypatch.setitem(sys.modules, "optuna", None)
    is_refused(harness("race", mine), "the race needs Optuna: python -m pip install optuna==")


def test_a_run_that_stopped_at_a_target_is_no_result(harness: Run, mine: str, results: Path) -> None:
    one = grids.load("mine-fine.yaml").cells()[0]
    rows: list[dict[str, Any]] = [
        Row(iteration=i, alpha=0.5, beta=0.1 if i < 12 else None, train_loss=0.1, val_loss=0.1)
        for i in range(1, 13)
    ]
    Store(results).put(records.dump(records.make(one, "stopped", rows, ORIGIN)))
    said = harness("race", mine, "--replayed")
    assert said.code == 0, said.err  # it is no answer to a grid without a target: the seed is left out
    assert {*numbers(results)["seeds"]} == {1}
