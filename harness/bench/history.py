"""A meta-iteration with the code of other commits, timed in turn: what a change gained or cost. The time is
the processor's, so that whatever else the machine does counts for less.

`python -m harness.bench.history 1f7a082 HEAD` prints a line for each. The commits are checked out into a
temporary folder; each runs in a process of its own, in this environment.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.bench import timing
from harness.common.places import ROOT

ROUNDS = 15

# Waits for a line, computes one meta-gradient, prints how long its one thread took. Uses only what all
# commits have, under the names it has had, the newest first.
_PROGRAM = """
import sys, time
from importlib import import_module
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import torch
def first_of(*places):
    for place in places:
        module, name = place.split(":")
        path = Path(sys.argv[1], "harness", *module.split("."))
        # looked for in the tree alone: an editable install would lend it the modules that it lacks
        if path.is_dir() or path.with_suffix(".py").exists():
            imported = import_module(f"harness.{module}")
            if hasattr(imported, name):
                return getattr(imported, name)
    raise SystemExit(f"this commit has none of {', '.join(places)}")
Protocol = first_of("cell:protocol_of", "cell:Protocol", "protocol:Protocol")
initial = first_of("problems.networks.conv4:initial", "problems.network:initial", "network:initial")
load = first_of("problems.datasets:load", "datasets:load")
training = first_of("problems.episodes:training", "episodes:training")
gather = first_of("problems.episodes:gather", "episodes:gather")
Batch = first_of("problems.episodes:Batch", "problems.episodes:Images", "episodes:Images")
meta_gradient = first_of("training.conv4:meta_gradient", "training.conv4.metagradient:meta_gradient",
                         "metagradient:meta_gradient")
default_chunk = first_of("training.pack:default_chunk", "training.loop:default_groups",
                         "engine:default_groups")
torch.set_num_threads(1)
protocol = Protocol(dataset="glyphs", norm_scale=True, norm_adapted=True)
images = torch.tensor(load("glyphs", protocol.resize).images)
batch = gather(training(protocol, 0, 1), images, 1, torch.float32)
batch = Batch(*(part.unsqueeze(0) for part in batch))
weights = torch.from_numpy(initial(protocol, 0)).float().unsqueeze(0)
alpha = torch.full((1, 1), 0.1, dtype=torch.float64)
chunk = default_chunk(protocol, torch.device("cpu"))
for _ in sys.stdin:
    started = time.process_time()
    meta_gradient(protocol, weights, alpha, batch, chunk)
    print(time.process_time() - started, flush=True)
"""


def measure(commits: Sequence[str], rounds: int = ROUNDS) -> dict[str, timing.Times]:
    """Times of each commit. Raises subprocess.CalledProcessError for a commit that git does not know."""
    with tempfile.TemporaryDirectory() as folder:
        children = {}
        try:
            for commit in commits:
                tree = Path(folder) / commit
                _git("worktree", "add", "--detach", str(tree), commit)
                children[commit] = subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-c", _PROGRAM, str(tree)],
                    cwd=tree,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            seconds: dict[str, list[float]] = {commit: [] for commit in commits}
            for number in range(timing.WARM_UP + rounds):
                for commit in timing.order(list(commits), number):
                    taken = _ask(children[commit])
                    if number >= timing.WARM_UP:
                        seconds[commit].append(taken)
        finally:
            for child in children.values():
                child.kill()
                child.communicate()  # closes its pipes
            for commit in commits:
                subprocess.run(
                    ["git", "worktree", "remove", "--force", str(Path(folder) / commit)],
                    cwd=ROOT,
                    capture_output=True,
                )
    return {commit: timing.summary(measured) for commit, measured in seconds.items()}


def _ask(child: subprocess.Popen[str]) -> float:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    return float(child.stdout.readline())


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Time a meta-iteration with the code of other commits.")
    parser.add_argument("commits", nargs="+")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    for commit, times in measure(arguments.commits, arguments.rounds).items():
        quartiles = f"quartiles {times.q1_ms:.1f}, {times.q3_ms:.1f}"
        print(f"{commit:12} {times.median_ms:7.1f} ms ({quartiles}; least {times.min_ms:.1f})")


if __name__ == "__main__":
    main()
