"""A race: who runs, on which tables, with which repeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from harness.cell import Cell, cell
from harness.common.errors import UserError
from harness.common.text import counted
from harness.methods import METHODS
from harness.problems import problem_of
from harness.records.describing import grid_of
from harness.records.record import NUMERICS
from harness.records.reference import say_seeds
from harness.records.tables import Tables
from harness.study import league
from harness.study.league import ALPHA_MAML, ALPHA_MAML_LOG, MAML
from harness.study.race import kept, live, racers, replay
from harness.study.race.defaults import default, own_knobs
from harness.study.race.racers import Axis, Racer
from harness.study.race.searched import Searched, searched, untrained
from harness.study.standings import CHOICE

LITERATURE, RANDOM, COARSE, TPE, ASHA, PBT = (
    f"maml-{how}" for how in ("literature", "random", "coarse", "tpe", "asha", "pbt")
)
DEFAULT, ANY_PAIR, SEARCHED = (f"alpha-maml-{how}" for how in ("default", "any", "searched"))
LOG_DEFAULT = "alpha-maml-log-default"
TITLES = {
    LITERATURE: "MAML, the literature's rates",
    RANDOM: "MAML, random search",
    COARSE: "MAML, random search, coarse",
    TPE: "MAML, TPE",
    ASHA: "MAML, ASHA",
    PBT: "MAML, PBT",
    DEFAULT: "Alpha-MAML, default hyper-rates",
    ANY_PAIR: "Alpha-MAML, any hyper-rates",
    SEARCHED: "Alpha-MAML, all four searched",
    LOG_DEFAULT: "Alpha-MAML in logs, default knob",
}
"""Of all racers, in order."""
BY_DEFAULT = {ALPHA_MAML: DEFAULT, ALPHA_MAML_LOG: LOG_DEFAULT}
"""Method -> the racer that runs it with a default of its own knobs."""
REPEATS = {TPE: 200, ASHA: 200, PBT: 20}
REPLAYED = {name: count for name, count in REPEATS.items() if name != PBT}
"""Without what trains."""
REPLAYS = {TPE: replay.tpe, ASHA: replay.asha}
FOLDER = "repeats"

Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a race is run on."""

    grid: str
    """Its name."""
    target: float
    fine: Tables
    """Of MAML alone."""
    coarse: Tables | None
    """Of all methods; None: there is none."""
    others: Mapping[str, Tables]
    """The league's other grids, as far as there are records."""
    folder: Path
    """Where repeats are kept."""
    repeats: Mapping[str, int] = field(default_factory=lambda: REPEATS)
    """By racer; one that is not there is left out."""


@dataclass(frozen=True, kw_only=True)
class Race:
    """Who ran."""

    given: Given
    seeds: tuple[int, ...]
    axis: Axis
    racers: tuple[Racer, ...]
    chosen: Mapping[str, Mapping[str, float]]
    """Racer -> what was chosen for it: the literature's rates, a default."""
    notes: tuple[str, ...]

    def find(self, name: str) -> Racer | None:
        """One of them; None: it did not run."""
        return next((one for one in self.racers if one.name == name), None)


def run(given: Given, note: Note = lambda text: None) -> Race:
    """All racers for which there are tables. `note` learns how far it is. UserError: MAML's grid has no
    whole seed; it and the coarse one have none in common, or another budget; Optuna is missing; Ray cannot
    start."""
    worst = untrained(given.coarse or given.fine)
    maml = searched(f"{given.grid}{league.FINE}", given.fine, MAML, given.target, worst)
    notes: list[str] = []
    known: dict[str, Searched] = {}
    titles = {MAML: TITLES[COARSE]} | {name: METHODS[name].title for name in (ALPHA_MAML, ALPHA_MAML_LOG)}
    for method, title in titles.items():
        try:
            if given.coarse is None:
                raise UserError(f"{given.grid}: no records")
            known[method] = searched(given.grid, given.coarse, method, given.target, worst)
        except UserError as error:
            notes.append(f"without {title}: {error}")
    seeds, defaults = _chosen(given, _common(given, maml, known), known, notes)
    maml, known = maml.of_seeds(seeds), {name: one.of_seeds(seeds) for name, one in known.items()}
    axis = Axis(budget=maml.budget, runs=len(maml.table))
    found: list[Racer] = []
    chosen: dict[str, Mapping[str, float]] = {}
    pair = league.LITERATURE.get(given.grid)
    one = maml.at(alpha0=pair.alpha0, beta0=pair.beta0) if pair else None
    if pair is None or one is None:
        notes.append(f"without {TITLES[LITERATURE]}: no pair is known that is a cell of this grid")
    else:
        chosen[LITERATURE] = {"alpha0": pair.alpha0, "beta0": pair.beta0}
        found.append(racers.by_random_search(LITERATURE, [one], axis))
        notes.append(f"{TITLES[LITERATURE]}: alpha0={pair.alpha0:g} beta0={pair.beta0:g} ({pair.source})")
    note("random search over MAML's rates")
    found.append(racers.by_random_search(RANDOM, [maml], axis))
    if MAML in known:
        found.append(racers.by_random_search(COARSE, [known[MAML]], axis))
    found += [_replayed(name, given, maml, axis, note) for name in REPLAYS if name in given.repeats]
    if PBT in given.repeats:
        found.append(_trained(given, maml, axis, worst, note))
    if ALPHA_MAML in known:
        note("random search over Alpha-MAML's rates")
        found += _without_default(known[ALPHA_MAML], axis)
    for method, values in defaults.items():
        chosen[BY_DEFAULT[method]] = values
        own = known[method].table
        same = np.logical_and.reduce([own[knob] == value for knob, value in values.items()], initial=True)
        with_it = known[method].only(np.broadcast_to(same, len(own)))
        found.append(racers.by_random_search(BY_DEFAULT[method], [with_it], axis))
    order = [*TITLES]
    return Race(
        given=given,
        seeds=seeds,
        axis=axis,
        racers=tuple(sorted(found, key=lambda racer: order.index(racer.name))),
        chosen=chosen,
        notes=tuple(notes),
    )


def _common(given: Given, maml: Searched, known: Mapping[str, Searched]) -> tuple[int, ...]:
    """The seeds that all have. UserError: none, or the budgets differ."""
    seeds = sorted({*maml.seeds}.intersection(*(one.seeds for one in known.values())))
    if not seeds:
        raise UserError(f"{given.grid}: it has no whole seed in common with {given.grid}{league.FINE}")
    for one in known.values():
        if one.budget != maml.budget:
            raise UserError(
                f"{given.grid}: max_iterations is {one.budget}, of {given.grid}{league.FINE} {maml.budget}; "
                "a race needs the same"
            )
    return tuple(seeds)


def _chosen(
    given: Given, seeds: tuple[int, ...], known: Mapping[str, Searched], notes: list[str]
) -> tuple[tuple[int, ...], dict[str, Mapping[str, float]]]:
    """The seeds to race on, and by method the default of its own knobs. Where one was chosen, nobody races on
    the seeds of the choice: racers are set beside each other seed by seed."""
    found: dict[str, Mapping[str, float]] = {}
    for method, name in BY_DEFAULT.items():
        if method in known:
            try:
                one = default(known[method], given.grid, given.others, seeds)
                found[method] = one.values
                notes.append(f"{TITLES[name]}: {one.text}")
            except UserError as error:
                notes.append(f"without {TITLES[name]}: {error}")
    if any(found.values()):
        seeds = tuple(seed for seed in seeds if seed not in CHOICE)
        notes.append(f"all racers run on {say_seeds(seeds)}, on which no default was chosen")
    return seeds, found


def _without_default(known: Searched, axis: Axis) -> list[Racer]:
    """One pair of hyper-rates, any, kept while the initial rates are searched; all four drawn anew for each
    run."""
    knobs = own_knobs(known)
    by_pair = known.table.groupby(knobs, sort=True).indices.values() if knobs else [range(len(known.table))]
    pairs = [known.only(rows) for rows in by_pair]
    return [
        racers.by_random_search(ANY_PAIR, pairs, axis),
        racers.by_random_search(SEARCHED, [known], axis),
    ]


def _numbers(name: str, given: Given, seeds: int) -> range:
    """The repeats of each training seed."""
    return range(-(-given.repeats[name] // seeds))


def _drawn(seed: int, number: int) -> int:
    """The tuner's own seed of a repeat."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _path(given: Given, name: str, seed: int, number: int) -> Path:
    return given.folder / FOLDER / f"{name}-seed{seed}-{number:03d}.json"


def _replayed(name: str, given: Given, maml: Searched, axis: Axis, note: Note) -> Racer:
    """Replay what is not kept yet."""
    paths, done = [], 0
    numbers = _numbers(name, given, len(maml.seeds))
    for at, seed in enumerate(maml.seeds):
        key = kept.fingerprint(maml.of_seeds([seed]), replay.VERSION, replay.TRIALS, replay.REDUCTION)
        some = []
        for number in numbers:
            note(f"{TITLES[name]}: repeat {(done := done + 1)} of {len(numbers) * len(maml.seeds)}")
            path = _path(given, name, seed, number)
            found = kept.read(path, key)
            if found is None:
                tried = REPLAYS[name](maml, at, _drawn(seed, number))
                found = {"settings": tried.settings, "iterations": tried.iterations}
                kept.write(path, key, found)
            tried = replay.Tried(**{what: tuple(values) for what, values in found.items()})
            some.append(racers.of_tried(tried, maml, at))
        paths.append(some)
    return racers.by_repeats(name, paths, axis)


def _trained(given: Given, maml: Searched, axis: Axis, worst: float, note: Note) -> Racer:
    """Train what is not kept yet."""
    numbers = _numbers(PBT, given, len(maml.seeds))
    wanted = {
        (seed, number): live.population(maml, one, _drawn(seed, number))
        for seed, one in zip(maml.seeds, _cells(given, maml), strict=True)
        for number in numbers
    }
    keys = {at: kept.fingerprint(_asked(one)) for at, one in wanted.items()}
    files = {at: _path(given, PBT, *at) for at in wanted}
    lacking = {_asked(one): at for at, one in wanted.items() if kept.read(files[at], keys[at]) is None}
    whole, left = len(wanted), len(lacking)
    if lacking:
        problem_of(next(iter(wanted.values())).cell.protocol).check()
        note(f"{TITLES[PBT]}: {counted(left, 'population')} of {whole} to train")

    def done(one: live.Population, steps: list[live.Step]) -> None:
        nonlocal left
        at = lacking[_asked(one)]
        kept.write(files[at], keys[at], steps)
        left -= 1
        note(f"{TITLES[PBT]}: {whole - left} of {counted(whole, 'population')} trained")

    live.train([wanted[at] for at in lacking.values()], done)
    of = partial(racers.of_population, target=given.target, worst=worst)
    paths = [[of(kept.read(files[seed, n], keys[seed, n])) for n in numbers] for seed in maml.seeds]
    return racers.by_repeats(PBT, paths, axis)


def _asked(one: live.Population) -> str:
    """All that a population depends on."""
    rest = {name: value for name, value in vars(one).items() if name != "cell"}
    return repr((one.cell.cell_id, NUMERICS, rest))


def _cells(given: Given, maml: Searched) -> list[Cell]:
    """A cell of each seed."""
    (protocol,) = grid_of(given.fine.about).protocols
    rates = {name: float(maml.table[name].iloc[0]) for name in league.RATES}
    return [cell(protocol, MAML, METHODS[MAML].Hyper(**rates), seed) for seed in maml.seeds]
