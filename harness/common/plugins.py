"""Plug-ins: Python files or modules that bring methods, problems, networks and data sets of a user's own.

A plug-in is code, and loading it runs it. What is run is what was read and digested, never a cached copy. A
file may import modules from its own folder; they belong to it. A file that has changed is loaded anew, and
then nothing is left of what it brought before.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.common import places
from harness.common.errors import UserError, reason
from harness.common.files import opened
from harness.common.text import one_line

MAX_BYTES = 10_000_000
"""Of a plug-in's file."""


class NotLoaded(UserError):
    """A plug-in that cannot be loaded: it is not there, it raises, or what it brings cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plug-in that is loaded."""

    name: str
    """As the grid's file names it."""
    module: str
    """In sys.modules."""
    path: str | None = None
    """Of its file, on the machine that read it; None: a module that is installed."""
    files: Mapping[str, bytes] | None = None
    """Its own file first, and those of its folder that it imports: name -> content. None: as above."""

    @property
    def sent(self) -> dict[str, Any]:
        """What another process needs to load it: see `receive`."""
        return {"name": self.name, "module": self.module, "path": self.path, "files": self.files}

    @cached_property
    def digest(self) -> str | None:
        """See `digest`."""
        return _digest(self.files) if self.files is not None else None


_loaded: dict[str, Plugin] = {}
"""By module."""
_loading: list[tuple[str, Path]] = []
"""The modules of the files that are being loaded, and their folders: the last one inside those before."""
_when_forgotten: list[Callable[[str], object]] = []


def when_forgotten(forget: Callable[[str], object]) -> None:
    """Have this called with a plug-in's module before it is loaded anew, or when loading it has failed:
    whatever it has brought is then to be forgotten."""
    _when_forgotten.append(forget)


def forget(*modules: str) -> None:
    """Forget what these plug-ins have brought; none named: all of them."""
    for module in modules or (*_loaded,):
        _loaded.pop(module, None)
        for hook in _when_forgotten:
            hook(module)


def load(name: str, folder: Path) -> Plugin:
    """Load a plug-in: a file that ends in .py, from `folder` on, or an installed module.

    NotLoaded: it is not there, or it raises; with the line.
    """
    if not name.endswith(".py"):
        _import(name)
        return keep(name, name)
    try:
        path = Path(os.path.realpath(folder / places.path(name, "plug-in")))
    except (UserError, ValueError) as error:
        raise NotLoaded(f"plug-in {name}: {error}") from None
    module = f"harness_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    before = _loaded.get(module)
    if before is None or before.files is None or before.files != _read_again(path, before.files):
        _loaded[module] = _run(name, module, path, _content(name, path), path.parent)
    return _loaded[module]


def keep(name: str, module: str) -> Plugin:
    """Remember that an installed module was loaded as a plug-in: other processes have to load it too."""
    return _loaded.setdefault(module, Plugin(name=name, module=module))


def loaded() -> list[dict[str, Any]]:
    """All plug-ins that this process has loaded, as `receive` takes them."""
    return [plugin.sent for plugin in _loaded.values()]


def receive(sent: Iterable[Mapping[str, Any]]) -> None:
    """Load the plug-ins of another process, maybe on another machine. NotLoaded: one cannot be loaded here.

    A file is run as it was sent, whatever is there now under its path.
    """
    for one in sent:
        name, module, files = one["name"], one["module"], one["files"]
        known = _loaded.get(module)
        if known is not None and known.files == files:
            continue
        if files is None:
            try:
                _import(name)
            except NotLoaded as error:
                raise NotLoaded(f"on {os.uname().nodename}: {error}") from None
            keep(name, module)
            continue
        (_, content), *others = files.items()
        with tempfile.TemporaryDirectory(prefix="harness-plugin-") as made:
            for beside, its in others:
                (Path(made) / beside).parent.mkdir(parents=True, exist_ok=True)
                (Path(made) / beside).write_bytes(its)
            _loaded[module] = _run(name, module, Path(one["path"]), content, Path(made), files)


def owner(module: str) -> str:
    """Who brings what a module makes known: the plug-in that is being loaded, if the module is its file or
    one of its folder, or else the module itself."""
    for plugin, folder in reversed(_loading):
        if module == plugin or (module in sys.modules and _inside(module, folder) is not None):
            return plugin
    return module


def is_loading(module: str) -> bool:
    """Whether it is the module of a file that is being loaded."""
    return any(module == plugin for plugin, _ in _loading)


def called(module: str) -> str:
    """A module for a message: the path of a plug-in's file, or its name."""
    plugin = _loaded.get(module)
    return plugin.path if plugin is not None and plugin.path is not None else module


def within(module: str) -> str:
    """The beginning of a message about what a module brings: `plug-in sign.py: `; empty: as in a notebook."""
    plugin = _loaded.get(module)
    name = plugin.name if plugin is not None else module
    return "" if is_ours(module) or module == "__main__" else f"plug-in {name}: "


def file_of(module: str) -> str | None:
    """The file of a module that is loaded; None: it has none."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file if isinstance(file, str) else None


def is_ours(module: str) -> bool:
    """Whether a module is part of harness itself."""
    return module.partition(".")[0] == "harness"


def digest(module: str) -> str | None:
    """16 hex digits of the SHA-256 of the source of a module: a plug-in's files, or those of its package.

    None: it is part of harness itself, or it has no file, as in a notebook.
    """
    if is_ours(module):
        return None
    plugin = _loaded.get(module)
    return plugin.digest if plugin is not None and plugin.files is not None else _digest_of(module)


def explain(error: BaseException, *files: Path | str | None) -> str:
    """An exception on one line, with the last of its lines that is in one of these files or folders (none
    given, or None: in any). The first is the one meant where no other is named."""
    at, line = None, None
    if isinstance(error, SyntaxError) and error.lineno is not None:
        at, line = error.filename, error.lineno
    else:
        inside = [Path(file) for file in files if file is not None]
        for frame in traceback.extract_tb(error.__traceback__):
            if not inside or any(_is_below(Path(frame.filename), one) for one in inside):
                at, line = frame.filename, frame.lineno
    text = error.msg if isinstance(error, SyntaxError) else str(error).partition("\n\nFor further")[0]
    where = f"line {line}: " if line is not None else ""
    if files and files[0] is not None and at is not None and Path(at) != Path(files[0]):
        where = f"{Path(at).name}, {where}"
    what = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    return one_line(f"{where}{what}{text}".rstrip(": "), 300)


def _is_below(path: Path, place: Path) -> bool:
    """Whether it is this file, or in this folder and not installed there."""
    return path.is_relative_to(place) and "site-packages" not in path.relative_to(place).parts


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise NotLoaded(
                f"plug-in {name}: there is no such module; install it, or name a file that ends in .py"
            ) from None
        raise NotLoaded(f"plug-in {name}: {explain(error)}") from error
    except (Exception, SystemExit) as error:
        raise NotLoaded(f"plug-in {name}: {explain(error)}") from error


def _run(
    name: str,
    module: str,
    path: Path,
    content: bytes,
    folder: Path,
    files: Mapping[str, bytes] | None = None,
) -> Plugin:
    """Run a file. folder: where its modules are; files: what belongs to it, None: to be found out."""
    forget(module)
    space = ModuleType(module)
    space.__file__ = str(path)
    sys.modules[module] = space
    _loading.append((module, folder))
    try:
        with _importing_from(folder) as beside:
            exec(compile(content, str(path), "exec", dont_inherit=True), space.__dict__)
        found = {path.name: content} | {one: _content(name, folder / one) for one in beside}
    except BaseException as error:
        sys.modules.pop(module, None)
        forget(module)
        if isinstance(error, Exception | SystemExit):
            raise NotLoaded(f"plug-in {name}: {explain(error, path, folder)}") from error
        raise
    finally:
        _loading.pop()
    return Plugin(name=name, module=module, path=str(path), files=files or found)


def _content(name: str, path: Path) -> bytes:
    try:
        with opened(path, MAX_BYTES) as file:
            return file.read()
    except OSError as error:
        raise NotLoaded(f"plug-in {name}: {path}: {reason(error)}") from None
    except ValueError as error:  # no name of a file
        raise NotLoaded(f"plug-in {name}: {error}") from None


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
    """The module's file below the folder; None: it is not there, or it was installed there, or it is the
    script that this process runs, which multiprocessing gives a second name when torch is first imported."""
    if sys.modules[module] is sys.modules.get("__main__"):
        return None
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
def _digest_of(module: str) -> str | None:
    """Of the Python files of a module's package, or of its own file."""
    if (file := file_of(module)) is None:
        return None
    path = Path(file)
    package = path.parent if "." in module or path.name == "__init__.py" else None
    paths = sorted(package.rglob("*.py")) if package is not None else [path]
    try:
        return _digest({str(one.relative_to(path.parent)): one.read_bytes() for one in paths})
    except OSError:
        return None
