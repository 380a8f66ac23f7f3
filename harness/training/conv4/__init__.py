"""The fast path for the paper's network, Conv-4: its derivatives written out by hand, without autograd.

Its files, each built on those above it:

    operators.py     convolution, batch norm with ReLU, and the first block, which is both in one; for each,
                     up to four functions: value, gradient, tangent, and the tangent of the gradient
    table.py         the functions that compute them, as a table: the formulas
    native.py        those for a CPU, by kernels.c
    gpu.py           those for a GPU: batch norm by fused.py, products by triton_products.py
    chosen.py        which table is used on which machine
    derivatives.py   passes over the layers: the loss, its gradient, its Hessian times a direction
    metagradient.py  the inner loop and, back through its steps, the meta-gradient and the derivative
                     with respect to alpha
    engine.py        the same as an engine, and what it knows

The mathematics is at the head of each file; a reader who knows MAML starts with the last. Everywhere the
first axis is the group, g: the images of one task, with the weights and the batch statistics that belong to
them. There is a group for each cell and task, and a chunk of them goes through the network at once.

tests/training/conv4 compares every function with torch's own operators and autograd in float64.
"""

from harness.training.conv4.chosen import compiled
from harness.training.conv4.derivatives import features
from harness.training.conv4.engine import Conv4Engine, knows
from harness.training.conv4.metagradient import adapt, meta_gradient

__all__ = ["Conv4Engine", "adapt", "compiled", "features", "knows", "meta_gradient"]
