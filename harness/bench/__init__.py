"""The bench: what a meta-iteration costs here, beside the libraries that one would use instead.

    workload.py   the one piece of work that all programs do, and this project's program
    torchnet.py   its network in torch.nn, for the peers
    users.py      a network and images as a user brings them
    peers.py      learn2learn, higher, TorchOpt and a plain loop, each as its users would write it
    floor.py      multiply-adds of a meta-iteration, and what a matrix product takes for them
    timing.py     programs timed in turn
    cpu.py        first the check in float64, then the times: bench.json
    general.py    the same for the engine of any network: a user's convolutions, a pack of small networks
    parts.py      where the time goes, operator by operator
    curves.py     how the cost grows with the work
    gpu.py        throughput on a device: bench-gpu.json
    counts.py     on a device: what a precision does to counts, and how long a long run takes
    overhead.py   what a sweep costs besides its training: overhead.json
    empty.py      beside an empty run of Ray Tune
    commands.py   whole commands, timed
    made_up.py    its records, with made-up losses
    history.py    the code of other commits, timed in turn

Nothing here trains for a result. Only the command `bench`, the dry run and the paper's study of cost import
this room.
"""
