"""First-order MAML (Finn et al. 2017, section 5.2): MAML without the second derivatives."""

from __future__ import annotations

from harness.methods import maml


class FOMAML(maml.MAML):
    """The meta-gradient is the mean of the query gradients at the adapted weights: d theta' / d theta is
    taken as the identity."""

    name = "fomaml"
    title = "FOMAML"
    first_order = True
