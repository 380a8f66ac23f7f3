"""A grid's file: found by name, read strictly, resolved. What is wrong in it is said in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.cell import Protocol, model_of, preset_of, presets, protocol_of
from harness.common import places, plugins
from harness.common.errors import UserError
from harness.common.plugins import NotLoaded, Plugin
from harness.common.registry import Registry
from harness.grids import figure, mistakes, strictyaml
from harness.grids.figure import Heatmap, Trajectories
from harness.grids.grid import RESERVED, Grid
from harness.grids.mistakes import Mistake, show, suggest
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
    known = _known(data, ())
    wrong = [Mistake((key,), f"unknown key; {suggest(key, known)}") for key in _COMPUTED if key in data]
    protocol, written = data.get("protocol", {}), None
    preset, folder_name = "paper-adam", name
    if isinstance(protocol, dict):
        unknown = list(_unknown_names(protocol))
        wrong += unknown
        if unknown:
            protocol = None  # said already; it stands for whatever would be wrong with it
        else:
            preset = _preset(protocol)
            protocol, written = _whole(protocol, preset, dataset)
            folder_name = name if dataset in (None, written) else f"{name}-{dataset}"
            if dataset is not None and written is None:
                raise refusal(f"data set {show(dataset)}: {document.name} has a problem without data sets")
    try:
        whole = {**data, "preset": preset, "name": name, "folder": folder_name}
        whole["protocol"], more = _protocol(protocol, document, data, ("protocol",))
        wrong += more
        if isinstance(data.get("readings"), tuple) and isinstance(whole["protocol"], Protocol):
            whole["readings"], more = _readings(data["readings"], whole["protocol"], document, data)
            wrong += more
            if data["readings"] == ():
                wrong.append(Mistake(("readings",), "the list is empty; leave it out"))
        grid = Grid.model_validate(whole, strict=True)
        if not wrong:
            wrong += _chosen_for_nothing(grid, data)
            wrong += _loaded_for_nothing(grid, brought, written)
    except ValidationError as error:
        found = mistakes.of_error(error, document, lambda path: _known(data, path))
        said = {"protocol"} if whole["protocol"] is None else set()
        if "readings" in data and whole.get("readings") is None:
            said.add("readings")
        wrong += [one for one in found if one.place[:1] not in {(key,) for key in said}]
    if wrong:
        raise mistakes.report(document, wrong)
    return grid


def _load_plugins(document: strictyaml.Document, named: Any, folder: Path | None) -> dict[Place, Plugin]:
    """Load a grid's plug-ins, in their order. What is not a list of names is left for the model to refuse.

    NotLoaded: one cannot be loaded.
    """
    found: dict[Place, Plugin] = {}
    for at, name in enumerate(figure.listed(named)):
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
    protocols += [(("readings", i), one) for i, one in enumerate(figure.listed(data.get("readings")))]
    places: list[tuple[Place, Registry[Any], Any]] = [
        ((*at, key), known, fields.get(key))
        for at, fields in protocols
        if isinstance(fields, dict)
        for key, known in (("problem", PROBLEMS), ("network", NETWORKS), ("dataset", DATASETS))
    ]
    places += [
        (("cells", i, "method"), METHODS, block.get("method"))
        for i, block in enumerate(figure.listed(data.get("cells")))
        if isinstance(block, dict)
    ]
    for at, known, name in places:
        if isinstance(name, str):
            try:
                known.check(name)
            except UserError as error:
                raise NotLoaded(str(mistakes.report(document, [Mistake(at, str(error))]))) from None


def _unknown_names(protocol: dict[str, Any]) -> Iterator[Mistake]:
    """Names in a protocol that nothing has, before its fields can be known."""
    for key, what, known in (
        ("preset", "preset", presets()),
        ("problem", "problem", PROBLEMS.known()),
        ("network", "network", NETWORKS.known()),
        ("dataset", "data set", DATASETS.known()),
    ):
        name = protocol.get(key)
        if key in protocol and (not isinstance(name, str) or name not in known):
            yield Mistake(("protocol", key), f"{show(name)} is not a {what}; {suggest(name, known)}")


def _preset(protocol: dict[str, Any]) -> str:
    """The preset of a protocol as it was written: the problem's own if it names a problem alone."""
    if "preset" in protocol or protocol.get("problem", "few-shot") == "few-shot":
        return protocol.get("preset", "paper-adam")
    return protocol["problem"]


def _whole(protocol: dict[str, Any], preset: str, dataset: str | None) -> tuple[dict[str, Any], str | None]:
    """A protocol with its preset written out, and the data set that is written; None: its problem has
    none."""
    given = {key: value for key, value in protocol.items() if key != "preset"}
    base = preset_of(preset).model_dump()
    written = given.get("dataset", base.get("dataset"))
    if written is not None:
        base |= DATASETS[dataset or written].fields
        given["dataset"] = dataset or written
    return _beneath(base, given), written


def _beneath(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The given fields, and those of `base` that a protocol with these has too."""
    fields = model_of({**base, **given}).model_fields
    return {key: value for key, value in base.items() if key in fields} | given


def _protocol(
    fields: Any, document: strictyaml.Document, data: dict[str, Any], place: Place
) -> tuple[Any, list[Mistake]]:
    """A protocol of these fields, or None and what is wrong with it."""
    if not isinstance(fields, dict):
        return fields, []
    try:
        return protocol_of(**fields), []
    except ValidationError as error:
        return None, mistakes.of_error(error, document, lambda path: _known(data, path), place)


def _readings(
    changes: tuple[Any, ...], protocol: Protocol, document: strictyaml.Document, data: dict[str, Any]
) -> tuple[Any, list[Mistake]]:
    """The readings as whole protocols, or None and what is wrong with them."""
    base = protocol.model_dump()
    wrong: list[Mistake] = []
    made: list[Any] = []
    for i, change in enumerate(changes):
        if isinstance(change, dict) and (found := list(_unknown_names(change))):
            wrong += [replace(one, place=("readings", i, *one.place[1:])) for one in found]
            continue
        whole = _beneath(base, change) if isinstance(change, dict) else change
        reading, found = _protocol(whole, document, data, ("readings", i))
        made.append(reading)
        wrong += found
    return (None if wrong else tuple(made)), wrong


def _chosen_for_nothing(grid: Grid, data: dict[str, Any]) -> Iterator[Mistake]:
    """A meta-optimizer that is written for a method that has an update of its own."""
    own = next((i for i, block in enumerate(grid.blocks) if METHODS[block.method].own_update), None)
    if own is None or not isinstance(data.get("protocol"), dict):
        return
    places: list[Place] = [("protocol", "meta_optimizer")] if "meta_optimizer" in data["protocol"] else []
    places += [
        ("readings", i, "meta_optimizer")
        for i, one in enumerate(data.get("readings", ()))
        if "meta_optimizer" in one
    ]
    for place in places:
        text = f"{grid.blocks[own].method} has an outer update of its own; leave meta_optimizer out"
        yield Mistake(place, text)


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


_COMPUTED = ("name", "folder", "preset", "file")
"""Fields of a Grid that are not keys of its file."""


def _known(data: dict[str, Any], path: Place) -> list[str]:
    """The keys that a file may have at this path."""
    if not path:
        return [f.alias or name for name, f in Grid.model_fields.items() if name not in _COMPUTED]
    if path[0] in ("protocol", "readings"):
        written = data["protocol"] if isinstance(data.get("protocol"), dict) else {}
        fields = written if path[0] == "protocol" else {**written, **data["readings"][path[1]]}
        known = model_of(preset_of(_preset(written)).model_dump() | fields).model_fields
        return [*(["preset"] if path[0] == "protocol" else []), *known]
    if path == ("figure",):
        return list((Trajectories if data["figure"]["kind"] == "trajectories" else Heatmap).model_fields)
    return list(figure.Column.model_fields)
