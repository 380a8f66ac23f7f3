"""How cells train: the loop over iterations, and the CUDA graph that replays one."""
