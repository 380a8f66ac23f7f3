"""How cells train.

loop.py         the loop over spans of iterations: a pack of cells in, their records out
pack.py         the cells on their device, and one iteration of all of them
trajectory.py   the rows of one cell so far, and when it ends
replay.py       an iteration as a CUDA graph
conv4/          the meta-gradient of the paper's network, written out by hand
"""
