"""The methods by name. A new one is a file beside maml.py and its line here, or a plug-in."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from harness.common.errors import UserError
from harness.methods import alpha_maml
from harness.methods.alpha_maml import AlphaMAML
from harness.methods.anil import ANIL
from harness.methods.base import METHODS, Column, Hyper, Method, Values
from harness.methods.fomaml import FOMAML
from harness.methods.maml import MAML
from harness.methods.meta_sgd import MetaSGD
from harness.methods.reptile import Reptile

for _method in (MAML(), AlphaMAML(), FOMAML(), ANIL(), MetaSGD(), Reptile()):
    METHODS.add(_method.name, _method, type(_method).__module__)


class Options(alpha_maml.Options):
    """The fields that individual methods add to a protocol: a base class for each method that has any."""


__all__ = ["METHODS", "Hyper", "Method", "Options", "Values", "method", "refusal"]


def method(kind: type[Method]) -> type[Method]:
    """Decorator: make a method known. UserError: its name is taken, or it cannot be one."""
    if not (isinstance(kind, type) and issubclass(kind, Method)):
        raise UserError(f"{getattr(kind, '__name__', kind)!r} is not a class that extends harness.Method")
    METHODS.add(getattr(kind, "name", None), kind(), kind.__module__)  # type: ignore[arg-type]
    try:
        _check(kind)
    except UserError:
        METHODS.drop(kind.name)
        raise
    return kind


def _check(kind: type[Method]) -> None:
    """UserError: what it declares cannot be used."""
    if not isinstance(getattr(kind, "title", None), str):
        kind.title = kind.name
    hyper = getattr(kind, "Hyper", None)
    if not (isinstance(hyper, type) and issubclass(hyper, Hyper)):
        raise UserError(f"method '{kind.name}': it needs a Hyper, a class that extends harness.Hyper")
    for name, field in hyper.model_fields.items():
        if name in RESERVED:
            raise UserError(f"method '{kind.name}': a hyper-parameter cannot be called {name}: a column is")
        if not _is_plain(field.annotation):
            raise UserError(
                f"method '{kind.name}': its hyper-parameter {name} is neither a number, nor a whole number, "
                "nor a flag, nor one of some texts (typing.Literal)"
            )
    if wrong := [name for name, one in dict(kind.columns).items() if not isinstance(one, Column)]:
        raise UserError(f"method '{kind.name}': its column {wrong[0]} is not a harness.Column")


RESERVED = ("method", "paired", "seed", "reading", "cell_id", "problem", "dataset", "protocol", "preset")
"""What grids and tables call something else than a hyper-parameter."""


def _is_plain(annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return all(isinstance(value, str) for value in get_args(annotation))
    return annotation in (float, int, bool)


def refusal(method: str, protocol: Any) -> tuple[str, str] | None:
    """The field of a protocol that a method cannot be run with, and why; None: it can be run."""
    one = METHODS[method]
    if protocol.first_order and (one.first_order or one.own_update):
        why = (
            "leaves the second derivatives out by itself" if one.first_order else "has no second derivatives"
        )
        return "first_order", f"{method} {why}; leave first_order out"
    if protocol.meta_optimizer != "adam" and one.own_update:
        return "meta_optimizer", f"{method} has an outer update of its own; leave meta_optimizer out"
    return None
