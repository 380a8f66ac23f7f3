"""The methods by name. A new one is a file beside maml.py and a line in METHODS."""

from __future__ import annotations

from harness.methods.alpha_maml import AlphaMAML
from harness.methods.base import Hyper, Method
from harness.methods.maml import MAML

METHODS: dict[str, Method] = {method.name: method for method in (MAML(), AlphaMAML())}

__all__ = ["METHODS", "Hyper", "Method"]
