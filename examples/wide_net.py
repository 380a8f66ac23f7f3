"""A network: convolutions with max-pooling, for images of any size. Any torch.nn.Module will do."""

from itertools import pairwise

from torch import nn

import harness


@harness.network("wide-net")
class WideNet(nn.Module):
    """inputs and outputs come from the problem; what follows them become fields of the protocol."""

    def __init__(self, inputs: tuple[int, ...], outputs: int, width: int = 32, layers: int = 4) -> None:
        super().__init__()
        channels = [inputs[0]] + [width] * layers
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, 3, padding=1),
                    nn.BatchNorm2d(after, track_running_stats=False),  # each task by its own statistics
                    nn.ReLU(),
                    nn.MaxPool2d(2),
                )
                for before, after in pairwise(channels)
            )
        )
        self.head = nn.Linear(width, outputs)

    def forward(self, images):
        """[n, channels, height, width] -> scores [n, outputs]"""
        return self.head(self.blocks(images).mean((2, 3)))
