"""Mutations of a valid grid's file, by kind.

Each takes a source of randomness and the text of a grid, and returns what to write instead.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

Mutation = Callable[[Random, str], str | bytes]

NUMBERS = (
    *("-1", "0", "-0.0", "1", "+5", "1.0", "0.5", "2.", ".5", "1e3", "007", "0x10", "1_000", "12:30", "'5'"),
    *("1e308", "1e-300", "5e-324", "1e400", "-1e400", "1e-400", "0e999", ".inf", "-.INF", ".nan", "nan"),
    *("1000", "10000", "100000", "1000000000", "1e30", "1e-30", "1e31", "1e-31"),
    *(
        str(2**31),
        str(2**63 - 1),
        str(2**63),
        str(2**64),
        str(10**30),
        "9" * 300,
        "9" * 5000,
        "1" + "0" * 400,
    ),
)
VALUES = (
    *("true", "false", "yes", "null", "~", "", "''", "' '", "word", "[]", "{}", "[[]]", "[null]", "[true]"),
    *("[1, 2]", "[1, [2]]", "{a: 1}", "{a: {b: 1}}", "!!int 5", "&x 5", "*pairs", "2024-01-01", "|\n  5\n"),
)
CHARACTERS = (
    *(
        "é",
        "中",
        "🦊",
        "\u0301",
        "\u00a0",
        "\u200b",
        "\u202e",
        "\u2028",
        "\ufeff",
        "\u0085",
        "\ufffe",
        "\U0010ffff",
    ),
    *(
        "$x$",
        "\\",
        "'",
        '"',
        "%",
        "{",
        "}",
        "[",
        "#",
        " #",
        ": ",
        "&",
        "*",
        "!",
        "|",
        ">",
        "@",
        "`",
        "\t",
        "?",
    ),
)
ESCAPES = (
    *(r"\x1b[2J", r"\0", r"\a", r"\n", r"\r", r"\x9b", r"\u2028", r"\u202e", r"\ud800", r"\uDFFF\uD800"),
    *(r"\UFFFFFFFF", r"\U00110000", r"\x", r"\q", r"\N", r"\L", r"\ ", r"\/"),
)
ODDITIES = (
    *(
        "%YAML 1.1\n---\n{}",
        "%YAML 3.0\n---\n{}",
        "%TAG ! x\n---\n{}",
        "---\n{}\n...\n",
        "{}\n---\n{}",
        "{}...\n",
    ),
    *(
        "{}<<: {a: 1}\n",
        "{}? a\n: b\n",
        "{}? [a]\n: b\n",
        "{}: x\n",
        "{}- x\n",
        "{}x\n",
        "{}'title': again\n",
    ),
    *(
        "x: &a 1\n{}",
        "x: *a\n{}",
        "{}x: &x [*x]\n",
        "!!map\n{}",
        "# only a comment\n",
        "\n\n\n",
        "{}\x00",
        "{}# end",
    ),
    *(
        "null",
        "[]",
        "5",
        "--- |\n x",
        "{}1e3: x\n",
        "{}null: x\n",
        "{}true: x\n",
        "{}readings: []\n",
        "{}seeds:\n",
    ),
    *(
        "{}readings: [{{}}]\n",
        "{}readings: [5]\n",
        "{}name: x\n",
        "{}folder: x\n",
        "{}preset: x\n",
        "{}blocks: []\n",
    ),
)
FIELDS = (
    "n_way",
    "k_shot",
    "meta_batch",
    "inner_steps",
    "layers",
    "filters",
    "validation_tasks",
    "split_seed",
)


def _lines(change: Callable[[Random, list[str]], None]) -> Mutation:
    """A mutation of the file's lines."""

    def mutate(random: Random, text: str) -> str:
        lines = text.splitlines(keepends=True)
        change(random, lines)
        return "".join(lines)

    return mutate


def _delete(random: Random, lines: list[str]) -> None:
    at = random.randrange(len(lines))
    del lines[at : at + random.choice((1, 1, 2, 5))]


def _duplicate(random: Random, lines: list[str]) -> None:
    at = random.randrange(len(lines))
    lines.insert(random.choice((at, random.randrange(len(lines)))), lines[at])


def _swap(random: Random, lines: list[str]) -> None:
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _indent(random: Random, lines: list[str]) -> None:
    at = random.randrange(len(lines))
    lines[at] = random.choice((" ", "  ", "\t", " \t")) + lines[at]
    if random.random() < 0.5:
        lines[at] = lines[at].strip() + "\n"


def _replaced(pattern: str, new: Callable[[Random, str], str], random: Random, text: str) -> str:
    """The text with a random match of the pattern replaced."""
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    one = random.choice(found)
    return text[: one.start()] + new(random, one[0]) + text[one.end() :]


def _misspelt(random: Random, key: str) -> str:
    at = random.randrange(len(key))
    return random.choice(
        (key[:at] + key[at + 1 :], key[:at] + "x" + key[at:], key.upper(), f"'{key}'", f"{key}s")
    )


def _long_list(random: Random, value: str) -> str:
    count = random.choice((300, 3_000, 20_000, 300_000))
    start = random.choice((0, 1, 10**6))
    return f"[{', '.join(map(str, range(start, start + count)))}]"


def _nested(random: Random, value: str) -> str:
    depth = random.choice((10, 31, 33, 1_000, 40_000))
    opening, closing = random.choice((("[", "]"), ("{a: ", "}"), ("[{a: ", "}]"), ("- ", "")))
    return opening * depth + value + closing * random.choice((depth, 0))


def _laughs(random: Random, text: str) -> str:
    """Aliases of aliases: each level ten times as many values."""
    base = random.choice(("[1, 2, 3]", "{alpha0: 1, beta0: 2}", "{kk: 1, kkk: 2}", "word"))
    levels = [f"a0: &a0 {base}\n"]
    levels += [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, random.choice((3, 5, 9)))
    ]
    last = f"*a{len(levels) - 1}"
    return "".join(levels) + text.replace("seeds: [0]", f"seeds: {last}").replace(
        "cells:\n", f"cells: {last}\nx:\n"
    )


def _many_readings(random: Random, text: str) -> str:
    count = random.choice((30, 300, 3_000, 6_000))
    field = random.choice(("split_seed", "perturbation", "meta_batch", "k_shotx"))
    listed = "".join(f"  - {{{field}: {i + 1}}}\n" for i in range(count))
    text = re.sub(r"panels: \[", "panels: [protocol, ", re.sub(r"(?ms)^readings:.*?(?=^\w)", "", text))
    return text.replace("target_loss", f"readings:\n{listed}target_loss", 1)


def _many_blocks(random: Random, text: str) -> str:
    """Each block of a size that is allowed, or none."""
    count, length = random.choice(((200, 1), (20, 50), (5, 220), (3, 130), (1, 300), (1_000, 200)))
    rows = [f"[{', '.join(str(i + 1 + block) for i in range(length))}]" for block in range(min(count, 40))]
    block = "  - {{method: maml, alpha0: {}, beta0: {}}}\n"
    return text + "".join(block.format(rows[i % len(rows)], rows[-1 - i % len(rows)]) for i in range(count))


def _large_protocol(random: Random, text: str) -> str:
    """Several fields at once, each about as large as it may be."""
    sizes = {"n_way": 800, "k_shot": 10, "layers": 6, "split_seed": 2**63 - 1}
    fields = random.sample(FIELDS, random.randint(2, 6))
    written = "".join(f"  {f}: {random.choice((sizes.get(f, 10_000), sizes.get(f, 900)))}\n" for f in fields)
    return re.sub(r"(?m)^protocol:.*\n", lambda m: f"protocol:\n{written}", text, count=1)


def _encoded(random: Random, text: str) -> bytes:
    coding = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp037", "utf-7"))
    return text.replace("title: ", "title: café ", 1).encode(coding)


def _bytes(random: Random, text: str) -> bytes:
    content = bytearray(text.encode())
    for _ in range(random.choice((1, 1, 3, 30))):
        content[random.randrange(len(content))] = random.randrange(256)
    return bytes(content)


def _truncated(random: Random, text: str) -> bytes:
    return text.encode()[: random.randrange(len(text.encode()))]


def _ends(random: Random, text: str) -> str:
    return text.replace("\n", random.choice(("\r\n", "\r", "\n\n", "\x85", "\u2028", "\n\x0c")))


def _odd(random: Random, text: str) -> str:
    return random.choice(ODDITIES).replace("{}", text)


def _spliced(random: Random, text: str) -> str:
    a, b = random.randrange(len(text)), random.randrange(len(text))
    return text[:a] + text[b:]


KEY, VALUE, NUMBER = r"\w+(?=:)", r"(?<=: )[^\n]+", r"(?<![\w.])[\d.]+(?:e-?\d+)?(?![\w.])"
KINDS: dict[str, Mutation] = {
    "as it is": lambda random, text: text,
    "deleted lines": _lines(_delete),
    "doubled line": _lines(_duplicate),
    "swapped lines": _lines(_swap),
    "indentation": _lines(_indent),
    "misspelt key": partial(_replaced, KEY, _misspelt),
    "other key": partial(
        _replaced, KEY, lambda random, _: random.choice((*FIELDS, "seed", "method", "paired"))
    ),
    "other value": partial(_replaced, VALUE, lambda random, _: random.choice(VALUES)),
    "other item": partial(_replaced, NUMBER, lambda random, _: random.choice(VALUES)),
    "other number": partial(_replaced, NUMBER, lambda random, _: random.choice(NUMBERS)),
    "number in a value": partial(_replaced, VALUE, lambda random, _: random.choice(NUMBERS)),
    "character": partial(_replaced, r"\w", lambda random, c: c + random.choice(CHARACTERS)),
    "escape": partial(_replaced, VALUE, lambda random, _: f'"a{random.choice(ESCAPES)}b"'),
    "long word": partial(_replaced, r"\w+", lambda random, w: w * random.choice((20, 2_000, 9_000))),
    "long list": partial(_replaced, r"\[[^\]\n{]+\]", _long_list),
    "nesting": partial(_replaced, VALUE, _nested),
    "aliases": _laughs,
    "many readings": _many_readings,
    "many blocks": _many_blocks,
    "large protocol": _large_protocol,
    "oddity of YAML": _odd,
    "two grids": _spliced,
    "line ends": _ends,
    "truncated": _truncated,
    "bytes": _bytes,
    "encoding": _encoded,
    "long file": lambda random, text: text + "# a comment\n" * random.choice((1_000, 100_000)),
}
"""From a grid's text to another."""


def _link(target: str, path: Path) -> None:
    path.symlink_to(target)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(path.parent)  # its name may have a hundred characters
        one.bind(path.name)


FILES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "socket": _socket,
    "endless device": partial(_link, "/dev/zero"),
    "empty device": partial(_link, "/dev/null"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to nothing": partial(_link, "nothing"),
    "empty file": Path.touch,
    "hole of 1 TB": lambda path: (path.touch(), os.truncate(path, 10**12)),
}
"""What may lie there instead of a file."""
NAMES = (
    "fig2",
    "store",
    "a b",
    "-x",
    ".x",
    "é",
    "a\nb",
    "\x1b[2J",
    "\udcff",
    "x" * 200,
    "con",
    "..",
    "%s",
    "$HOME",
)
"""Of a file, less .yaml, that holds a valid grid."""
