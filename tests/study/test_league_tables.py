"""The league's tables beside a plain count over the records."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from harness.analysis.counting import counted_to
from harness.analysis.summary import numbers
from harness.common import places
from harness.methods import METHODS
from harness.records import reference, tables
from harness.records.passages import sustained_passage
from harness.study import league_tables, transfer
from harness.study.league import LEAGUE, TARGETS
from harness.study.page import PAGE, README
from harness.study.standings import REPORT, Standing, standings

HERE = [name for name in LEAGUE if name in reference.grids()]


@pytest.mark.parametrize("grid", HERE)
def test_shares_and_costs_by_a_loop(grid: str) -> None:
    """Of K hits among B settings: (B - K) / (K + 1) misses in the mean, and a hit; the mean over seeds."""
    read = tables.read(reference.find(grid))
    losses = {cell: numbers(own["train_loss"]) for cell, own in read.trajectories.groupby("cell_id")}
    lines = league_tables.costs(grid).splitlines()
    shown = {cells[1].strip(): cells for cells in (line.split("|") for line in lines if line.startswith("|"))}
    done = read.trials[read.trials["outcome"].notna()]
    for method, own in done.groupby("method"):
        costs, hits = [], 0
        for _, trials in own.groupby("seed"):
            passages = [sustained_passage(losses[cell], TARGETS[grid]) for cell in trials["cell_id"]]
            spent = [p or len(losses[cell]) for p, cell in zip(passages, trials["cell_id"], strict=True)]
            hit = [cost for cost, p in zip(spent, passages, strict=True) if p]
            miss = [cost for cost, p in zip(spent, passages, strict=True) if not p]
            hits += len(hit)
            wasted = len(miss) / (len(hit) + 1) * (sum(miss) / max(1, len(miss)))
            costs.append(wasted + sum(hit) / len(hit) if hit else math.inf)
        row = shown[METHODS[str(method)].title]
        mean = sum(costs) / len(costs)
        assert row[3].strip() == f"{100 * hits / len(own):.0f} %"
        said = row[4].split("(")[0].strip().replace(",", "")
        assert said == "never" if math.isinf(mean) else float(said) == pytest.approx(mean, rel=5e-3)


WORDS, FIRST_SCREEN = (" ".join(path.read_text().split()) for path in (PAGE, README))


def rows_of(table: str) -> dict[str, list[str]]:
    """Method -> the other cells of its row."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {first: rest for first, *rest in cells}


def test_what_is_said_of_defaults() -> None:
    """Cells: default, its score on the seeds of the choice and on the others, optimism, tuned, what that
    adds."""
    rows = rows_of(league_tables.standing())
    kept = {name: float(row[2].split(" (")[0]) for name, row in rows.items()}
    tuned, adds = ({name: float(row[at]) for name, row in rows.items()} for at in (4, 5))
    assert [*kept][:2] == ["MAML, LSLR", "Alpha-MAML, multiplicative"]
    assert f"scores {kept['MAML, LSLR']:.2f} on the other three" in WORDS
    assert abs(adds["MAML, LSLR"]) < 0.005
    assert min(adds.values()) == adds["MAML, LSLR"]
    assert adds["Alpha-MAML, multiplicative"] < 0.01
    found = of_standings()
    maml, alpha = found["maml"], found["alpha-maml"]
    assert f"MAML scores {maml.tuned:.2f} tuned and {maml.reported:.2f} with one default" in WORDS
    assert f"one default for all problems scores {alpha.reported:.2f}" in WORDS
    assert f"it scores {kept['MAML, LSLR']:.2f}, as much as with the best" in FIRST_SCREEN
    said = f"MAML scores {maml.reported:.2f} with one setting and {maml.tuned:.2f} when tuned"
    assert said in FIRST_SCREEN
    gains = [one.tuned - one.reported for one in (maml, alpha)]
    assert "it adds {:.2f} to MAML and {:.2f} to Alpha-MAML".format(*gains) in WORDS
    assert max(maml.low, alpha.low) < min(maml.high, alpha.high)
    assert tuned["MAML"] == pytest.approx(tuned["Alpha-MAML"], abs=0.03)


def of_standings() -> dict[str, Standing]:
    return {one.method: one for one in standings(league_tables.together())}


def test_what_is_said_of_tuning_costs() -> None:
    costs = [rows_of(league_tables.costs(grid)) for grid in LEAGUE]

    def ends(*names: str) -> str:
        """Of the ratio to MAML's over the problems; of several methods the cheapest on each."""
        found = [min(float(rows[name][3].split(" (")[0]) for name in names) for rows in costs]
        return f"{min(found):.2f} to {max(found):.2f}"

    assert f"over all four rates spends {ends('Alpha-MAML')} of the iterations that MAML's spends" in WORDS
    assert f"over LSLR's settings spends {ends('MAML, LSLR')} of the iterations that MAML's" in WORDS
    variants = [f"Alpha-MAML, {name}" for name in ("log", "normalised", "multiplicative")]
    assert f"on each problem a variant of Alpha-MAML needs less, {ends(*variants)}." in WORDS


def test_what_is_said_of_runs_that_diverge() -> None:
    trials = league_tables.read("league-sinusoid").trials
    own = trials[trials["method"] == "alpha-maml"]
    diverged = own[own["ending"] == "diverged"]
    share, middle = len(diverged) / len(own), diverged["iterations_run"].median()
    assert f"{100 * share:.0f} % of its runs diverge, half of these by iteration {middle:.0f}" in WORDS
    rows = rows_of(league_tables.costs("league-sinusoid"))
    reached = [float(rows[name][1].removesuffix(" %")) for name in ("MAML", "Alpha-MAML")]
    assert reached[1] <= reached[0] + 1


def test_what_is_said_of_the_figure_of_all_settings() -> None:
    trials = counted_to("league-5way", league_tables.read("league-5way"), TARGETS["league-5way"])
    trials["hit"] = trials["iterations_to_target_sustained"].notna()

    def hits(method: str, rows: str, columns: str) -> pd.DataFrame:
        """The share of seeds (and of other knobs) that reach the target."""
        own = trials[trials["method"] == method]
        return own.pivot_table(index=rows, columns=columns, values="hit", aggfunc="mean")

    lslr, la_maml = hits("lslr", "alpha0", "beta0"), hits("la-maml", "alpha0", "eta")
    assert (lslr[[0.01, 0.1]] >= 0.8).all(axis=None)
    assert (la_maml.loc[1.0] == 1).all()
    assert (hits("maml", "alpha0", "beta0") > 0).sum(axis=None) == 3
    for method, knob in (("alpha-maml-log", "eta"), ("alpha-maml-normalised", "eta_alpha")):
        assert (trials[trials["method"] == method].groupby(knob)["hit"].mean() > 0.75).sum() == 2


def test_two_devices_agree_as_is_said() -> None:
    folder = places.REFERENCE / reference.DEVICES / "league-5way"
    both = pd.read_parquet(folder / "compare-0.9.parquet")
    assert {*both["method"]} == {"maml", "lslr", "meta-sgd"}
    assert {*both["seed"]} == {2}
    assert (both["outcome_mine"] == both["outcome_reference"]).all()
    hits = int((both["outcome_mine"] == "reached").sum())
    assert f"a single loss reached 0.9 in the same {hits} of them" in WORDS
    alike = int(both["first_agreement"].isin(["equal", "within rounding"]).sum())
    assert f"{alike} of the {len(both)} first passages are equal" in WORDS
    sides = [both[f"sustained_{side}"].notna() for side in ("mine", "reference")]
    alone = [int((one & ~other).sum()) for one, other in (sides, sides[::-1])]
    assert alone == [3, 3]
    assert f"on one device alone in {sum(alone)} of the {len(both)}, three times on each" in WORDS
    trials = {name: league_tables.read(name).trials for name in LEAGUE}
    cpu = {name: own["device"].str.startswith("cpu") for name, own in trials.items()}
    assert cpu["league-sinusoid"].all()
    assert not cpu["league-5way-sum"].any()
    assert {*trials["league-5way"]["method"][cpu["league-5way"]]} == {*both["method"]}


def test_what_is_said_of_one_choice() -> None:
    """Cells: the knobs, the share on the seeds of the choice, the shares of the three grids."""
    rows = rows_of(league_tables.one_choice())
    shares = {name: [cell.removesuffix(" %") for cell in row[2:]] for name, row in rows.items()}
    log, maml, alpha = shares["Alpha-MAML, log"], shares["MAML"], shares["Alpha-MAML"]
    assert f"from {log[0]}, {log[1]} and {log[2]} % of all initial rates" in WORDS
    assert f"MAML from {maml[0]}, {maml[1]} and {maml[2]} %." in WORDS
    said = f"take {alpha[0]} % of all initial rates to the target on one problem take none there"
    assert said in WORDS
    assert said in FIRST_SCREEN
    beside = (f"{some[0]}, {some[1]} and {some[2]} %" for some in (log, maml))
    assert "it is {}; with MAML it is {}".format(*beside) in FIRST_SCREEN
    assert alpha[1:] == ["0", "0"]
    assert next(iter(rows)) == "Alpha-MAML, log"
    assert shares["Alpha-MAML, normalised"][2] == "0"
    assert min(map(int, shares["Alpha-MAML, multiplicative"])) > 40
    runs = [league_tables.known(grid).runs for grid in LEAGUE]
    methods = [next(one for one in own.methods if one.name == "alpha-maml") for own in runs]
    small = {"alpha_hyperlr": 1e-5, "beta_hyperlr": 1e-4}
    found = [transfer.share(own, one, small, REPORT) for own, one in zip(runs, methods, strict=True)]
    assert "reach the targets from {:.0f}, {:.0f} and {:.0f} %".format(*(100 * one for one in found)) in WORDS
    own = {
        "Alpha-MAML": (10, 1e-3),
        "Alpha-MAML, normalised": (1, 0.1),
        "Alpha-MAML, multiplicative": (0.9, 0.9),
    }
    for name, largest in own.items():
        assert tuple(float(word.split("=")[1]) for word in rows[name][0].split()) == largest


def test_what_is_said_of_the_ends_of_ranges() -> None:
    rows = rows_of(league_tables.best_settings())
    assert [cell.count("**r0=0.1**") for cell in rows["MAML, DoG"]] == [1, 1, 0]
    assert [cell.count("**d0=0.01**") for cell in rows["MAML, Prodigy"]] == [1, 1, 1]
    assert sum(cell.count("**steps=10**") for cell in rows["Reptile"]) == 2
    for name in ("Meta-SGD", "MAML, LSLR"):
        assert "**alpha0=0.001**" in rows[name][2]
    assert sum(cell.count("**beta0=1e-05**") for cell in rows["Alpha-MAML"]) == 2
    assert "**" not in "".join(rows["MAML"])


def test_what_is_said_of_shares() -> None:
    def share(grid: str, method: str, *effects: str) -> float:
        known = league_tables.known(grid)
        (where,) = known.runs.environments
        return sum(known.effects("share_of_score", method, where)[effect] for effect in effects)

    for grid in LEAGUE:
        assert min(share(grid, "maml", effect) for effect in ("alpha0", "beta0", "alpha0:beta0")) > 0.1
        rates = "alpha0", "beta0"
        assert share(grid, "alpha-maml", *rates) < share(grid, "maml", *rates)
        assert share(grid, "alpha-maml", "alpha_hyperlr", "beta_hyperlr") > share(grid, "alpha-maml", *rates)
        assert all(share(grid, method, "alpha0") > 0.55 for method in ("la-maml", "maml-prodigy"))
    for grid in LEAGUE[:2]:
        assert all(share(grid, method, "beta0") > 0.7 for method in ("meta-sgd", "lslr"))
