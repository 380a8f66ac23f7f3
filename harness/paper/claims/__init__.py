"""The paper's sentences, each with the predicate that judges it: a file for each figure or section."""

from harness.paper.claims.abstract import C14
from harness.paper.claims.claim import Claim
from harness.paper.claims.figure1 import C10, C11
from harness.paper.claims.figure2 import C1, C2
from harness.paper.claims.figure3 import C3, C4, C5
from harness.paper.claims.figures2and3 import C9, C15
from harness.paper.claims.section4 import C13
from harness.paper.claims.section5_data import C16
from harness.paper.claims.section5_sensitivity import C12
from harness.paper.claims.section5_speed import C6, C7, C8

CLAIMS = (C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16)

__all__ = ["CLAIMS", "Claim"]
