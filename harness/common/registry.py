"""What a grid may name, by its name: built in, brought by a plug-in, or offered by an installed package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from harness.common import plugins
from harness.common.errors import UserError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Name -> thing. Iterating gives those that are loaded; asking by name loads what a package offers."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        """In the singular, as messages have it: `method`."""
        self._things: dict[str, T] = {}
        self._owners: dict[str, str] = {}
        plugins.when_forgotten(self._forget)

    @property
    def group(self) -> str:
        """Of the entry points by which packages offer such things: `harness.methods`."""
        return f"harness.{self.kind.replace(' ', '')}s"

    def add(self, name: str, thing: T, module: str) -> None:
        """Make a thing known. module: the Python module that it comes from.

        UserError: its name is none, or it is taken.
        """
        if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
            raise UserError(f"a {self.kind}'s name is {name!r}; write a word such as 'my-{self.group[8:-1]}'")
        mine, owner = plugins.owner(module), self._owners.get(name)
        if owner is not None and (owner != mine or plugins.is_loading(mine)):
            by = "built in" if plugins.is_ours(owner) else f"already brought by {plugins.called(owner)}"
            by = "brought twice" if owner == mine else by
            raise UserError(f"{self.kind} '{name}' is {by}; choose another name")
        self._things[name], self._owners[name] = thing, mine

    def drop(self, name: str) -> None:
        """Make it unknown again."""
        del self._things[name], self._owners[name]

    def module(self, name: str) -> str:
        """The module, or the plug-in, that brought it. KeyError: it is not loaded."""
        return self._owners[name]

    def brought(self, module: str) -> list[str]:
        """The names that a plug-in has brought: those of a file, or of any module of its package."""
        package = module.partition(".")[0]
        return [
            name
            for name, owner in self._owners.items()
            if module == owner or package == owner.partition(".")[0]
        ]

    def known(self) -> list[str]:
        """All names, with those that installed packages offer."""
        return list(dict.fromkeys((*self._things, *_offered(self.group))))

    def check(self, name: str) -> None:
        """UserError: an installed package offers one of a name that is built in, or two packages offer the
        same; or whoever offers it fails. What is not known at all is nobody's mistake here."""
        offers = _offered(self.group).get(name, ())
        if offers and plugins.is_ours(self._owners.get(name, "")):
            raise UserError(
                f"{self.kind} '{name}' is built in, and {_by(offers)} offers another; uninstall it to go on"
            )
        if offers:
            _ = self[name]

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

    def _forget(self, module: str) -> None:
        for name in [name for name, owner in self._owners.items() if owner == module]:
            self.drop(name)

    def _load(self, name: str) -> None:
        """KeyError: nobody offers it. NotLoaded: whoever does fails, or does not bring it."""
        offer, *others = offers = _offered(self.group)[name]
        what = f"{self.kind} '{name}'"
        if others:
            raise plugins.NotLoaded(f"{what} is offered by {_by(offers)}; uninstall all but one")
        try:
            offer.load()
        except (Exception, SystemExit) as error:
            plugins.forget(offer.module)
            raise plugins.NotLoaded(f"{what} of {_by(offers)}: {plugins.explain(error)}") from error
        if name not in self._things:
            raise plugins.NotLoaded(f"{what} of {_by(offers)}: it is loaded, and does not bring it")
        plugins.keep(offer.module, offer.module)


def _by(offers: Sequence[EntryPoint]) -> str:
    """`the package mine (mine.methods:Sign)`"""
    packages = [one.dist.name if one.dist else one.module for one in offers]
    return " and ".join(
        f"the package {name} ({one.value})" for name, one in zip(packages, offers, strict=True)
    )


_installed = lru_cache(entry_points)
"""What all packages offer, read once: there may be hundreds of packages."""


@lru_cache
def _offered(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """What installed packages offer, by name; more than one of a name if they do not agree."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for one in _installed().select(group=group):
        others = found.get(one.name, ())
        if one.value not in (other.value for other in others):
            found[one.name] = (*others, one)
    return found
