"""How cells train.

loop.py         the loop over spans of iterations: a pack of cells in, their records out
pack.py         the cells on their device, and one iteration of all of them
trajectory.py   the rows of one cell so far, and when it ends
engine.py       the inner loop and its derivatives, as methods ask for them
autodiff.py     the engine for any network; batchnorm.py and tracing.py make it faster
conv4/          the engine for the paper's network, its derivatives written out by hand
memory.py       how much of a pack is computed at once
replay.py       an iteration as a CUDA graph
trial.py        what a user brings, tried before anything trains; trial_parts.py: its problem and network
"""
