"""The figures of `harness sensitivity`: what `harness.analysis.sensitivity` measured, drawn."""

from harness.plots.measures.figures import render

__all__ = ["render"]
