"""The fast path for Conv-4: operators, the walk through the layers, the meta-gradient. No autograd."""
