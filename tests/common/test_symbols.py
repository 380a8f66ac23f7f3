"""Hyper-parameters and numbers as formulas."""

from __future__ import annotations

import pytest

from harness.common import symbols


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-3, "$10^{-3}$"),
        (1.0, "$10^{0}$"),
        (100, "$10^{2}$"),
        (0.3, "0.3"),
        (3e-5, r"$3\times 10^{-5}$"),
        (0, "0"),
        (-0.01, "$-10^{-2}$"),
        (1e-3 * 0.1 * 1e-4, "$10^{-8}$"),  # 1.0000000000000002e-08
    ],
)
def test_number(value: float, text: str) -> None:
    assert symbols.number(value) == text


@pytest.mark.parametrize(
    ("hyper_parameter", "text"),
    [
        ("alpha0", r"$\alpha_0$"),
        ("beta_hyperlr", r"$\beta_{\mathrm{hyperlr}}$"),
        ("gamma", r"$\gamma$"),
        ("momentum", "momentum"),
        ("alphabet", "alphabet"),
        ("beta_two_words", "beta_two_words"),
    ],
)
def test_symbols_of_hyper_parameters(hyper_parameter: str, text: str) -> None:
    assert symbols.name(hyper_parameter) == text
