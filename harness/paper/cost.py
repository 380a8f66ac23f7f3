"""What Alpha-MAML costs beside MAML: backward passes, memory and time of an iteration of the engine.

`python -m harness.paper.cost --rounds 20 --out results/reference/cost` writes cost.json and a README.md. The
paper says: "no extra gradient is computed and only the previous gradient has to be stored". One cell of each
method trains on one thread. Validation is left out: it is the same for both and not part of the methods.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import binom
from torch import Tensor
from torch.autograd.profiler import profile

from harness.bench import machine, timing
from harness.bench.threads import threads
from harness.cell import Cell, Protocol, protocol_of
from harness.common.files import write_whole
from harness.common.text import markdown_table
from harness.methods.base import State
from harness.paper import counters
from harness.problems.setting import MAX_ITERATIONS
from harness.training.pack import Pack

PAPER = protocol_of(dataset="glyphs")
"""`paper-adam`. Glyphs need no download and cost as much as Omniglot."""
MAML, ALPHA_MAML = "maml", "alpha-maml"
HYPER = {
    MAML: {"alpha0": 0.1, "beta0": 1e-3},
    ALPHA_MAML: {"alpha0": 0.1, "beta0": 1e-3, "alpha_hyperlr": 1e-2, "beta_hyperlr": 1e-6},
}
ROUNDS, LEAST_ROUNDS = 20, 6
"""With fewer than 6 rounds, no two of them enclose the median with 95 % confidence."""


class Training:
    """A cell in training: each call is one iteration. The first one is iteration 2, so none validates."""

    def __init__(self, protocol: Protocol, method: str, chunk: int | None = None) -> None:
        """chunk: how many tasks go through the network at once; None: what suits the CPU."""
        quiet = protocol.model_copy(update={"validation_every": MAX_ITERATIONS})
        cell = Cell(protocol=quiet, method=method, hyper=HYPER[method], seed=0)
        self.pack = Pack([cell], torch.device("cpu"), chunk)
        self._next = 2

    def __call__(self) -> None:
        self.pack.advance(range(self._next, self._next + 1))
        self._next += 1

    @property
    def state(self) -> State:
        """What it keeps from one iteration to the next."""
        return self.pack.state


def measure(protocol: Protocol = PAPER, rounds: int = ROUNDS) -> dict[str, Any]:
    """What cost.json holds."""
    with threads(1):
        load = os.getloadavg()
        trained = {method: Training(protocol, method) for method in HYPER}
        seconds = timing.interleaved(trained, rounds)
        passes = {method: count(protocol, method) for method in HYPER}
        sizes = {method: kept(step.state) for method, step in trained.items()}
        peaks = {method: sum(sizes[method].values()) + peak(step) for method, step in trained.items()}
        weights = trained[MAML].state.weights
    theta = weights.numel() * weights.element_size()
    return {
        "machine": machine.facts("cpu") | {"load_before": [round(one, 2) for one in load]},
        "versions": machine.versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "protocol": protocol.label,
        "dataset": protocol.dataset,
        "threads": 1,
        "passes": {method: counters.backward(counts) for method, counts in passes.items()}
        | {"by_kind": {method: dict(counts) for method, counts in passes.items()}},
        "memory": {
            "theta_bytes": theta,
            "state_bytes": sizes,
            "peak_bytes": peaks,
            "extra_in_theta": round((peaks[ALPHA_MAML] - peaks[MAML]) / theta, 4),
            "state_extra_in_theta": round(
                (sum(sizes[ALPHA_MAML].values()) - sum(sizes[MAML].values())) / theta, 4
            ),
        },
        "time": {
            "rounds": rounds,
            "median_ms": {method: timing.summary(times).median_ms for method, times in seconds.items()},
            **ratios(seconds[ALPHA_MAML], seconds[MAML]),
        },
    }


def count(protocol: Protocol, method: str) -> Counter[str]:
    """Passes through the network in one iteration, counted for each task."""
    step = Training(protocol, method, chunk=1)
    with counters.counting() as passes:
        step()
    return passes


def kept(state: State) -> dict[str, int]:
    """Bytes of each part of the state; memory that two parts share counts in the first of them."""
    seen: set[int] = set()
    parts: dict[str, Tensor | tuple[Tensor, ...]] = state._asdict()
    sizes = {}
    for name, part in parts.items():
        sizes[name] = 0
        for tensor in (part,) if isinstance(part, Tensor) else part:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                sizes[name] += storage.nbytes()
    return sizes


def peak(step: Callable[[], Any]) -> int:
    """The most bytes, temporary ones included, that torch held during one call beyond what it held before."""
    with profile(use_cpu=True, profile_memory=True) as traced:
        step()
    assert traced.kineto_results is not None
    changes = [
        (event.start_ns(), event.nbytes())
        for event in traced.kineto_results.events()
        if event.name() == "[memory]"
    ]
    changes.sort(key=lambda change: change[0])  # stable: simultaneous events keep their order
    return max(accumulate((size for _, size in changes), initial=0))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Ratios of two programs' times, round by round: the median, and the interval between two of the ordered
    ratios that encloses the true median with at least 95 % confidence, whatever the distribution.

    Raises ValueError with fewer than 6 rounds.
    """
    ordered = np.sort(np.asarray(ours) / np.asarray(theirs))
    rank = int(binom.ppf(0.025, len(ordered), 0.5))  # from 1; for the upper end counted from the top
    if rank < 1:
        raise ValueError(
            f"{len(ordered)} rounds are too few for a 95 % interval; take at least {LEAST_ROUNDS}"
        )
    return {
        "ratio_median": round(float(np.median(ordered)), 4),
        "ratio_interval": [round(float(ordered[rank - 1]), 4), round(float(ordered[-rank]), 4)],
    }


def readme(result: dict[str, Any]) -> str:
    """What was measured, in Markdown."""
    passes, memory, time = result["passes"], result["memory"], result["time"]
    by_kind, low_high = passes["by_kind"], time["ratio_interval"]
    kinds = sorted({kind for counts in by_kind.values() for kind in counts} | {counters.FORWARD})
    state = {method: sum(memory["state_bytes"][method].values()) for method in HYPER}
    rows = [
        *(
            [f"passes: {kind.replace('_', ' ')}", *(by_kind[method].get(kind, 0) for method in HYPER)]
            for kind in kinds
        ),
        ["backward passes in all", *(passes[method] for method in HYPER)],
        ["bytes kept between iterations", *(state[method] for method in HYPER)],
        ["most bytes within one", *(memory["peak_bytes"][method] for method in HYPER)],
        ["median ms of an iteration", *(time["median_ms"][method] for method in HYPER)],
    ]
    return "\n".join(
        [
            "# Cost: an iteration of Alpha-MAML beside one of MAML",
            "",
            f"`{result['protocol']}` on {result['dataset']}, one cell, {result['threads']} thread, without "
            f"validation. A pass is counted once for each task.",
            "",
            markdown_table(["what", "MAML", "Alpha-MAML"], rows),
            "",
            f"In copies of the weights ({memory['theta_bytes']} bytes each), Alpha-MAML keeps "
            f"{memory['state_extra_in_theta']:g} more than MAML between",
            f"iterations, and {memory['extra_in_theta']:g} more at its peak. Its time divided by MAML's "
            f"over {time['rounds']} alternating rounds: median",
            f"{time['ratio_median']:g}, 95 % interval {low_high[0]:g} to {low_high[1]:g}.",
            "",
            f"Made by `python -m harness.paper.cost`, commit {result['versions']['commit']}, "
            f"torch {result['versions']['torch']},",
            f"{result['machine']['device']}, load {result['machine']['load_before'][0]} at the start, "
            f"finished {result['finished']}.",
            "",
        ]
    )


def write(result: dict[str, Any], folder: Path) -> None:
    """Write cost.json and README.md."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(
        folder / "cost.json", lambda path: path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    )
    write_whole(folder / "README.md", lambda path: path.write_text(readme(result), "utf-8"))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"timed rounds, at least {LEAST_ROUNDS}")
    parser.add_argument("--out", type=Path, required=True, help="folder for cost.json and README.md")
    args = parser.parse_args()
    if args.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds {args.rounds}: too few for an interval; take at least {LEAST_ROUNDS}")
    write(measure(rounds=args.rounds), args.out)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
