"""Conv-4 as an engine: what it knows, and how it is asked."""

from __future__ import annotations

from torch import Tensor

from harness.cell import Protocol
from harness.methods.base import Adapted, MetaGradient
from harness.problems import Batch
from harness.problems.episodes import Images
from harness.problems.networks.conv4 import SIDE
from harness.training.conv4 import metagradient
from harness.training.engine import Engine


def knows(protocol: Protocol, shape: tuple[int, ...]) -> bool:
    """Whether this path computes it: few-shot classification of images of one channel, 28 x 28, by Conv-4."""
    return protocol.problem == "few-shot" and protocol.network == "conv4" and shape == (1, SIDE, SIDE)


class Conv4Engine(Engine):
    """The derivatives by hand. The classes of the images are known by their order."""

    def _meta_gradient(
        self,
        weights: Tensor,
        rates: Tensor,
        batch: Batch,
        steps: int,
        first_order: bool,
        squares: bool,
    ) -> MetaGradient:
        return metagradient.meta_gradient(
            self.protocol, weights, rates, _images(batch), self.chunk, steps, first_order, squares
        )

    def _adapted(self, weights: Tensor, rates: Tensor, batch: Batch, steps: int) -> Adapted:
        return metagradient.adapt(self.protocol, weights, rates, _images(batch), self.chunk, steps)


def _images(batch: Batch) -> Images:
    """Channels last, as the derivatives take them."""
    return Images(batch.support.movedim(-3, -1), batch.query.movedim(-3, -1))
