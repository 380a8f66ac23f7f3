"""The measures as tables of text that a person reads: for the terminal, LaTeX and pages alike."""

from __future__ import annotations

import math

from harness.analysis.sensitivity import summary_search
from harness.analysis.sensitivity.measure import Measures
from harness.analysis.sensitivity.over_environments import ANY, DEFAULT, TUNED
from harness.analysis.sensitivity.resamples import DRAWS, EXACT, FEW
from harness.analysis.sensitivity.shares import JOINT, SEED
from harness.analysis.sensitivity.texts import (
    Numbers,
    Table,
    frame_of,
    number,
    share,
    short_names,
    with_interval,
)
from harness.common.text import counted

SHARES = {"count": "iterations to the target", "hit": "whether the target is reached", "score": "score"}
"""Whose variance is shared out, see in_environment."""


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
    found = [summary_search.searched(known)]
    if len(runs.environments) > 1:
        found.append(_over_environments(known))
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
                    "d": f"{dimension} of {len(one.hyper)}" if dimension else "",
                }
            )
    notes = (
        "tuned, default: score of the best setting of each environment, and of the best for all; 0 and 1 are "
        "the 5th and 95th percentile of an environment's scores",
        "Phi: sensitivity, tuned - default; d: how many of its hyper-parameters have to be tuned for each "
        "environment to reach 95 % of tuned",
    )
    why = known.why(("sensitivity", "effective_dimension"))
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
        effects = known.effects(measure, one.name, environment)
        if len(effects) < 2:  # of one, all of the variance
            continue
        by_kind: dict[str, float] = {name: effects[name] for name in one.factors if name in effects}
        seeds = [name for name in effects if name.split(JOINT)[-1] == SEED]
        joint = {name: effects[name] for name in effects if name not in {*by_kind, *seeds}}
        if joint:
            by_kind["interactions"] = sum(joint.values())
            top = max(joint, key=lambda name: joint[name])
            if joint[top] > largest.get(one.name, ("", "", 0.0))[2]:
                largest[one.name] = (top, environment, joint[top])
        if seeds:
            by_kind["seed"] = sum(effects[name] for name in seeds)
        texts = {name: share(value) for name, value in by_kind.items()}
        rows.append(known.place(environment) | {"method": one.name} | texts)
    frame = frame_of(rows)
    last = [name for name in ("interactions", "seed") if name in frame]
    frame = frame[[*(name for name in frame if name not in last), *last]]
    notes = ["of log10 of the iterations, a miss as the budget"] * (of == "count" and len(frame) > 0)
    notes += ["seed: all that involves it"] * ("seed" in frame)
    for method, (top, environment, value) in largest.items():
        where = f" in {known.names[environment]}" if len(known.names) > 1 else ""
        pair = top.replace(JOINT, " with ")
        notes.append(f"largest interaction of {method}: {pair}, {share(value)}{where}")
    return Table(
        key=f"shares{of}",
        title=f"Shares of the variance: {SHARES[of] if of != 'score' else known.runs.score or 'score'}",
        frame=frame,
        notes=(*notes, *known.why((measure,), environments=True)),
        at_length=of == "hit" and len(known.names) > summary_search.ROOM,
    )


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


def footnotes(measured: Measures) -> list[str]:
    """How the intervals are made, and what scores are, a line each."""
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
    if runs.of_counts and len(runs.environments) > 1:
        lines.append("scores over environments: -log10 of the iterations to the target, a miss as the budget")
    return lines


def _intervals(seeds: int, place: str) -> str:
    """How those over so many seeds are made. `place`: where these are."""
    if seeds == 1:
        return f"one seed{place}: no intervals"
    resamples = f"all {math.comb(2 * seeds - 1, seeds)}" if seeds <= EXACT else f"{DRAWS:,}"
    few = "; so few seeds make them narrow" if seeds <= FEW else ""
    return f"(a to b){place}: the middle 95 % of {resamples} resamples of {seeds} seeds{few}"
