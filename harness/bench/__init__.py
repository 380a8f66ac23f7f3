"""The bench: what a meta-iteration costs here, beside the libraries that one would use instead.

    workload.py   the one piece of work that all programs do, and our program
    torchnet.py   its network in torch.nn, for the peers
    peers.py      learn2learn, higher, TorchOpt and a plain loop, each as its own users write it
    floor.py      multiply-adds of a meta-iteration, and what a matrix product takes for them
    timing.py     programs timed in turn
    cpu.py        first the check in float64, then the times: bench.json
    parts.py      where the time goes, operator by operator
    curves.py     how the cost grows with the work
    gpu.py        throughput on a device: bench-gpu.json
    overhead.py   what a sweep costs beside its training: overhead.json
    history.py    the code of other commits, timed in turn

Nothing here trains for a result, and nothing but the command `bench` imports this room.
"""
