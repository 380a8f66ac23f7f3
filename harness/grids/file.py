"""A grid's file: found by name, read strictly, resolved. What is wrong in it is said in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.cell import model_of, preset_of
from harness.common import places, plugins
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.common.plugins import NotLoaded, Plugin
from harness.common.registry import Registry
from harness.grids import figure, mistakes, strictyaml
from harness.grids.figure import Heatmap, Losses, Trajectories
from harness.grids.grid import RESERVED, Grid
from harness.grids.matching import listed
from harness.grids.meta_test import MetaTest
from harness.grids.mistakes import Mistake, show, suggest
from harness.grids.protocols import named_preset, written_out
from harness.grids.strictyaml import Place, refusal
from harness.methods import METHODS
from harness.problems import PROBLEMS
from harness.problems.datasets import DATASETS
from harness.problems.networks import NETWORKS


def datasets() -> tuple[str, ...]:
    """The data sets by name."""
    return tuple(DATASETS.known())


def names() -> list[str]:
    """The grids of sweeps/."""
    return sorted(path.stem for path in places.SWEEPS.glob("*.yaml"))


def load(name_or_path: str, *, dataset: str | None = None) -> Grid:
    """The grid in sweeps/<name>.yaml, or in any file that ends in .yaml or .yml.

    `dataset` replaces the protocol's data set; None keeps it. UserError: a mistake, with its line in the
    file.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        path, shown = places.path(name_or_path, "grid"), name_or_path
    elif name_or_path in names():
        path, shown = places.SWEEPS / f"{name_or_path}.yaml", f"sweeps/{name_or_path}.yaml"
    else:
        hint = suggest(name_or_path, names())
        raise refusal(f"grid {show(name_or_path)}: unknown; {hint} (or a path that ends in .yaml)")
    _check_name(path)
    grid = resolve(strictyaml.read(path, shown), path.stem, dataset, path.parent)
    return grid if _in_sweeps(path) else grid.model_copy(update={"file": os.path.realpath(path)})


def load_all(dataset: str | None = None) -> list[Grid]:
    """The grids of sweeps/ but those whose plug-ins cannot be loaded. `dataset` replaces the data set of
    those that have one; None keeps it."""
    own = []
    for name in names():
        with suppress(NotLoaded):
            own.append(load(name))
    if dataset is None:
        return own
    return [load(grid.name, dataset=dataset) if grid.protocol.dataset_name else grid for grid in own]


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def _check_name(path: Path) -> None:
    """The name becomes a folder of results/: it must be a valid name for one, and not taken."""
    if not _NAME.fullmatch(path.stem) or len(path.stem) > 100:
        text = "rename it: it names a folder, so use letters, digits and _ . + -, at most 100 of them"
        raise refusal(f"{path}: {text}")
    taken = {name for grid in names() for name in (grid, *(f"{grid}-{d}" for d in datasets()))}
    if path.stem.lower() in {*RESERVED, *({} if _in_sweeps(path) else {name.lower() for name in taken})}:
        raise refusal(f"{path}: rename it: the folder results/{path.stem} is already taken")


def _in_sweeps(path: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(places.SWEEPS / f"{path.stem}.yaml")


def resolve(
    document: strictyaml.Document, name: str, dataset: str | None = None, folder: Path | None = None
) -> Grid:
    """The grid that a file describes, with its plug-ins loaded and its preset written out. Raises UserError.

    folder: where the file is, and its plug-ins; None: it may have none.
    """
    data = document.data
    if not isinstance(data, dict):
        raise mistakes.report(document, [Mistake((), f"{show(data)} is not a mapping of keys to values")])
    brought = _load_plugins(document, data.get("plugins", ()), folder)
    _check_offers(document, data)
    if dataset is not None and dataset not in DATASETS:
        raise refusal(f"data set {show(dataset)}: unknown; {suggest(dataset, datasets())}")

    def unknown(place: Place) -> str:
        return _unknown(data, place)

    whole = {**data, "name": name, "folder": name, "preset": "paper-adam"}
    wrong = [Mistake((key,), unknown((key,))) for key in _COMPUTED if key in data]
    whole, more = written_out(whole, document, unknown, dataset)
    wrong += more
    said = {key for key in ("protocol", "readings") if key in data and whole.get(key) is None}
    written = {key: data.get(key, default) for key, default in (("protocol", {}), ("readings", ()))}
    try:
        grid = Grid.model_validate(whole, strict=True, context=written)
        if not wrong:
            wrong += _loaded_for_nothing(grid, brought, _dataset_of(data))
    except ValidationError as error:
        found = mistakes.of_error(error, document, unknown)
        wrong += [one for one in found if one.place[:1] not in {(key,) for key in said}]
    if wrong:
        raise mistakes.report(document, wrong)
    return grid


def _load_plugins(document: strictyaml.Document, named: Any, folder: Path | None) -> dict[Place, Plugin]:
    """Load a grid's plug-ins, in their order. What is not a list of names is left for the model to refuse.

    NotLoaded: one cannot be loaded.
    """
    found: dict[Place, Plugin] = {}
    for at, name in enumerate(listed(named)):
        if isinstance(name, str) and name.strip():
            place: Place = ("plugins", at) if ("plugins", at) in document.lines else ("plugins",)
            try:
                found[place] = plugins.load(name, folder or Path())
            except NotLoaded as error:
                raise NotLoaded(str(mistakes.report(document, [Mistake(place, str(error))]))) from None
    return found


def _check_offers(document: strictyaml.Document, data: dict[str, Any]) -> None:
    """Of what a grid names and an installed package offers: that it can be loaded, and is no other thing's
    name. NotLoaded."""
    protocols: list[tuple[Place, Any]] = [(("protocol",), data.get("protocol"))]
    protocols += [(("readings", i), one) for i, one in enumerate(listed(data.get("readings")))]
    places: list[tuple[Place, Registry[Any], Any]] = [
        ((*at, key), known, fields.get(key))
        for at, fields in protocols
        if isinstance(fields, dict)
        for key, known in (("problem", PROBLEMS), ("network", NETWORKS), ("dataset", DATASETS))
    ]
    places += [
        (("cells", i, "method"), METHODS, block.get("method"))
        for i, block in enumerate(listed(data.get("cells")))
        if isinstance(block, dict)
    ]
    for at, known, name in places:
        if isinstance(name, str):
            try:
                known.check(name)
            except UserError as error:
                raise NotLoaded(str(mistakes.report(document, [Mistake(at, str(error))]))) from None


def _dataset_of(data: dict[str, Any]) -> Any:
    """The data set that a file names."""
    return data["protocol"].get("dataset") if isinstance(data.get("protocol"), dict) else None


def _loaded_for_nothing(grid: Grid, brought: dict[Place, Plugin], dataset: str | None) -> Iterator[Mistake]:
    """Plug-ins that bring nothing that the grid names. dataset: the one that is written."""
    protocols = (grid.protocol, *grid.protocols)
    named: list[tuple[Registry[Any], set[str | None]]] = [
        (METHODS, {block.method for block in grid.blocks}),
        (PROBLEMS, {one.problem for one in protocols}),
        (NETWORKS, {one.network for one in protocols}),
        (DATASETS, {dataset, *(one.dataset_name for one in protocols)}),
    ]
    for place, plugin in brought.items():
        its = [(known, name, names) for known, names in named for name in known.brought(plugin.module)]
        if not any(name in names for _, name, names in its):
            what = ", ".join(f"{known.kind} '{name}'" for known, name, _ in its)
            what = f"brings {what}, which this grid does not use" if what else "brings nothing"
            yield Mistake(place, f"plug-in {plugin.name} {what}")


@lru_cache(maxsize=256)  # tables in parts keep it with each part
def from_json(text: str) -> Grid:
    """A grid from its JSON, as the results keep it. Raises UserError."""
    try:
        grid = Grid.model_validate_json(text)
    except ValidationError as error:
        raise UserError(f"the grid kept with the results: {mistakes.words(error.errors()[0])}") from None
    for name in (grid.name, grid.folder):  # files are written there
        if not _NAME.fullmatch(name):
            raise UserError(f"the grid kept with the results: {show(name)} is not the name of a grid")
    return grid


plugins.when_forgotten(lambda _: from_json.cache_clear())


_COMPUTED = ("name", "folder", "preset", "file")
"""Fields of a Grid that are not keys of its file."""


def _unknown(data: dict[str, Any], place: Place) -> str:
    """What is wrong with a key that a file may not have at its place."""
    *parent, key = place
    if place[0] not in ("protocol", "readings"):
        return f"unknown key; {suggest(key, _known(data, tuple(parent)))}"
    written = data["protocol"] if isinstance(data.get("protocol"), dict) else {}
    change = written if place[0] == "protocol" else data["readings"][place[1]]
    fields = {**preset_of(named_preset(written)).model_dump(), **written, **change}
    for kind, things in (("network", NETWORKS), ("problem", PROBLEMS)):
        if any(key in one.Fields.model_fields for one in things.values()):
            own = ", ".join(things[fields[kind]].Fields.model_fields)
            return f"the {kind} {fields[kind]} has no {key}" + (f"; it has {own}" if own else "")
    more = ["preset"] if place[0] == "protocol" else []
    return f"unknown key; {suggest(key, [*more, *model_of(fields).model_fields])}"


def _known(data: dict[str, Any], place: Place) -> list[str]:
    """The keys that a file may have at this place, outside of protocols."""
    if not place:
        return [f.alias or name for name, f in Grid.model_fields.items() if name not in _COMPUTED]
    if place == ("meta_test",):
        return list(MetaTest.model_fields)
    if place == ("figure",):
        kinds: dict[str, type[Frozen]] = {"trajectories": Trajectories, "losses": Losses}
        return list(kinds.get(data["figure"]["kind"], Heatmap).model_fields)
    return list(figure.Column.model_fields)
