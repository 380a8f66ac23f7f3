"""The training loss of networks that keep their initial weights: how far does it fall by chance alone?

`python -m harness.paper.chance_study --out results/reference/noise` writes losses.parquet (its columns are in
harness.paper.chance) and a README.md. This is the limit of MAML as both rates go to 0: nothing adapts and
nothing learns, so forward passes over the query images are enough. The features do not depend on the head,
so one pass serves all its initialisers. The losses of each seed are kept until all seeds are done: an
interrupted run can be continued.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from shutil import rmtree
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from harness.bench.threads import threads
from harness.cell import Protocol, protocol_of
from harness.common.files import write_whole
from harness.common.text import halves
from harness.paper.chance import FILE, KEYS, TASK, read, summary
from harness.problems import datasets, episodes
from harness.problems.networks.conv4 import Fields, initial, layout
from harness.records import provenance
from harness.training.conv4 import features
from harness.training.pack import default_chunk, dtype_of

HEADS: tuple[str, ...] = get_args(Fields.model_fields["head_init"].annotation)
INITS, ITERATIONS = 32, 500
PARTS = "parts"
"""The subfolder for the seeds that are done."""
_KEY = b"harness.noise"


def losses(protocol: Protocol, seed: int, iterations: Iterable[int], images: Tensor) -> NDArray[np.float32]:
    """Query loss before any adaptation, nats: [heads, iterations, tasks], heads as in HEADS.

    images: the data set, uint8 [characters, drawers, 28, 28]. The protocol's own head_init does not matter.
    """
    dtype = dtype_of(protocol)
    starts = [_initial(protocol.model_copy(update={"head_init": head}), seed, dtype) for head in HEADS]
    tops = torch.cat([head for _, head in starts], 1)  # all heads side by side: [features, heads * n_way]
    chunk = default_chunk(protocol, images.device)
    labels = episodes.labels(protocol.n_way, protocol.n_way * protocol.k_query)
    of_iterations = []
    with torch.inference_mode():
        for iteration in iterations:
            drawn = episodes.training(protocol, seed, iteration)
            query = episodes.gather(drawn, images, protocol.k_shot, dtype).query
            below = [features(protocol, starts[0][0], tasks) for tasks in query.split(chunk)]
            scores = (torch.cat(below) @ tops).unflatten(2, (len(HEADS), -1))  # [tasks, n, heads, n_way]
            per_image = cross_entropy(
                scores.permute(0, 3, 1, 2),
                labels[:, None].expand(len(scores), -1, len(HEADS)),
                reduction="none",
            )
            of_iterations.append(per_image.mean(1).T)
    return torch.stack(of_iterations, 1).numpy()


def _initial(protocol: Protocol, seed: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """All weights [1, P], and among them the head [features, n_way]; its bias is 0."""
    flat, network = torch.from_numpy(initial(protocol, seed)).to(dtype), layout(protocol)
    pieces = zip(network.parts, flat.split(network.sizes), strict=True)
    (head,) = (piece.view(part.shape) for part, piece in pieces if part.name == "head")
    return flat.unsqueeze(0), head


def study(protocol: Protocol, inits: int, iterations: int, folder: Path, say: Callable[[str], Any]) -> None:
    """Write the losses of seeds 0, 1, ... with their provenance, and the README, into `folder`."""
    data = datasets.load(protocol.dataset, protocol.resize)
    images = torch.tensor(data.images)
    origin = provenance.of_run("cpu", pack_size=1) | {
        "protocol": protocol.label,
        "dataset": protocol.dataset,
        "dataset_sha256": data.sha256,
        "iterations": iterations,
    }
    done, seconds = [], 0.0
    for seed in range(inits):
        part = folder / PARTS / f"{seed}.parquet"
        table = _done(part, origin)
        if table is None:
            started = time.perf_counter()
            values = losses(protocol, seed, range(1, iterations + 1), images)
            table = _table(seed, values, origin | {"seconds": time.perf_counter() - started})
            _write(part, table)
            say(f"seed {seed}: {_about(table)['seconds']:.0f} s")
        done.append(table)
        seconds += _about(table)["seconds"]
    about = origin | provenance.now(seconds)
    _write(folder / FILE, _described(pa.concat_tables(done), about))
    write_whole(folder / "README.md", lambda path: path.write_text(readme(folder, about), "utf-8"))
    rmtree(folder / PARTS)


def _table(seed: int, values: NDArray[np.float32], about: dict[str, Any]) -> pa.Table:
    """The rows of one seed, head by head."""
    heads, iterations, tasks = values.shape
    flat = values.reshape(-1, tasks)
    keys = (
        np.full(len(flat), seed, np.int32),
        pa.array(np.repeat(HEADS, iterations)),
        np.tile(np.arange(1, iterations + 1, dtype=np.int32), heads),
    )
    columns = dict(zip(KEYS, keys, strict=True)) | {TASK.format(k + 1): flat[:, k] for k in range(tasks)}
    return _described(pa.table(columns), about)


def _done(path: Path, origin: dict[str, Any]) -> pa.Table | None:
    """The losses of a seed that an interrupted run left; None: there are none, or another run made them."""
    if not path.exists():
        return None
    table = pq.read_table(path)
    about = _about(table)
    del about["seconds"]
    return table if about == origin else None


def _described(table: pa.Table, about: dict[str, Any]) -> pa.Table:
    return table.replace_schema_metadata({_KEY: json.dumps(about)})


def _about(table: pa.Table) -> dict[str, Any]:
    return json.loads(table.schema.metadata[_KEY])


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def readme(folder: Path, about: dict[str, Any]) -> str:
    """What the folder holds, in Markdown, with the summary as a table."""
    frame = read(folder)
    assert frame is not None
    versions = about["versions"]
    rows = [
        f"| {head} | {tasks} | {row['mean_loss']:.4f} | {_number(row['init_sd'], '.4f')} "
        f"| {_number(row['batch_sd'], '.4f')} | {row['passed']} of {row['inits']} "
        f"| {_median(row['median_first_passage'])} | {row['sustained']} |"
        for head, sizes in summary(frame).items()
        for tasks, row in sizes.items()
    ]
    return "\n".join(
        [
            "# Noise: the training loss of networks that keep their initial weights",
            "",
            f"The query loss without adaptation (`{about['protocol']}` on {about['dataset']}, nats) of "
            f"{frame['seed'].nunique()} initial weights",
            f"over iterations 1 to {about['iterations']}, task by task, for every initialiser of the head: "
            f"`{FILE}`, columns {', '.join(KEYS)},",
            f"{TASK.format(1)}, {TASK.format(2)}, ... A meta-batch of 4 tasks is the first 4 of them.",
            "",
            "| head | tasks | mean loss | sd of inits | sd of batches | pass 2.99 | median first passage "
            "| sustained |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Made by `python -m harness.paper.chance_study`, commit {versions['commit']}, "
            f"torch {versions['torch']},",
            f"{about['device']}, {about['threads']} thread, "
            f"{about['wall_seconds']:.0f} s, finished {about['finished']}.",
            "",
        ]
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _median(count: float | None) -> str:
    return "-" if count is None else halves(count)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inits", type=int, default=INITS, help="initial weights, seeds 0, 1, ...")
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help="meta-batches for each of them")
    parser.add_argument("--dataset", choices=["omniglot", "glyphs"], default="omniglot")
    parser.add_argument("--out", type=Path, required=True, help="folder for losses.parquet and README.md")
    args = parser.parse_args()
    with threads(1):
        study(protocol_of(dataset=args.dataset), args.inits, args.iterations, args.out, print)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
