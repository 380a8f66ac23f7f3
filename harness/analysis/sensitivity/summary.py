"""The measures as tables of text that a person reads: for the terminal, LaTeX and pages alike."""

from __future__ import annotations

import math

from harness.analysis.sensitivity import effects, summary_search
from harness.analysis.sensitivity.measure import Measures
from harness.analysis.sensitivity.over_environments import ANY, DEFAULT, TUNED
from harness.analysis.sensitivity.texts import (
    Numbers,
    Table,
    frame_of,
    number,
    resampled,
    share,
    short_names,
    with_interval,
)
from harness.common.text import counted

SHARES = {"count": "iterations to the target", "hit": "whether the target is reached", "score": "score"}
"""Whose variance is shared out, see in_environment."""
INTERACTIONS, SEED = "interactions", "seed"
"""Heads of what is no main effect."""
SPREAD_DIGITS = 2
"""Of a standard deviation; a terminal has no room for more."""


def heading(measured: Measures) -> str:
    """Where it was measured, in a line: `7 environments, all with target 2.5`."""
    runs = measured.runs
    if len(runs.environments) == 1:
        return f"environment: {runs.environments[0]}"
    _, common = short_names(runs.environments)
    return counted(len(runs.environments), "environment") + f", all with {common}" * bool(common)


def tables(measured: Measures) -> list[Table]:
    """All tables for which there is anything to say, from the most general to the details."""
    known = Numbers(measured)
    runs = known.runs
    found = [summary_search.searched(known), _over_environments(known)]
    found += [summary_search.settings(known), summary_search.chosen(known, measured.chosen)]
    if any("count" in one.results for one in runs.methods):
        found.append(summary_search.costs(known))
    if not runs.of_counts:
        found.append(summary_search.search_of_score(known))
    found += [_shares(known, of) for of in SHARES if of != "score" or not runs.of_counts]
    found += [_held_out(known), _improvement(known)]
    return [one for one in found if len(one.frame) or one.notes]


def _over_environments(known: Numbers) -> Table:
    rows = []
    for one in known.runs.methods:
        if not math.isnan(known.value("sensitivity", one.name)):
            dimension = known.text("effective_dimension", one.name)
            rows.append(
                {
                    "method": one.name,
                    "tuned": number(known.value(TUNED, one.name)),
                    "default": number(known.value(DEFAULT, one.name)),
                    "Phi": known.text("sensitivity", one.name),
                    "d": f"{dimension} of {len(one.factors)}" if dimension else "",
                }
            )
    notes = (
        "tuned, default: score of the best setting of each environment, and of the best for all; 0 and 1 are "
        "the 5th and 95th percentile of an environment's scores",
        "Phi: sensitivity, tuned - default; d: how many of its factors have to be tuned for each environment "
        "to reach 95 % of tuned" + "; a+b is one factor" * any(one.paired for one in known.runs.methods),
    )
    why = known.why(("sensitivity", "effective_dimension"))
    if len(known.runs.environments) == 1:
        why = tuple(f"no Phi, no d: {reason}" for reason in why)
    return Table(
        key="environments",
        title="Sensitivity over environments",
        frame=frame_of(rows),
        notes=(*(notes if rows else ()), *why),
    )


def _shares(known: Numbers, of: str) -> Table:
    """Main effects, all interactions together, and all that involves the seed: they add up to 1."""
    measure = f"share_of_{of}"
    rows = []
    largest: dict[str, tuple[str, str, float]] = {}
    for environment, one in known.present():
        found = effects.grouped(known.effects(measure, one.name, environment), one.factors_in(environment))
        if not found.factors:
            continue
        texts = {name: share(value) for name, value in found.factors.items()}
        texts |= {INTERACTIONS: share(found.interactions)} if found.joint else {}
        texts |= {SEED: share(found.seed)} if found.of_seed else {}
        spread = {"sd": number(known.value("deviation", one.name, environment, of), digits=SPREAD_DIGITS)}
        rows.append(known.place(environment) | {"method": one.name} | spread | texts)
        if found.largest and found.largest[1] > largest.get(one.name, ("", "", 0.0))[2]:
            pair = " with ".join(found.largest[0])
            largest[one.name] = (pair, environment, found.largest[1])
    frame = frame_of(rows)
    last = [name for name in (INTERACTIONS, SEED) if name in frame]
    frame = frame[[*(name for name in frame if name not in last), *last]]
    notes = ["of log10 of the iterations, a miss as the budget"] * (of == "count" and len(frame) > 0)
    notes += [f"sd: standard deviation over settings and seeds{_unit(known, of)}"] * ("sd" in frame)
    notes += ["seed: all that involves it"] * (SEED in frame)
    for method, (pair, environment, value) in largest.items():
        where = f" in {known.names[environment]}" if len(known.names) > 1 else ""
        notes.append(f"largest interaction of {method}: {pair}, {share(value)}{where}")
    return Table(
        key=f"shares{of}",
        title=f"Shares of the variance: {SHARES[of] if of != 'score' else known.runs.score or 'score'}",
        frame=frame,
        notes=(*notes, *known.why((measure,), environments=True)),
        at_length=of == "hit" and len(known.names) > summary_search.ROOM,
    )


def _unit(known: Numbers, of: str) -> str:
    """`, in decades`: of the standard deviations."""
    units = known.units("deviation", of)
    return f", in {' or '.join(units)}" if units else ""


def _held_out(known: Numbers) -> Table:
    rows = [
        {
            "method": one.name,
            **{choice: known.text(f"{choice}_held_out", one.name) for choice in (TUNED, DEFAULT)},
            "interquartile mean": known.text("interquartile_mean", one.name, of=TUNED),
        }
        for one in known.runs.methods
        if not math.isnan(known.value(f"{TUNED}_held_out", one.name))
    ]
    notes = (
        "each seed is scored by the setting that is best on the others; 0 and 1 are the 5th and 95th "
        "percentile of an environment's scores",
        "interquartile mean: of the tuned runs without the best and the worst quarter",
    )
    return Table(
        key="heldout",
        title="On seeds that the setting was not chosen on",
        frame=frame_of(rows),
        notes=notes if rows else (),
    )


def _improvement(known: Numbers) -> Table:
    """One method beside another."""
    names = [one.name for one in known.runs.methods]
    rows = []
    for at, later in enumerate(names):
        for first in names[:at]:
            found = {
                choice: with_interval(known.find("improvement", later, of=choice, other=first))
                for choice in (TUNED, DEFAULT, ANY)
            }
            if any(found.values()):
                rows.append({"method": later, "better than": first} | found)
    notes = ("seed by seed, a tie counts half; any: a setting of each at random",) if rows else ()
    return Table(
        key="improvement",
        title="Probability of improvement",
        frame=frame_of(rows),
        words=("method", "better than"),
        notes=notes,
    )


def footnotes(measured: Measures, in_files: bool = True) -> list[str]:
    """How the intervals are made, what scores are, and (`in_files`) where the table is that a terminal has no
    room for; a line each."""
    runs = measured.runs
    names, _ = short_names(runs.environments)
    by_count: dict[int, list[str]] = {}
    for name, used in zip(runs.environments, runs.has_seed, strict=True):
        by_count.setdefault(int(used.sum()), []).append(names[name])
    lines: list[str] = []
    for count, where in sorted(by_count.items(), key=lambda item: len(item[1])):
        last = len(by_count) > 1 and len(lines) == len(by_count) - 1
        place = "" if len(by_count) == 1 else " elsewhere" if last else f" in {'; '.join(where)}"
        lines.append(_intervals(count, place))
    if runs.of_counts:
        lines.append("scores: -log10 of the iterations to the target, a miss as the budget")
    if in_files and len(names) > summary_search.ROOM:
        lines.append("best settings: in chosen.csv")
    return lines


def _intervals(seeds: int, place: str) -> str:
    """What those over so many seeds are. `place`: where these are."""
    return f"one seed{place}: no intervals" if seeds == 1 else f"(a to b){place}: {resampled([seeds])}"
