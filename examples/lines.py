"""A problem: regression of noisy lines, y = slope x + offset."""

import harness


class Fields(harness.Fields):
    """What it adds to a protocol."""

    k_shot: int = harness.Field(5, ge=1, description="support points; as many query points")
    noise: float = harness.Field(0.1, ge=0, description="standard deviation of the noise on y")


@harness.problem
class Lines(harness.Problem):
    """Slope and offset uniform in (-1, 1), x in (-2, 2); mean squared error."""

    name = "lines"
    title = "Noisy lines"
    Fields = Fields
    network = "mlp"
    metrics = ("worst",)

    def tasks(self, seed, split, iteration):
        """Inputs and targets, [tasks, points, 1]: a function of seed, split and iteration alone."""
        stream, count, k = self.stream(seed, split, iteration), self.count(split), self.protocol.k_shot
        slope, offset = stream.uniform(2, count, 1, 1, low=-1, high=1)
        x = stream.uniform(count, 2 * k, 1, low=-2, high=2)
        y = slope * x + offset + self.protocol.noise * stream.normal(*x.shape)
        return harness.Tasks(x[:, :k], y[:, :k], x[:, k:], y[:, k:])

    def shape(self):
        """Of an input, and the number of outputs."""
        return (1,), 1

    def loss(self, outputs, targets):
        """Of one task."""
        return (outputs - targets).square().mean()

    def measure(self, outputs, targets):
        return ((outputs - targets).abs().amax(),)
