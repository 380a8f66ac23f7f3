"""What a grid may name, by its name: built in, brought by a plug-in, or offered by an installed package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from harness.common.errors import UserError
from harness.common.plugins import explain

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Name -> thing. Iterating gives those that are loaded; asking by name loads what a package offers."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        """In the singular, as messages have it: `method`."""
        self._things: dict[str, T] = {}
        self._modules: dict[str, str] = {}

    @property
    def group(self) -> str:
        """Of the entry points by which packages offer such things: `harness.methods`."""
        return f"harness.{self.kind.replace(' ', '_')}s"

    def add(self, name: str, thing: T, module: str) -> None:
        """Make a thing known. module: the Python module that it comes from.

        UserError: another module has brought one of this name.
        """
        if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
            raise UserError(
                f"{module}: a {self.kind}'s name is {name!r}; write a word such as 'my-{self.kind}'"
            )
        owner = self._modules.get(name)
        if owner is not None and owner != module:
            raise UserError(f"{module}: {self.kind} '{name}' is already in {owner}; choose another name")
        self._things[name], self._modules[name] = thing, module

    def module(self, name: str) -> str:
        """The module that brought it. KeyError: it is not loaded."""
        return self._modules[name]

    def known(self) -> list[str]:
        """All names, with those that installed packages offer."""
        return list(dict.fromkeys((*self._things, *_offered(self.group))))

    def __getitem__(self, name: str) -> T:
        if name not in self._things:
            self._load(name)
        return self._things[name]

    def __contains__(self, name: object) -> bool:
        return name in self._things or name in _offered(self.group)

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def _load(self, name: str) -> None:
        """KeyError: nobody offers it. UserError: whoever does fails, or does not bring it."""
        offer = _offered(self.group)[name]
        try:
            offer.load()
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            raise UserError(f"{self.kind} '{name}' of {offer.value}: {explain(error)}") from error
        if name not in self._things:
            raise UserError(f"{self.kind} '{name}': {offer.value} is loaded and does not bring it")


@lru_cache
def _offered(group: str) -> Mapping[str, EntryPoint]:
    """What installed packages offer, by name. UserError: two of them offer the same."""
    found: dict[str, EntryPoint] = {}
    for one in entry_points(group=group):
        other = found.setdefault(one.name, one)
        if other.value != one.value:
            raise UserError(
                f"{group}: both {other.value} and {one.value} offer '{one.name}'; uninstall one of them"
            )
    return found
