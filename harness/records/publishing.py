"""How the reference is published: results/reference/<grid>/, made from a store, whole or in parts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cell import PRESETS, Cell
from harness.common import places
from harness.common.errors import UserError
from harness.common.files import whole_file, whole_folder, write_whole
from harness.grids import Grid
from harness.grids.selection import seed_ranges
from harness.records import compact, meta_tests, provenance, reference, tables
from harness.records.checkpoints import Checkpoints
from harness.records.record import DamagedRecord, ForeignRecord, Header, Record
from harness.records.reference import distinct, say_seeds
from harness.records.restore import records_of
from harness.records.store import Scan, Store

if TYPE_CHECKING:
    import pandas as pd

    from harness.records.meta_tests import MetaTests


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The records of a store, and beside them those that are published and the store has no answer for;
    tables are made from it as from a store."""

    store: Store
    published: dict[str, Record]
    """By cell id: all that are published."""
    new: frozenset[str]
    """Cells whose record in the store is to be published."""
    scan: Scan

    def read(self, cell_id: str) -> Record:
        """The store's, unless the published one is to stay."""
        kept = cell_id in self.published and cell_id not in self.new
        return self.published[cell_id] if kept else self.store.read(cell_id)


def beside_published(grid: Grid, store: Store, place: Path) -> Beside:
    """The records for the tables of a grid that is published in `place`, or not yet."""
    scan = store.scan()
    records = records_of(place) if compact.parts(place) else ()
    published = {one.header.cell.cell_id: one for one in records}
    new = {
        cell_id
        for cell_id, header in scan.headers.items()
        if cell_id not in published
        or (header.answers(grid.question) and _made(header) != _made(published[cell_id].header))
    }
    kept = {cell_id: one.header for cell_id, one in published.items() if cell_id not in new | {*scan.damaged}}
    together = Scan(headers=scan.headers | kept, damaged=scan.damaged)
    return Beside(store=store, published=published, new=frozenset(new), scan=together)


def _made(header: Header) -> tuple[Any, ...]:
    """What tells two records of a cell apart."""
    return header.provenance.get("finished"), header.ending, header.iterations


def publish(
    grid: Grid,
    results: Path,
    seeds: Iterable[int] = (),
    in_parts: bool = False,
    target: float | None = None,
    tell: Callable[[int], None] = lambda new: None,
    tested: Callable[[MetaTests, pd.DataFrame], list[str]] = lambda tests, trials: [],
) -> Path:
    """Make results/reference/<grid>/ from the store in `results`: tables and a README.

    What is published already and the store has no record of stays. `seeds`: these and those that are
    published; none: see tables.recorded_seeds. Cells that were not run are rows without an outcome. in_parts:
    compact tables, a folder for each method; those of which the store has nothing new are left as they are. A
    grid that is published in parts stays so. target: a training loss to which iterations may be counted, for
    the README of a grid without a target. `tell` learns how many of the records that answer are new; `tested`
    gives the README's lines on a meta-test, of whose published cells these are the trials. A meta-test and
    kept weights go along; without new ones, those that are published stay. Each folder is replaced whole or
    left as it was. UserError: of a seed no cell was run, or a record is damaged. NotWritten.
    """
    place = places.REFERENCE / grid.folder
    parts = compact.parts(place)
    found = beside_published(grid, Store(results), place)
    before = {one.header.cell.seed for one in found.published.values()}
    chosen = tuple(sorted({*seeds} | before)) if seeds else tables.recorded_seeds(grid, found.scan, before)
    recorded = tables.records_by_seed(grid, found.scan)
    if none := [seed for seed in chosen if not recorded[seed]]:
        raise _nothing(grid, results, none)
    cells = grid.cells(chosen)
    headers = {c.cell_id: found.scan.headers[c.cell_id] for c in cells if c.cell_id in found.scan.headers}
    if damaged := [cell.cell_id for cell in cells if cell.cell_id in found.scan.damaged]:
        raise _damaged(grid, damaged[0], found.scan.damaged[damaged[0]])
    only = replace(found, scan=Scan(headers=headers, damaged={}))
    if in_parts or parts not in ([], [place]):
        _publish_parts(grid, only, place, chosen)
        _publish_meta_test(grid, cells, results, place, place)
        _publish_weights(grid, headers.values(), results, place, place)
        _write_page(grid, only, place, place, chosen, target, tested)
    else:
        with whole_folder(place) as folder:
            _write(grid, only, folder, chosen)
            _publish_meta_test(grid, cells, results, place, folder)
            _publish_weights(grid, headers.values(), results, place, folder)
            _write_page(grid, only, folder, folder, chosen, target, tested)
    tell(sum(headers[cell_id].answers(grid.question) for cell_id in found.new & headers.keys()))
    return place


def _publish_parts(grid: Grid, found: Beside, place: Path, seeds: Sequence[int]) -> None:
    """The part of each method that has any record and is not published as it is; all parts if some have cells
    that the grid does not have any more. UserError: it does not have a method any more."""
    if (place / compact.FILES[0]).exists():
        raise UserError(f"{place}: its tables are whole; a grid is published in parts from the beginning")
    methods = [*dict.fromkeys(block.method for block in grid.blocks)]
    if gone := {part.name for part in compact.parts(place)} - {*methods}:
        raise UserError(
            f"{place / min(gone)}: {grid.folder} does not have this method any more; remove the folder"
        )
    fresh = {found.scan.headers[cell_id].cell.method for cell_id in found.new & found.scan.headers.keys()}
    if not found.published.keys() <= {cell.cell_id for cell in grid.cells(seeds)}:
        fresh |= {one.header.cell.method for one in found.published.values()}
    for method in methods:
        if method in fresh:
            with whole_folder(place / method) as folder:
                _write(grid, found, folder, seeds, method)


def _write(grid: Grid, found: Beside, folder: Path, seeds: Sequence[int], part: str | None = None) -> None:
    unnamed = grid.model_copy(update={"file": None})  # a path of this machine says nothing to others
    for cell_id, reason in tables.write(unnamed, found, found.scan, folder, seeds, part).items():
        raise _damaged(grid, cell_id, reason)


def _publish_meta_test(grid: Grid, cells: Sequence[Cell], results: Path, place: Path, folder: Path) -> None:
    """Write into `folder` the meta-test of these cells that is in the results, or else in `place`."""
    own = results / grid.folder
    source = own if meta_tests.is_there(own) else place
    if meta_tests.is_there(source):
        meta_tests.copy(grid.model_copy(update={"file": None}), cells, source, folder)


def _publish_weights(grid: Grid, headers: Iterable[Header], results: Path, place: Path, folder: Path) -> None:
    """Write into `folder` the weights of these cells' runs for the grid that the results keep, or else those
    in `place`."""
    kept = Checkpoints(Store(results))
    for header in headers:
        try:
            iteration = kept.ends_at(header, grid.question)
        except (DamagedRecord, ForeignRecord, OSError):
            continue
        if iteration is None:
            continue
        name = kept.weights_at(header.cell.cell_id, iteration).name
        sources = (kept.weights / name, place / reference.WEIGHTS / name)
        source = next((path for path in sources if path.exists()), None)
        target = folder / reference.WEIGHTS / name
        if source is not None and source != target:
            target.parent.mkdir(exist_ok=True)
            with whole_file(target) as temporary:
                temporary.write_bytes(source.read_bytes())


def _write_page(
    grid: Grid,
    found: Beside,
    tables_of: Path,
    folder: Path,
    seeds: Sequence[int],
    target: float | None,
    tested: Callable[[MetaTests, pd.DataFrame], list[str]],
) -> None:
    trials = tables.read(tables_of, curves=False).trials
    answering = [found.scan.headers[i] for i in trials["cell_id"][trials["outcome"].notna()]]
    if not answering:
        raise _nothing(grid, places.RESULTS, seeds)
    page = readme(grid, trials, answering, target)
    if meta_tests.is_there(folder):
        page += "\n".join(["", *tested(meta_tests.read(folder), trials), ""])
    (folder / "README.md").write_text(page, "utf-8")


def _nothing(grid: Grid, results: Path, seeds: Sequence[int]) -> UserError:
    sweep = places.typed("sweep")
    return UserError(f"{results}: no records of {grid.folder}, {say_seeds(seeds)}; {sweep} makes some")


def _damaged(grid: Grid, cell_id: str, reason: str) -> UserError:
    sweep = places.typed("sweep")
    return UserError(f"{grid.folder}: record {cell_id} is damaged: {reason}; {sweep} runs its cell again")


def readme(grid: Grid, trials: pd.DataFrame, headers: Sequence[Header], target: float | None = None) -> str:
    """The page beside the tables, made from the records' own provenance alone.

    `trials` as in records.schema; `headers`: of its rows with an outcome, in their order; `target`: see
    `publish`.
    """
    of = grid.protocol
    goal = (
        "no target"
        if grid.target_loss is None
        else f"target {grid.target_loss:g} {of.problem_type.unit}".rstrip()
    )
    data = f"problem {of.problem}" if of.dataset_name is None else f"data set {of.dataset_name}"
    labels = " and ".join(f"`{label}`" for label in distinct(trials["protocol"]))
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
    of_data = "" if grid.folder == grid.name else f" DATASET={grid.protocol.dataset_name}"
    again = f"To make them again: `make sweep GRID={grid.name} SEEDS={seed_ranges(seeds)}{of_data}`"
    if grid.target_loss is not None or target is not None:
        to = "" if grid.target_loss is not None else f" TARGET={target:g}"
        again += f"; `make compare GRID={grid.name}{of_data}{to}` compares the two"
    return "\n".join(
        [
            *lines,
            "",
            f"{again}.",
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


def _counted(values: Iterable[str]) -> str:
    """`abc (180 records); def (1 record)`, without the counts if all are the same."""
    counts = Counter(values)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{value} ({count} record{'s' * (count > 1)})" for value, count in counts.most_common())
