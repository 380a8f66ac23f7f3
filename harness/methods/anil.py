"""ANIL (Raghu et al. 2020, "Rapid Learning or Feature Reuse?"): the inner loop moves the head alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.methods import maml

if TYPE_CHECKING:
    from harness.problems.networks import Layout, Part


class ANIL(maml.MAML):
    """theta'_head = theta_head - alpha * grad_head L_support(theta), in training and in validation; all other
    parameters stay as they are until the outer update, which moves all (Eq. 3)."""

    name = "anil"
    title = "ANIL"

    def adapts(self, part: Part, layout: Layout) -> bool:
        """The network's last layer."""
        return part.name in layout.head
