"""What the claims are judged on: pooled over grids, your records before the reference's, the longest run."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness import cell
from harness.common import places
from harness.common.errors import UserError
from harness.paper import evidence
from harness.paper import matrix as judging
from harness.paper.reading import MAIN, ON_FEW_CELLS, Facts, Reading, labels, reading_of, short_labels
from harness.records import tables
from harness.records.tables import Tables
from tests.readings import TRAJECTORIES, TRIALS, reading


def made(*cells: dict) -> Tables:
    """Trials with these columns, and trajectories of `iterations_run` rows each."""
    rows = [
        {
            **dict.fromkeys(TRIALS),
            **{"method": "maml", "problem": "few-shot", "dataset": "omniglot"},
            **{**reading("paper-adam"), "seed": 0, "numerics": 2, "target_loss": 2.5},
            "outcome": "budget",
            **cell,
        }
        for cell in cells
    ]
    for row in rows:
        if row["outcome"] is None:
            row |= {"numerics": None, "iterations_run": None}
    trials = pd.DataFrame(rows, columns=list(TRIALS))
    integers = ["iterations_run", "numerics", "seed"]
    trials = trials.astype(dict.fromkeys(integers, "Int64") | {"target_loss": float})
    curves = [
        dict.fromkeys(TRAJECTORIES) | {"cell_id": row["cell_id"], "iteration": i, "train_loss": 3.0}
        for row in rows
        for i in range(1, (row["iterations_run"] or 0) + 1)
    ]
    trajectories = pd.DataFrame(curves, columns=list(TRAJECTORIES))
    return Tables(trials=trials, trajectories=trajectories, about={})


def without(made: Tables, *columns: str) -> Tables:
    return replace(made, trials=made.trials.drop(columns=[*columns]))


def run(cell: str, iterations: int = 5, **more) -> dict:
    return {"cell_id": cell, "iterations_run": iterations, **more}


def not_run(cell: str) -> dict:
    return {"cell_id": cell, "outcome": None}


@pytest.fixture
def places_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put tables by folder below results/ and gather them."""
    monkeypatch.setattr(places, "REFERENCE", tmp_path / "reference")
    there: dict[Path, Tables] = {}
    monkeypatch.setattr(tables, "read", lambda folder, curves=True: there[folder])

    def gather(reference_only: bool = False, **by_name: Tables) -> evidence.Evidence:
        for name, made in by_name.items():
            folder = tmp_path / name.replace("reference_", "reference/")
            folder.mkdir(parents=True)
            (folder / "trials.parquet").touch()
            there[folder] = made
        return evidence.gather(tmp_path, reference_only)

    return gather


def lengths(found: evidence.Evidence, of: Reading = MAIN) -> dict[str, int]:
    """Rows of each cell's trajectory; 0: none."""
    (one,) = (one for one in found.records if one.reading == of)
    counts = one.trajectories["cell_id"].value_counts()
    assert one.trials["cell_id"].is_unique
    return {cell: int(counts.get(cell, 0)) for cell in one.trials["cell_id"]}


def columns(found: evidence.Evidence) -> list[str]:
    return labels([one.reading for one in found.records])


def test_a_cell_of_two_grids_counts_once_by_its_longest_run(places_with):
    short = made(run("a", 5), run("b", 9, target_loss=2.99), not_run("c"), run("d", 9, outcome="failed"))
    long = made(
        run("a", 8, target_loss=math.nan), run("b", 9, target_loss=math.nan), run("c", 3), run("d", 4)
    )
    found = places_with(fig2=short, fig1=long)
    assert lengths(found) == {"a": 8, "b": 9, "c": 3, "d": 4}
    trials = found.records[0].trials.set_index("cell_id")
    assert math.isnan(trials.loc["a", "target_loss"])  # the row of the run that is shown
    assert trials.loc["b", "target_loss"] == 2.99  # equally long: the one with counts
    assert trials.loc["d", "outcome"] == "budget"
    assert "_grid" not in trials


def test_your_records_count_if_half_of_a_seed_is_run(places_with):
    theirs = made(run("a", 7), run("b", 7))
    found = places_with(
        fig2=made(run("a", 5), not_run("b")),
        reference_fig2=theirs,
        fig3=made(run("c", 5), not_run("d"), not_run("e")),
        reference_fig3=made(run("c", 7), run("d", 7), run("e", 7)),
        mine=made(run("x", 5), not_run("y"), not_run("z")),
    )
    assert lengths(found) == {"a": 5, "b": 0, "c": 7, "d": 7, "e": 7, "x": 5, "y": 0, "z": 0}
    assert found.sources == {
        "fig2": "your records (1 of 2 cells run), instead of the reference's",
        "fig3": "reference (3 of 3 cells run); yours: 1 of 3 cells run",
        "mine": "your records (1 of 3 cells run)",
    }


def test_tables_that_cannot_be_read_are_named_and_left_out(places_with, monkeypatch: pytest.MonkeyPatch):
    read = tables.read

    def refuses(folder: Path, curves: bool = True) -> Tables:
        if folder.name == "mine":
            raise UserError(f"{folder}: its tables cannot be read")
        return read(folder, curves)

    monkeypatch.setattr(tables, "read", refuses)
    found = places_with(reference_fig2=made(run("a", 7)), mine=made(run("x", 5)))
    assert lengths(found) == {"a": 7}
    assert found.sources["fig2"] == "reference (1 of 1 cells run)"
    assert found.sources["mine"].endswith("mine: its tables cannot be read")


def test_the_reference_alone(places_with):
    found = places_with(True, fig2=made(run("a", 5)), reference_fig2=made(run("a", 7)))
    assert lengths(found) == {"a": 7}
    assert found.sources == {"fig2": "reference (1 of 1 cells run)"}


def test_presets_first_and_only_readings_of_the_paper_on_omniglot(places_with):
    given = ("paper-adam, k_shot=5", "paper-sgd", "paper-adam, perturbation=1", "paper-adam")
    mixed = made(*(run(name, **reading(name)) for name in given))
    found = places_with(readings=mixed, glyphs=made(run("g", dataset="glyphs")))
    assert columns(found) == ["paper-adam", "paper-sgd", "paper-adam, k_shot=5"]
    assert "glyphs" not in found.sources


def test_other_methods_and_problems_say_nothing_about_the_papers_sentences(places_with):
    """Nor need their tables have the columns of the paper's."""
    own = made(run("o", problem="own"))
    regression = without(made(run("s", problem="sinusoid")), "dataset", "n_way")
    beside = made(run("m"), run("r", method="reptile"))
    alone = made(run("x", method="reptile"))
    found = places_with(mixed=beside, own=own, regression=regression, alone=alone)
    assert lengths(found) == {"m": 5}
    assert list(found.sources) == ["mixed"]


def test_tables_of_maml_alone_have_no_hyper_rates(places_with):
    alone = without(made(run("m", alpha0=0.1, beta0=1e-3)), "alpha_hyperlr", "beta_hyperlr", "problem")
    (one,) = places_with(mine=alone).records
    assert one.trials[["alpha_hyperlr", "beta_hyperlr"]].isna().all(axis=None)


@pytest.mark.parametrize("preset", ["omniglot-5shot", "paper-adam, k_shot=5"])
def test_another_preset_changes_nothing(places_with, monkeypatch: pytest.MonkeyPatch, preset: str):
    """A grid may name the same protocol by a preset of its own: it is the same reading."""
    monkeypatch.setitem(cell.PRESETS, "omniglot-5shot", cell.protocol_of(k_shot=5))
    five = [at("m5", 1e-4), at("a5", 1e-4, 1.0), at("b5", 1e-4, 2.0, iterations=9)]
    plain = made(at("m", 1e-4), at("a", 1e-4, 1.0))
    found = places_with(
        fig2=plain,
        readings=made(*(one | changing("k_shot=5") for one in five[:2])),
        more=made(*(one | reading(preset) for one in five[1:])),
    )
    five_shot = reading_of("paper-adam", '{"k_shot": 5}')
    assert columns(found) == ["paper-adam", "paper-adam, on few cells", "paper-adam, k_shot=5"]
    assert lengths(found, five_shot) == {"m5": 5, "a5": 5, "b5": 9}
    judged = judging.matrix(found.records, found.facts)
    assert {column for _, column in judged} == {MAIN, ON_FEW_CELLS, five_shot, None}
    monkeypatch.delitem(cell.PRESETS, "omniglot-5shot")
    assert reading_of("paper-adam", '{"k_shot": 5}') == five_shot


def test_tables_of_an_unknown_preset(places_with):
    with pytest.raises(
        UserError, match="some tables name an unknown preset 'gone'; the presets are paper-adam"
    ):
        places_with(mine=made(run("a", **reading("gone"))))


@pytest.mark.parametrize("also", [{"precision": "float64"}, {"k_shot": 5}])
def test_runs_of_the_yardstick_are_not_a_reading(places_with, also: dict):
    """Whatever else they change, before `perturbation` or after it."""
    draw = reading("paper-adam") | {"changes": json.dumps({"perturbation": 1} | also, sort_keys=True)}
    found = places_with(fig2=made(run("a")), yardstick=made(run("b", **draw)))
    assert [one.reading for one in found.records] == [MAIN]


def at(name: str, alpha0: float, hyper: float | None = None, seed: int = 0, **more) -> dict:
    """A run of MAML, or of Alpha-MAML with both hyper-rates `hyper`."""
    method = "maml" if hyper is None else "alpha-maml"
    rates = {"alpha0": alpha0, "beta0": 1e-3, "alpha_hyperlr": hyper, "beta_hyperlr": hyper}
    return run(name, **rates | {"method": method, "seed": seed, "max_iterations": 500} | more)


def changing(field: str) -> dict:
    return reading(f"paper-adam, {field}")


def test_readings_come_as_the_grid_with_most_of_them_lists_them(places_with):
    """Those that change nothing first. Neither the alphabet nor the grids' names decide."""
    chance = [run("c0"), *(run(f"c{k}") | changing(f"meta_batch={k}") for k in (8, 4))]
    fields = ("resize=nearest", "k_shot=5", "meta_batch=8", "head_init=normal")
    readings = [run("r0"), *(run(f"r{k}") | changing(field) for k, field in enumerate(fields, 1))]
    sgd = run("s0") | reading("paper-sgd")
    found = places_with(a_chance=made(*chance), readings=made(*readings), sgd=made(sgd))
    assert short_labels([one.reading for one in found.records]) == [
        "paper-adam", "paper-sgd", *fields, "meta_batch=4",
    ]  # fmt: skip


def test_paper_adam_again_on_the_cells_that_the_readings_beside_it_share(places_with):
    """Those of the same method, rates and seed. A reading with one method alone does not count."""
    fig2 = made(at("m", 0.1), at("m1", 0.1, seed=1), at("o", 0.2), at("a", 0.1, 1.0), at("b", 0.1, 2.0))
    five = [at("m5", 0.1), at("o5", 0.2), at("a5", 0.1, 1.0)]
    eight = [at("m8", 0.1), at("n8", 0.1, seed=1), at("a8", 0.1, 1.0), at("b8", 0.1, 2.0)]
    mixed = [one | changing("k_shot=5") for one in five] + [one | changing("meta_batch=8") for one in eight]
    alone = made(at("m4", 0.1, seed=1) | changing("meta_batch=4"))
    found = places_with(fig2=fig2, readings=made(*mixed), chance=alone)
    assert short_labels([one.reading for one in found.records]) == [
        "paper-adam", "on few cells", "k_shot=5", "meta_batch=8", "meta_batch=4",
    ]  # fmt: skip
    assert lengths(found, ON_FEW_CELLS) == {"m": 5, "a": 5}
    assert set(found.records[1].trajectories["cell_id"]) == {"m", "a"}
    assert lengths(found) == {"m": 5, "m1": 5, "o": 5, "a": 5, "b": 5}


def test_on_few_cells_a_run_ends_where_it_would_have_ended_there(places_with):
    """All losses are 3: a target of 3 is passed for good at 10, and a budget of 5 ends before that."""
    fig1 = made(at("m", 0.1, iterations=12, target_loss=math.nan), at("a", 0.1, 1.0, iterations=12))
    for name, target, budget, end, ending in (
        ("late", 3.0, 500, 10, "stopped"), ("soon", 3.0, 5, 5, "budget"), ("never", 2.5, 500, 12, None),
    ):  # fmt: skip
        asked = changing(f"k_shot={budget}") | {"target_loss": target, "max_iterations": budget}
        found = places_with(
            **{f"{name}1": fig1, name: made(at("m5", 0.1, **asked), at("a5", 0.1, 1.0, **asked))}
        )
        few = found.records[1]
        assert lengths(found, few.reading) == {"m": end, "a": end}
        assert few.trials["iterations_run"].tolist() == [end] * 2
        assert few.trials["ending"].tolist() == [ending] * 2
        assert few.trials["target_loss"].tolist() == [target] * 2
        assert lengths(found) == {"m": 12, "a": 12}
        for folder in (name, f"{name}1"):
            (places.REFERENCE.parent / folder / "trials.parquet").unlink()


def test_on_few_cells_the_reading_that_ends_first_decides(places_with):
    """One asks for no target within 11 iterations, the other for 3, which is passed for good at 10."""
    own = [("m", {}), ("a", {"hyper": 1.0})]
    base = made(*(at(name, 0.1, **hyper, iterations=12) for name, hyper in own))
    mixed = [
        at(f"{name}{field}", 0.1, **hyper, target_loss=target, max_iterations=budget) | changing(field)
        for field, target, budget in (("k_shot=5", math.nan, 11), ("meta_batch=8", 3.0, 500))
        for name, hyper in own
    ]
    found = places_with(fig2=base, readings=made(*mixed))
    assert lengths(found, ON_FEW_CELLS) == {"m": 10, "a": 10}
    assert found.records[1].trials["max_iterations"].tolist() == [11, 11]


def test_paper_adam_alone_is_judged_once(places_with):
    assert [one.reading for one in places_with(fig2=made(run("a"))).records] == [MAIN]


def test_a_grid_with_hyper_rates_of_zero_is_also_kept_unpooled(places_with):
    """The pooled run of its MAML is fig2's longer one."""
    zero = {"method": "alpha-maml", "alpha_hyperlr": 0.0, "beta_hyperlr": 0.0}
    found = places_with(fig2=made(run("m", 9)), limit=made(run("m", 5), run("a", 5, **zero)))
    (one,) = found.records
    assert lengths(found) == {"m": 9, "a": 5}
    (limit,) = one.limits
    assert limit.trials["cell_id"].tolist() == ["m", "a"]
    assert limit.trajectories["cell_id"].value_counts().to_dict() == {"m": 5, "a": 5}


def test_an_older_arithmetic_is_left_out_of_its_reading(places_with):
    sgd = run("s", numerics=1, **reading("paper-sgd"))
    found = places_with(fig2=made(run("a", numerics=1), run("b")), fig1=made(sgd))
    assert lengths(found) == {"a": 0, "b": 5}
    assert lengths(found, Reading(preset="paper-sgd")) == {"s": 5}  # the newest that this reading has
    assert found.records[0].trials.set_index("cell_id")["outcome"].isna().to_dict() == {
        "a": True,
        "b": False,
    }
    assert (
        found.sources["fig2"]
        == "your records (2 of 2 cells run); 1 left out, made by an older version of the arithmetic"
    )


def test_facts_come_from_the_reference_and_may_be_missing(places_with):
    grids = {"fig2": made(run("a"))}
    assert places_with(**grids).facts == Facts()
    (places.REFERENCE / "cost").mkdir(parents=True)
    (places.REFERENCE / "cost" / "cost.json").write_text(json.dumps({"passes": 1}))
    (places.REFERENCE / "omniglot.json").write_text(json.dumps({"characters": 1623}))
    facts = places_with().facts
    assert (facts.cost, facts.data) == ({"passes": 1}, {"characters": 1623})
    (places.REFERENCE / "omniglot.json").write_text("{")
    with pytest.raises(UserError, match=r"omniglot.json: not valid JSON"):
        places_with()


def test_nothing_to_judge_by(places_with):
    with pytest.raises(UserError, match="no tables on omniglot here or in the reference"):
        places_with()
