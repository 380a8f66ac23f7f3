"""Hyper-parameters and numbers as formulas, in the TeX that matplotlib and LaTeX both read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

GREEK = {
    letter: letter
    for letter in (
        *("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "rho"),
        "tau",
    )
} | {"eps": "epsilon"}
"""Words that the names of hyper-parameters may begin with -> the letters that they stand for."""
DIGITS = 6
"""Of a number, unless two numbers would look alike."""


def name(hyper_parameter: str) -> str:
    """A hyper-parameter as a formula: beta0 and beta_hyperlr as a beta with a subscript. One without a Greek
    letter is returned as it is."""
    parts = re.fullmatch(rf"({'|'.join(GREEK)})(\d|_[a-zA-Z]+)?", hyper_parameter)
    if parts is None:
        return hyper_parameter
    letter, subscript = GREEK[parts[1]], (parts[2] or "").removeprefix("_")
    if subscript.isalpha():
        return rf"$\{letter}_{{\mathrm{{{subscript}}}}}$"
    return rf"$\{letter}_{subscript}$" if subscript else rf"$\{letter}$"


def number(value: float, exact: bool = False) -> str:
    """Powers of ten as 10^-3; other numbers as 0.3, or as 3 x 10^-5 if very small or large; 0 as 0.

    To DIGITS digits, or `exact`.
    """
    import numpy as np  # late: the commands that draw nothing start faster without it

    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    value = value if exact else float(f"{value:.{DIGITS}g}")
    factor, exponent = np.format_float_scientific(value, trim="-").split("e")
    power = rf"10^{{{int(exponent)}}}"
    if factor in ("1", "-1"):
        return f"${factor.removesuffix('1')}{power}$"
    if 1e-3 <= abs(value) < 1e4:
        return np.format_float_positional(value, trim="-")
    return rf"${factor}\times {power}$"


def numbers(values: Iterable[float]) -> dict[float, str]:
    """The text of each of these values; no two are alike: 1e-3 and 1.0000001e-3 are written exactly."""
    rounded = {value: number(value) for value in values}
    texts = list(rounded.values())
    return {value: number(value, texts.count(text) > 1) for value, text in rounded.items()}
