"""Reference results: the committed tables of results/reference/<grid>/, and how they are published there."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cell import PRESETS
from harness.common import places
from harness.common.errors import UserError
from harness.common.files import whole_folder, write_whole
from harness.grids import Grid
from harness.grids.selection import seed_ranges
from harness.records import provenance, tables
from harness.records.record import Header
from harness.records.store import Scan, Store

if TYPE_CHECKING:
    import pandas as pd

DEVICES, COMPARED = "devices", "compare.parquet"
"""The folder for comparisons of machines, and the file of each; see harness.cli.compare."""


def grids() -> dict[str, Path]:
    """The folders with reference tables, by name; folders that hold something else are left out."""
    return {path.parent.name: path.parent for path in sorted(places.REFERENCE.glob("*/trials.parquet"))}


def find(grid: str) -> Path:
    """The folder of a grid's reference tables. UserError: there are none."""
    folders = grids()
    if grid not in folders:
        raise none_of(grid)
    return folders[grid]


def none_of(grid: str) -> UserError:
    """What there is instead of a grid's reference records."""
    folders = grids()
    others = f"there are some of {', '.join(folders)}" if folders else "there are none yet"
    return UserError(f"{grid}: no reference records in {places.REFERENCE}; {others}")


def describe(trials: pd.DataFrame, of: Sequence[str] = ()) -> str:
    """`185 of 185 cells of seed 0; AMD EPYC, commit abc`: what was run, on which machine, by which code.

    of: the grids that it was run for, if not for this one: `50 of 50 cells of seed 0, from fig2; ...`.
    """
    done = trials[trials["outcome"].notna()]
    seeds = [int(seed) for seed in trials["seed"].unique()]
    machines = [re.sub(r"^\w+ \((.*)\)$", r"\1", device) for device in _distinct(done["device"])]
    commits = _distinct(done["commit"])
    origins = [*machines, *([f"commit {' and '.join(commits)}"] if commits else [])]
    asked = f"{len(done)} of {len(trials)} cells of {say_seeds(seeds)}"
    asked += f", from {', '.join(of)}" if of else ""
    return "; ".join([asked, ", ".join(origins)] if origins else [asked])


def publish(grid: Grid, results: Path, seeds: Iterable[int] = ()) -> Path:
    """Make results/reference/<grid>/ from the store in `results`: both tables and a README.

    `seeds`: exactly these; none: see tables.recorded_seeds. Cells that were not run are rows without an
    outcome. The folder is replaced whole or left as it was. UserError: of a seed no cell was run, or a record
    is damaged. NotWritten.
    """
    store = Store(results)
    scan = store.scan()
    chosen = tuple(seeds) or tables.recorded_seeds(grid, scan)
    recorded = tables.records_by_seed(grid, scan)
    if none := [seed for seed in chosen if not recorded[seed]]:
        raise _nothing(grid, results, none)
    cells = grid.cells(chosen)
    headers = {c.cell_id: scan.headers[c.cell_id] for c in cells if c.cell_id in scan.headers}
    only = Scan(headers=headers, damaged={})
    if damaged := [cell.cell_id for cell in cells if cell.cell_id in scan.damaged]:
        raise _damaged(grid, damaged[0], scan.damaged[damaged[0]])
    place = places.REFERENCE / grid.folder
    with whole_folder(place) as folder:
        unnamed = grid.model_copy(update={"file": None})  # a path of this machine says nothing to others
        for cell_id, reason in tables.write(unnamed, store, only, folder, chosen).items():
            raise _damaged(grid, cell_id, reason)
        trials = tables.read(folder, curves=False).trials
        answering = [headers[i] for i in trials["cell_id"][trials["outcome"].notna()]]
        if not answering:
            raise _nothing(grid, results, chosen)
        (folder / "README.md").write_text(readme(grid, trials, answering), "utf-8")
    return place


def _nothing(grid: Grid, results: Path, seeds: Sequence[int]) -> UserError:
    sweep = places.typed("sweep")
    return UserError(f"{results}: no records of {grid.folder}, {say_seeds(seeds)}; {sweep} makes some")


def _damaged(grid: Grid, cell_id: str, reason: str) -> UserError:
    sweep = places.typed("sweep")
    return UserError(f"{grid.folder}: record {cell_id} is damaged: {reason}; {sweep} runs its cell again")


def readme(grid: Grid, trials: pd.DataFrame, headers: Sequence[Header]) -> str:
    """The page beside the tables, made from the records' own provenance alone.

    `trials` as in records.schema; `headers`: of its rows with an outcome, in their order.
    """
    of = grid.protocol
    goal = (
        "no target"
        if grid.target_loss is None
        else f"target {grid.target_loss:g} {of.problem_type.unit}".rstrip()
    )
    data = f"problem {of.problem}" if of.dataset_name is None else f"data set {of.dataset_name}"
    labels = " and ".join(f"`{label}`" for label in _distinct(trials["protocol"]))
    seeds = [int(seed) for seed in trials["seed"].unique()]
    lines = [
        f"# {grid.folder}: reference records",
        "",
        f"{grid.title}. Protocol {labels}, {data}, {goal}, budget {grid.max_iterations} iterations.",
        "`harness publish` made this page from the records.",
        "",
        "| seed | cells run | cells in the grid | meta-iterations | time |",
        "| --- | --- | --- | --- | --- |",
    ]
    for seed in seeds:
        asked = trials[trials["seed"] == seed]
        of_seed = [header for header in headers if header.cell.seed == seed]
        iterations = sum(header.iterations for header in of_seed)
        lines.append(f"| {seed} | {len(of_seed)} | {len(asked)} | {iterations} | {_time(of_seed)} |")
    lines += ["", *(f"- {line}" for line in _made_by(headers)), f"- time: {_time(headers)} in all"]
    if len(headers) < len(trials):
        lines.append("- a cell not run is a row without an outcome: figures draw it as not run")
    again = f"make sweep GRID={grid.name} SEEDS={seed_ranges(seeds)}"
    if grid.folder != grid.name:
        again += f" DATASET={grid.protocol.dataset_name}"
    return "\n".join(
        [
            *lines,
            "",
            f"To make them again: `{again}`; `make compare GRID={grid.name}` compares the two.",
            f'Read with `harness.load("reference/{grid.folder}")`; docs/records.md has the columns.',
            "",
        ]
    )


def _made_by(headers: Sequence[Header]) -> list[str]:
    """Machines, versions, commits, arithmetic, data and dates, each with how many records it made."""
    origins = [header.provenance for header in headers]
    versions = [dict(origin.get("versions", {})) for origin in origins]
    commits = [by_name.pop("commit", None) or "unknown" for by_name in versions]
    finished = sorted(origin["finished"] for origin in origins if "finished" in origin)
    lines = [
        f"machine: {_counted(_machines(origins))}",
        f"versions: {_counted(map(_versions, versions))}",
        f"commit: {_counted(commits)}",
        f"version of the arithmetic (`numerics`): {_counted(str(header.numerics) for header in headers)}",
    ]
    if any(commit.endswith("+") for commit in commits):
        lines[2] += " ('+': the tree had changes that were not committed)"
    if data := [origin["dataset_sha256"] for origin in origins if origin.get("dataset_sha256")]:
        lines.append(f"SHA-256 of the images: {_counted(data)}")
    if finished:
        lines.append(f"finished: {finished[0]} to {finished[-1]}")
    return lines


def _versions(versions: dict[str, str | None]) -> str:
    """In a fixed order: a restored record has them in another."""
    names = [*provenance.VERSIONS, *(name for name in versions if name not in provenance.VERSIONS)]
    return ", ".join(f"{name} {versions[name]}" for name in names if versions.get(name))


def _machines(origins: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each record's device and threads, and the sizes of the packs of all records made on them."""
    packs: dict[str, list[int]] = {}
    for origin in origins:
        sizes = packs.setdefault(_machine(origin), [])
        if size := origin.get("pack_size"):
            sizes.append(size)
    for origin in origins:
        sizes = packs[_machine(origin)]
        ends = dict.fromkeys((min(sizes), max(sizes))) if sizes else ["unknown"]
        yield f"{_machine(origin)}, cells trained together: {' to '.join(map(str, ends))}"


def _machine(origin: dict[str, Any]) -> str:
    return f"{origin.get('device')}, threads: {origin.get('threads')}"


def _time(headers: Sequence[Header]) -> str:
    """`12.3 core-hours`: wall time of each cell, times its threads where it ran on a CPU."""
    hours: Counter[str] = Counter()
    for header in headers:
        origin = header.provenance
        on_cpu = str(origin.get("device")).startswith("cpu")
        seconds = origin.get("wall_seconds", 0.0) * (origin.get("threads", 1) if on_cpu else 1)
        hours["core" if on_cpu else "GPU"] += seconds / 3600
    return " and ".join(f"{total:.3g} {kind}-hours" for kind, total in hours.items()) or "none"


def describe_data() -> Path:
    """Write results/reference/omniglot.json: facts about the data. UserError: the data are missing."""
    from harness.problems import datasets
    from harness.problems.episodes import split  # late: it loads torch

    protocol = PRESETS["paper-adam"]
    dataset = datasets.load(protocol.dataset, protocol.resize)
    train, held_out = (set(part.tolist()) for part in split(protocol))
    about = {
        **datasets.facts(dataset),
        "drawings_per_character": dataset.images.shape[1],
        "train_characters": len(train),
        "validation_characters": len(held_out),
        "in_both": len(train & held_out),
        "split_seed": protocol.split_seed,
    }
    path = places.REFERENCE / "omniglot.json"
    write_whole(path, lambda file: file.write_text(json.dumps(about, indent=2) + "\n", "utf-8"))
    return path


def _distinct(values: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if isinstance(value, str)))


def _counted(values: Iterable[str]) -> str:
    """`abc (180 records); def (1 record)`, without the counts if all are the same."""
    counts = Counter(values)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{value} ({count} record{'s' * (count > 1)})" for value, count in counts.most_common())


def say_seeds(seeds: Sequence[int]) -> str:
    """`seed 0`, `seeds 0-4`."""
    return f"seed{'s' * (len(seeds) > 1)} {seed_ranges(seeds)}"
