"""A grid's file: found by name, read strictly, resolved. What is wrong in it is said in one line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.cell import PRESETS, Protocol
from harness.common import places
from harness.common.errors import UserError
from harness.grids import figure, mistakes, strictyaml
from harness.grids.figure import Heatmap, Trajectories
from harness.grids.grid import RESERVED, Grid
from harness.grids.mistakes import Mistake, show, suggest
from harness.grids.strictyaml import Place, refusal


def datasets() -> tuple[str, ...]:
    """The data sets by name."""
    from harness.problems.datasets import LOADERS  # late: it loads numpy and matplotlib

    return tuple(LOADERS)


def names() -> list[str]:
    """The grids of sweeps/."""
    return sorted(path.stem for path in places.SWEEPS.glob("*.yaml"))


def load(name_or_path: str, *, dataset: str | None = None) -> Grid:
    """The grid in sweeps/<name>.yaml, or in any file that ends in .yaml or .yml.

    `dataset` replaces the protocol's data set; None keeps it. UserError: a mistake, with its line in the
    file.
    """
    if dataset is not None and dataset not in datasets():
        raise refusal(f"data set {show(dataset)}: unknown; {suggest(dataset, datasets())}")
    if name_or_path.endswith((".yaml", ".yml")):
        path, shown = places.path(name_or_path, "grid"), name_or_path
    elif name_or_path in names():
        path, shown = places.SWEEPS / f"{name_or_path}.yaml", f"sweeps/{name_or_path}.yaml"
    else:
        hint = suggest(name_or_path, names())
        raise refusal(f"grid {show(name_or_path)}: unknown; {hint} (or a path that ends in .yaml)")
    _check_name(path)
    grid = resolve(strictyaml.read(path, shown), path.stem, dataset)
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


def resolve(document: strictyaml.Document, name: str, dataset: str | None = None) -> Grid:
    """The grid that a file describes, with its preset written out. Raises UserError."""
    data = document.data
    if not isinstance(data, dict):
        raise mistakes.report(document, [Mistake((), f"{show(data)} is not a mapping of keys to values")])
    known = _known(data, ())
    wrong = [Mistake((key,), f"unknown key; {suggest(key, known)}") for key in _COMPUTED if key in data]
    protocol, preset, folder = data.get("protocol", {}), "paper-adam", name
    if isinstance(protocol, dict):
        preset = protocol.get("preset", "paper-adam")
        if not isinstance(preset, str) or preset not in PRESETS:
            text = f"{show(preset)} is not a preset; {suggest(preset, PRESETS)}"
            wrong.append(Mistake(("protocol", "preset"), text))
            preset = "paper-adam"
        written = protocol.get("dataset", PRESETS[preset].dataset)
        if isinstance(written, str) and written not in datasets():
            text = f"{show(written)} is not a data set; {suggest(written, datasets())}"
            wrong.append(Mistake(("protocol", "dataset"), text))
        given = {key: value for key, value in protocol.items() if key != "preset"}
        protocol = {**PRESETS[preset].model_dump(), **given, "dataset": dataset or written}
        folder = name if dataset in (None, written) else f"{name}-{dataset}"
    try:
        whole = {**data, "protocol": protocol, "preset": preset, "name": name, "folder": folder}
        if "readings" in data:
            whole["readings"] = _readings(data["readings"], protocol)
            if data["readings"] == ():
                wrong.append(Mistake(("readings",), "the list is empty; leave it out"))
        grid = Grid.model_validate(whole, strict=True)
    except ValidationError as error:
        wrong += mistakes.of_error(error, document, lambda path: _known(data, path))
    if wrong:
        raise mistakes.report(document, wrong)
    return grid


def _readings(changes: Any, protocol: Any) -> Any:
    """The readings as whole protocols. The model will refuse whatever is wrong with them."""
    try:
        base = Protocol.model_validate(protocol, strict=True).model_dump()
    except ValidationError:
        base = {}  # refused at its own place, and not again in each reading
    if not isinstance(changes, tuple):
        return changes
    return tuple({**base, **change} if isinstance(change, dict) else change for change in changes)


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
    if path == ("protocol",):
        return ["preset", *Protocol.model_fields]
    if path[0] == "readings":
        return list(Protocol.model_fields)
    if path == ("figure",):
        return list((Trajectories if data["figure"]["kind"] == "trajectories" else Heatmap).model_fields)
    return list(figure.Column.model_fields)
