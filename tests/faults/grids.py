"""Mutated grids: each is either read as it is written, or refused in one line that says where; at once.

    python -m tests.faults.grids --count 2000      exits with 1 if a grid is not
    python -m tests.faults.grids --show 137        prints that grid, as far as it is a file

They are read by a second process, which is killed if it hangs.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from harness import grids
from harness.cell import PRESETS
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import clean
from tests.cli.conftest import TINY
from tests.faults.mutations import FILES, KINDS, NAMES
from tests.grids.test_grid import GRID, READINGS
from tests.grids.test_mistakes import TRACES

SECONDS, MEGABYTES = 2.0, 500
"""Of processor time and of memory, for any grid."""
HANGS = 30.0
"""Seconds without an answer, after which the reader is killed."""
GOOD = ("accepted", "refused")
BAD = ("traceback", "slow", "large", "misread", "unclear")


TEST = {"tasks": 600, "steps": 10, "rates": ["own"]}
"""The defaults of a meta-test."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a mutant. text: the error's, or what was misread."""

    number: int
    kind: str
    verdict: str
    seconds: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """Something to be read as a grid. content: what the file holds; None: it is no ordinary file."""

    kind: str
    name: str
    content: bytes | None
    file: str = ""


@cache
def sources() -> tuple[str, ...]:
    """Valid grids: those of sweeps/ and of the tests."""
    return (
        *(path.read_text() for path in sorted(places.SWEEPS.glob("*.yaml"))),
        GRID,
        READINGS,
        TRACES,
        TINY,
    )


def mutant(number: int, seed: int) -> Mutant:
    """The same for the same numbers. Kinds take turns."""
    kinds = [*KINDS, "no file", "name"]
    kind = kinds[number % len(kinds)]
    turn, random = number // len(kinds), Random(f"{seed} {number}")
    text = random.choice(sources())
    if kind == "no file":
        file = list(FILES)[turn % len(FILES)]
        return Mutant(kind=kind, name="mine", content=None, file=file)
    if kind == "name":
        return Mutant(kind=kind, name=NAMES[turn % len(NAMES)], content=text.encode())
    for _ in range(random.choice((1, 1, 1, 2))):  # some mutations at once
        changed = KINDS[kind](random, text)
        if isinstance(changed, bytes):
            return Mutant(kind=kind, name="mine", content=changed)
        text = changed
    return Mutant(kind=kind, name="mine", content=text.encode("utf-8", "surrogatepass"))


def answer(number: int, seed: int, folder: Path) -> Answer:
    """Read the mutant, and judge what comes of it."""
    one = mutant(number, seed)
    path = folder / f"{one.name}.yaml"
    if one.content is None:
        FILES[one.file](path)
    else:
        path.write_bytes(one.content)
    started = time.process_time()
    try:
        grid = grids.load(str(path))
        cells = grid.cells()
        verdict, text = "accepted", ""
    except UserError as error:
        verdict, text = "refused", str(error)
    except Exception as error:
        verdict, text = "traceback", f"{type(error).__name__}: {error}"
    seconds = time.process_time() - started
    if verdict == "accepted" and (
        wrong := misread(one.content or b"", grid, len({c.cell_id for c in cells}))
    ):
        verdict, text = "misread", wrong
    if verdict == "refused" and not is_clear(text, path, one):
        verdict = "unclear"
    if seconds > SECONDS:
        verdict = "slow"
    if peak() > MEGABYTES:
        verdict = "large"
    return Answer(number=number, kind=one.kind, verdict=verdict, seconds=seconds, text=text)


def peak() -> float:
    """The most memory that this process has had, MB; 0: not known here. (getrusage may give the parent's.)"""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


def is_clear(text: str, path: Path, one: Mutant) -> bool:
    """One short line of printable text that begins with the file and, for what a file holds, a line of it."""
    shown = " ".join(clean(str(path)).split())
    if not text.isprintable() or not text.startswith(f"{shown}:") or len(text) > len(shown) + 600:
        return False
    line = re.match(r":(\d+): .", text.removeprefix(shown))
    if line is None or one.content is None:  # of the file as a whole
        return one.content is None or "bytes" in text or "rename it" in text
    lines = len(re.findall(rb"\r\n|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]", one.content)) + 1
    return 1 <= int(line[1]) <= lines


def misread(content: bytes, grid: grids.Grid, distinct: int) -> str | None:
    """How a grid differs from what its file says, read a second time by PyYAML alone; None: not at all.

    distinct: how many of its cells are different ones.
    """
    if grids.from_json(grid.model_dump_json()).model_dump() != grid.model_dump():
        return "it does not come back from its JSON"
    written = dict(_items(yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)))
    kept = json.loads(grid.model_dump_json())
    if unknown := written.keys() - kept.keys() or written.keys() & {"name", "folder", "preset"}:
        return f"keys that mean nothing: {sorted(unknown)}"
    protocol = dict(_items(written.pop("protocol", None)))
    preset = protocol.pop("preset").value if "preset" in protocol else "paper-adam"
    base = json.loads(PRESETS[preset].model_dump_json())
    readings = written.pop("readings", None)
    under = [dict(_items(node)) for node in readings.value] if readings else []
    for changes, found in [(protocol, kept["protocol"]), *zip(under, kept["readings"], strict=True)]:
        if wrong := _differs({**base, **protocol, **changes}, found):
            return f"protocol: {wrong}"
    cells = [_block(node) for node in written.pop("cells").value]
    for changes, found in zip(cells, kept["cells"], strict=True):
        if wrong := _differs({"paired": {}, **changes}, found):
            return f"cells: {wrong}"
    test = written.get("meta_test")
    if isinstance(test, yaml.MappingNode):
        del written["meta_test"]
        if wrong := _differs({**TEST, **dict(_items(test))}, kept["meta_test"]):
            return f"meta_test: {wrong}"
    defaults = {"seeds": [0], "target_loss": None}
    asked = {key: value for key, value in kept.items() if key in (*written, *defaults)}
    figure = dict(_items(written["figure"]))
    if asked["figure"]["kind"] == "losses" and "rest" not in figure:
        asked["figure"] = {"kind": "losses"}  # the rest has a default
    many = sum(_size(block) for block in cells) * max(1, len(under)) * len(kept["seeds"])
    if distinct != many:
        return f"{distinct} cells, not {many}"
    return _differs({**defaults, **written}, asked)


def _items(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """The keys and values of a mapping."""
    return ((key.value, value) for key, value in (node.value if node else ()))


def _block(node: yaml.Node) -> dict[str, Any]:
    return dict(_items(node))


def _size(block: dict[str, Any]) -> int:
    """How many cells of one seed a block has."""
    total = 1
    for key, node in block.items():
        if key == "paired":
            total *= max((_count(value) for _, value in _items(node)), default=1)
        elif key != "method":
            total *= _count(node)
    return total


def _count(node: yaml.Node) -> int:
    return len(node.value) if isinstance(node, yaml.SequenceNode) else 1


def _differs(written: Any, found: Any) -> str | None:
    """Where what was written (nodes, or plain values for defaults) is not what was found; None: nowhere."""
    if isinstance(written, yaml.MappingNode):
        keys = [key.value for key, _ in written.value]
        if len(set(keys)) < len(keys):
            return "a key is there twice"
        written = dict(_items(written))
    if isinstance(written, dict):
        if not isinstance(found, dict) or written.keys() != found.keys():
            return f"{sorted(written)} read as {found}"
        return next((wrong for key in written if (wrong := _differs(written[key], found[key]))), None)
    if isinstance(written, yaml.SequenceNode):
        if not isinstance(found, list) or len(written.value) != len(found):
            return f"a list read as {found}"
        pairs = zip(written.value, found, strict=True)
        return next((wrong for node, value in pairs if (wrong := _differs(node, value))), None)
    if isinstance(written, yaml.ScalarNode):
        if isinstance(found, list) and len(found) == 1:
            (found,) = found
        return None if _means(written, found) else f"'{written.value[:40]}' read as {found!r}"
    return None if written == found else f"{written!r} by default, read as {found!r}"


def _means(node: yaml.ScalarNode, value: Any) -> bool:
    """Whether the word in the file stands for the value."""
    if isinstance(value, str):
        return node.value == value
    if node.style is not None:
        return False  # quoted: it can only be text
    if value is None:
        return node.value in ("", "~", "null")
    if isinstance(value, bool):
        return node.value == str(value).lower()
    number = Decimal(node.value)
    return (
        number == value
        if isinstance(value, int)
        else float(number) == value and (value != 0) == (number != 0)
    )


def work(numbers: range, seed: int) -> None:
    """Answer for each number, a line of JSON each. Ends early once it has taken too much memory."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    for number in numbers:
        with tempfile.TemporaryDirectory() as folder:
            one = answer(number, seed, Path(folder))
        print(json.dumps(asdict(one)), flush=True)
        if one.verdict == "large":
            return


def answers(count: int, seed: int) -> Iterator[Answer]:
    """Those of `count` mutants, read by another process; by a new one after each that hangs or ends it."""
    at = 0
    while at < count:
        words = [
            sys.executable,
            "-m",
            "tests.faults.grids",
            "--seed",
            str(seed),
            "--work",
            str(at),
            str(count),
        ]
        with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=places.ROOT, text=True, bufsize=1) as reader:
            assert reader.stdout
            while at < count:
                waited = select.select([reader.stdout], [], [], HANGS)[0]
                line = reader.stdout.readline() if waited else ""
                if line:
                    one = Answer(**json.loads(line))
                else:
                    verdict, text = ("traceback", "the reader died") if waited else ("slow", "no answer")
                    kind = mutant(at, seed).kind
                    one = Answer(number=at, kind=kind, verdict=verdict, seconds=HANGS, text=text)
                yield one
                at += 1
                if not line or one.verdict == "large":
                    break
            reader.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="how many mutants (200)")
    parser.add_argument("--seed", type=int, default=0, help="other mutants (0)")
    parser.add_argument("--show", type=int, metavar="N", help="print mutant N and what is said of it")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(range(*asked.work), asked.seed)
        return 0
    if asked.show is not None:
        return show(asked.show, asked.seed)
    return int(bool(run(asked.count, asked.seed)))


def run(count: int, seed: int = 0) -> int:
    """Read so many mutants, print a line for each kind, and return how many were not read as they should."""
    by_kind: dict[str, Counter[str]] = {}
    wrong: list[Answer] = []
    for one in answers(count, seed):
        by_kind.setdefault(one.kind, Counter())[one.verdict] += 1
        if one.verdict in BAD:
            wrong.append(one)
    for kind, counts in by_kind.items():
        print(f"{kind:20} " + ", ".join(f"{counts[v]} {v}" for v in (*GOOD, *BAD) if counts[v]))
    for one in wrong[:20]:
        print(f"grid {one.number} ({one.kind}): {one.verdict}, {one.seconds:.1f} s: {one.text[:300]!a}")
    total = sum(by_kind.values(), Counter())
    bad = ", ".join(f"{total[verdict]} {verdict}" for verdict in BAD).replace("traceback", "tracebacks")
    print(f"{count:,} grids: {bad}; {total['accepted']:,} accepted, {total['refused']:,} refused")
    return len(wrong)


def show(number: int, seed: int) -> int:
    """Print a mutant and its answer."""
    one = mutant(number, seed)
    print((one.content or one.file.encode()).decode("utf-8", "backslashreplace")[:5000])
    with tempfile.TemporaryDirectory() as folder:
        print(answer(number, seed, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
