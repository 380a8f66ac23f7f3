"""The methods by name. A new one is a file beside maml.py and its line here, or a plug-in."""

from __future__ import annotations

from typing import Any

from harness.methods import alpha_maml
from harness.methods.alpha_maml import AlphaMAML
from harness.methods.anil import ANIL
from harness.methods.base import METHODS, Hyper, Method, Values
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
    """Decorator: make a method known. UserError: its name is taken."""
    METHODS.add(kind.name, kind(), kind.__module__)
    return kind


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
