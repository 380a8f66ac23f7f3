"""The methods by name. A new one is a file beside maml.py and an entry here."""

from harness.methods import alpha_maml
from harness.methods.alpha_maml import AlphaMAML
from harness.methods.base import Hyper, Method
from harness.methods.maml import MAML

METHODS: dict[str, Method] = {method.name: method for method in (MAML(), AlphaMAML())}


class Options(alpha_maml.Options):
    """The fields that individual methods add to a protocol: a base class for each method that has any."""


__all__ = ["METHODS", "Hyper", "Method", "Options"]
