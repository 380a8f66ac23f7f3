"""Plug-ins: Python files or modules that bring methods, problems, networks and data sets of a user's own.

A plug-in is code, and loading it runs it. What is run is what was read and digested, never a cached copy. A
file may import modules from its own folder; they belong to it.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.common.errors import UserError, reason
from harness.common.text import one_line

MAX_BYTES = 10_000_000
"""Of a plug-in's file."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plug-in that is loaded."""

    name: str
    """As the grid's file names it."""
    module: str
    """In sys.modules."""
    files: Mapping[str, bytes] | None
    """Its own file first, and those of its folder that it imports: name -> content. None: a module that is
    installed."""

    @property
    def sent(self) -> dict[str, Any]:
        """What another process needs to load it: see `receive`."""
        return {"name": self.name, "module": self.module, "files": self.files}


_loaded: dict[str, Plugin] = {}
"""By module."""


def load(name: str, folder: Path) -> Plugin:
    """Load a plug-in: a file that ends in .py, from `folder` on, or an installed module.

    UserError: it is not there, or it raises; with the line.
    """
    if not name.endswith(".py"):
        plugin = Plugin(name=name, module=_imported(name), files=None)
    else:
        plugin = _from_file(name, (folder / Path(name).expanduser()).resolve())
    _loaded[plugin.module] = plugin
    return plugin


def loaded() -> list[dict[str, Any]]:
    """All plug-ins that this process has loaded, as `receive` takes them."""
    return [plugin.sent for plugin in _loaded.values()]


def receive(sent: Iterable[Mapping[str, Any]]) -> None:
    """Load the plug-ins of another process, maybe on another machine. Those that are loaded already are
    left."""
    for one in sent:
        if one["module"] in _loaded:
            continue
        if one["files"] is None:
            load(one["name"], Path())
            continue
        folder = Path(tempfile.mkdtemp(prefix="harness-plugin-"))
        for name, content in one["files"].items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        first = next(iter(one["files"]))
        _loaded[one["module"]] = _run(one["name"], one["module"], folder / first)


def digest(module: str) -> str | None:
    """16 hex digits of the SHA-256 of the source of a module: a plug-in's files, or those of its package.

    None: it is part of harness itself, or it has no file, as in a notebook.
    """
    if module.partition(".")[0] == "harness":
        return None
    plugin = _loaded.get(module)
    files = plugin.files if plugin is not None and plugin.files is not None else _files_of(module)
    return _digest(files) if files else None


def explain(error: BaseException, path: Path | None = None) -> str:
    """An exception on one line, with the last of its lines that is in `path` (None: in any file)."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if path is None or f.filename == str(path)]
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return one_line(f"line {error.lineno}: {type(error).__name__}: {error.msg}", 300)
    line = f"line {frames[-1].lineno}: " if frames else ""
    return one_line(f"{line}{type(error).__name__}: {error}", 300)


def _imported(name: str) -> str:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise UserError(
                f"plug-in {name}: there is no such module; install it, or name a file that ends in .py"
            ) from None
        raise UserError(f"plug-in {name}: {explain(error)}") from error
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"plug-in {name}: {explain(error)}") from error
    return name


def _from_file(name: str, path: Path) -> Plugin:
    module = f"harness_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    before = _loaded.get(module)
    if before is not None and before.files is not None and before.files == _read_again(path, before.files):
        return before
    return _run(name, module, path)


def _run(name: str, module: str, path: Path) -> Plugin:
    content = _content(name, path)
    space = ModuleType(module)
    space.__file__ = str(path)
    sys.modules[module] = space
    try:
        with _importing_from(path.parent) as beside:
            exec(compile(content, str(path), "exec", dont_inherit=True), space.__dict__)
    except BaseException as error:
        del sys.modules[module]
        if isinstance(error, UserError):
            raise UserError(f"plug-in {name}: {error}") from error
        if isinstance(error, Exception | SystemExit):
            raise UserError(f"plug-in {name}: {explain(error, path)}") from error
        raise
    files = {path.name: content} | {one: _content(name, path.parent / one) for one in beside}
    return Plugin(name=name, module=module, files=files)


def _content(name: str, path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"plug-in {name}: {path} is larger than {MAX_BYTES / 1e6:.0f} MB")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"plug-in {name}: {path}: {reason(error)}") from None


def _read_again(path: Path, files: Mapping[str, bytes]) -> dict[str, bytes] | None:
    try:
        return {name: (path.parent / name).read_bytes() for name in files}
    except OSError:
        return None


@contextmanager
def _importing_from(folder: Path) -> Iterator[list[str]]:
    """Modules of this folder can be imported; afterwards the list has the files of those that were."""
    files: list[str] = []
    for name in _beside & sys.modules.keys():  # as they are on the disk now
        del sys.modules[name]
    before = set(sys.modules)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    try:
        yield files
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = written
        new = {name: _inside(name, folder) for name in sys.modules.keys() - before}
        files += sorted({file for file in new.values() if file is not None})
        _beside.update(name for name, file in new.items() if file is not None)


_beside: set[str] = set()
"""The modules that plug-ins have imported from their own folders."""


def _inside(module: str, folder: Path) -> str | None:
    """The module's file below the folder; None: it is not there, or it was installed there."""
    file = getattr(sys.modules[module], "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py") or module.partition(".")[0] == "harness":
        return None
    path = Path(file)
    installed = "site-packages" in path.parts
    return str(path.relative_to(folder)) if path.is_relative_to(folder) and not installed else None


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:16]


@lru_cache
def _files_of(module: str) -> dict[str, bytes]:
    """The Python files of a module's package, or its own file."""
    found = sys.modules.get(module)
    file = getattr(found, "__file__", None)
    if not isinstance(file, str):
        return {}
    path = Path(file)
    package = path.parent if "." in module or path.name == "__init__.py" else None
    paths = sorted(package.rglob("*.py")) if package is not None else [path]
    try:
        return {str(one.relative_to(path.parent)): one.read_bytes() for one in paths}
    except OSError:
        return {}
