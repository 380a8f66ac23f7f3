"""The league's tables beside a plain count over the records."""

from __future__ import annotations

import math

import pytest

from harness.analysis.summary import numbers
from harness.methods import METHODS
from harness.records import reference, tables
from harness.records.passages import sustained_passage
from harness.study import league_tables
from harness.study.league import LEAGUE, TARGETS
from harness.study.page import PAGE, README
from harness.study.standings import Standing, standings

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
    assert maml.low < alpha.reported < alpha.high
    assert tuned["MAML"] == pytest.approx(tuned["Alpha-MAML"], abs=0.03)


def of_standings() -> dict[str, Standing]:
    return {one.method: one for one in standings(league_tables.together())}


def test_what_is_said_of_tuning_costs() -> None:
    costs = {grid: rows_of(league_tables.costs(grid)) for grid in LEAGUE}
    ratios = {grid: float(rows["Alpha-MAML"][3].split(" (")[0]) for grid, rows in costs.items()}
    low, high = min(ratios.values()), max(ratios.values())
    assert f"spends {low:.2f} to {high:.2f} of the iterations that MAML's spends" in WORDS


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
