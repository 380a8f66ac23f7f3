"""The methods by name. A new one is a file beside maml.py and its line here, or a plug-in."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from harness.common.errors import UserError
from harness.methods import alpha_maml
from harness.methods.alpha_maml import AlphaMAML
from harness.methods.alpha_maml_log import AlphaMAMLLog
from harness.methods.alpha_maml_normalised import AlphaMAMLMultiplicative, AlphaMAMLNormalised
from harness.methods.anil import ANIL
from harness.methods.base import METHODS, TAKEN, Column, Hyper, Method, Values, kind_of
from harness.methods.fomaml import FOMAML
from harness.methods.la_maml import LaMAML
from harness.methods.lslr import LSLR
from harness.methods.maml import MAML
from harness.methods.maml_dog import MAMLDoG
from harness.methods.maml_prodigy import MAMLProdigy
from harness.methods.meta_sgd import MetaSGD
from harness.methods.reptile import Reptile


class Options(alpha_maml.Options):
    """The fields that individual methods add to a protocol: a base class for each method that has any."""


__all__ = ["METHODS", "Hyper", "Method", "Options", "Values", "method", "refusal"]


def method(kind: type[Method]) -> type[Method]:
    """Decorator: make a method known.

    UserError: its name is taken, or it is none; or it has a hyper-parameter or records a column that no table
    can have.
    """
    if not (isinstance(kind, type) and issubclass(kind, Method)):
        raise UserError(f"{getattr(kind, '__name__', kind)!r} is not a class that extends harness.Method")
    name, hyper = getattr(kind, "name", None), getattr(kind, "Hyper", None)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
        raise UserError(f"a method's name is {name!r}; write a word with letters, digits and . _ + -")
    if not (isinstance(hyper, type) and issubclass(hyper, Hyper)):
        raise UserError(f"method '{name}': it needs a Hyper, a class that extends harness.Hyper")
    if not isinstance(vars(kind).get("title"), str):  # one that is inherited is that of another method
        kind.title = name
    one = kind()
    _check(one)
    METHODS.add(name, one, kind.__module__)
    return kind


_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def _check(one: Method) -> None:
    """UserError: a name that no table or filter can hold, or a hyper-parameter of no known kind."""
    if wrong := [name for name, column in one.columns.items() if not isinstance(column, Column)]:
        raise UserError(f"method '{one.name}': its column {wrong[0]} is not a harness.Column")
    for what, names in (("hyper-parameter", one.Hyper.model_fields), ("column", one.columns)):
        for name in names:
            if not _WORD.fullmatch(name):
                raise UserError(f"method '{one.name}': its {what} {name!r} is not a plain word such as rate0")
            if name in TAKEN or name.startswith(("train_", "val_", "final_")):
                raise UserError(
                    f"method '{one.name}': its {what} {name} has the name of another column of the tables; "
                    "rename it"
                )
    for name, field in one.Hyper.model_fields.items():
        if kind_of(field) is None:
            raise UserError(
                f"method '{one.name}': its hyper-parameter {name} is neither a number, a whole number, a "
                "flag nor a choice of texts (float, int, bool or Literal)"
            )


for _kind in (
    *(MAML, AlphaMAML, FOMAML, ANIL, MetaSGD, Reptile),
    *(LSLR, LaMAML, AlphaMAMLNormalised, AlphaMAMLMultiplicative, AlphaMAMLLog, MAMLDoG, MAMLProdigy),
):
    method(_kind)


def refusal(method: str, protocol: Any, written: Collection[str] = ()) -> tuple[str, str] | None:
    """The field of a protocol that a method cannot be run with, and why; None: it can be run.

    A field that the method decides by itself may not be changed. written: the fields that a grid's file
    names; they may not be there even with their defaults.
    """
    fields = type(protocol).model_fields
    for field, why in _decides(METHODS[method]).items():
        if field in written or getattr(protocol, field) != fields[field].default:
            return field, f"{method} {why}; leave {field} out"
    return None


def _decides(one: Method) -> dict[str, str]:
    """The fields of a protocol that a method decides by itself, and how."""
    of_gradient = {"first_order": "leaves the second derivatives out by itself"} if one.first_order else {}
    of_update = {"meta_optimizer": "has an outer update of its own"} if one.own_update else {}
    return of_gradient | of_update | dict(one.decides)
