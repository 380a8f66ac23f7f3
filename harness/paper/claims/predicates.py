"""The claims that are judged by counts of iterations, by key."""

from harness.paper.claims.comparisons import c6, c7, c8
from harness.paper.claims.quoted import c1, c2, c3, c4, c5
from harness.paper.claims.spreads import c9, c12

__all__ = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c12"]
