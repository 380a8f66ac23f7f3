"""A method: MAML whose outer loop moves every weight by the same amount, in the direction of the sign."""

import torch

import harness


class Hyper(harness.Hyper):
    """What a grid sweeps. The descriptions go into the tables."""

    alpha0: harness.Rate = harness.Field(description="learning rate of the inner loop")
    beta0: harness.Rate = harness.Field(description="by how much each weight moves in iteration 1")
    decay: float = harness.Field(1.0, gt=0, le=1, description="factor on beta, each iteration")


@harness.method
class SignMAML(harness.Method):
    """theta <- theta - beta sign(meta-gradient), beta <- decay beta."""

    name = "sign-maml"
    title = "Sign MAML"
    Hyper = Hyper
    own_update = True  # a grid that chooses a meta_optimizer for it is refused

    def start(self, weights, hyper, optimizer, layout, protocol):
        """Its memory is the beta of the next update. Every tensor has the cells of a pack as its first axis:
        they train together."""
        return harness.State(weights, hyper["alpha0"], hyper["beta0"], (), (hyper["beta0"],))

    def step(self, state, meta, hyper, optimize, protocol):
        """State in, state out. `beta` is the one that this update used."""
        (beta,) = state.memory
        weights = state.weights - beta.to(state.weights.dtype) * torch.sign(meta.gradient)
        return state._replace(weights=weights, beta=beta, memory=(beta * hyper["decay"],))
