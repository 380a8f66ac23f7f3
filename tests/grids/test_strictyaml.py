"""Strict YAML: what words mean, what is refused, and that every error knows its line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import grids
from harness.common.errors import UserError
from harness.grids import mistakes, strictyaml

WORDS = st.text("abcxyz_", min_size=1, max_size=6)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text("abe01.-+_:#'\"[{&*!~ é中", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def parse(text: str) -> strictyaml.Document:
    return strictyaml.parse(text, "x.yaml")


def listed(data: Any) -> Any:
    """The plain data with lists in place of tuples."""
    if isinstance(data, dict):
        return {key: listed(value) for key, value in data.items()}
    return [listed(value) for value in data] if isinstance(data, tuple) else data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("1e2", 100.0),
        ("+1.5", 1.5),
        (".5", 0.5),
        ("2.", 2.0),
        ("-0.0", 0.0),
        ("0e999", 0.0),
        ("0.00e-400", 0.0),
        ("2.3e-308", 2.3e-308),
        ("12", 12),
        ("-7", -7),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        *((word, word) for word in ("yes", "no", "on", "off", "True", "FALSE", "Null", "inf", "nan", "e5")),
        *((word, word) for word in ("1_000", "010", "0x10", "12:30", "2024-01-01", "1e", ".", "-", "1.2.3")),
    ],
)
def test_a_plain_word_means_one_thing(text: str, value: object) -> None:
    found = strictyaml.scalar(text)
    assert (repr(found), type(found)) == (repr(value), type(value))
    if text not in ("", "-"):
        assert parse(f"a: {text}").data == {"a": value}


def test_a_quoted_word_stays_a_word() -> None:
    assert parse("a: '1e-3'\nb: \"true\"\nc: |\n  5").data == {"a": "1e-3", "b": "true", "c": "5"}


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(WORDS, PLAIN, min_size=1, max_size=4))
def test_json_is_read_as_it_is(data: dict[str, Any]) -> None:
    assert listed(parse(json.dumps(data, ensure_ascii=False, indent=1)).data) == data


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3", 3, "a: given twice (first on line 1)"),
        ("a:\n  b: {c: 1,\n    c: 2}", 3, "c: given twice (first on line 2)"),
        ("a: .inf", 1, ".inf is not a finite number"),
        ("a: 1\nb: [-.INF]", 2, "not a finite number"),
        ("a: .NaN", 1, "not a finite number"),
        ("a: 1e999", 1, "not a finite number"),
        ("a: " + "9" * 5000, 1, "not a finite number"),
        ("a: 1\nb: 1e-400", 2, "1e-400 is too small a number"),
        ("a: -5e-324", 1, "too small"),
        ('a: 1\nb: "\\ud800"', 2, "an escape that stands for no character"),
        ('"\\udfff": 1', 1, "an escape that stands for no character"),
        ('a: 1\nb: "\\UFFFFFFFF"', 2, "an escape that stands for no character"),
        ("a: 1\nb: *" + "x" * 5000, 2, "xxx..."),
        ("a: &x {b: 1}\nc:\n  <<: *x", 3, "<< (merge)"),
        ("a: *x", 1, "no &x before it"),
        ("a: &x [*x]", 1, "no &x before it"),
        ("a: 1\nb: !!float 1", 2, "tag"),
        ("a: !!python/object/apply:os.getcwd []", 1, "tag"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a:\n\tb: 1", 2, "a tab"),
        ("a: 1\n  b: 2", 2, "not YAML"),
        ("a: [1, 2", 1, "not YAML"),
        ("a: 1\nb: '\x07'", 2, "control character"),
        ("? [1]\n: 2", 1, "a key must be a plain word"),
        ("a: " + "[" * 60 + "]" * 60, 1, "nested deeper"),
    ],
)
def test_what_is_refused(text: str, line: int, says: str) -> None:
    with pytest.raises(UserError) as error:
        parse(text)
    assert str(error.value).startswith(f"x.yaml:{line}: ")
    assert says in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("text", ["", "# a comment\n", "\n\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"^x.yaml:1: empty$"):
        parse(text)


def test_aliases_cannot_blow_up() -> None:
    levels = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(UserError, match="more than"):
        parse("\n".join(levels))


def test_every_value_has_its_line() -> None:
    document = parse("# top\na: &a\n  b: 1\n  c:\n    - 2\n    - {d: 3,\n       e: 4}\nf: *a\n")
    assert document.data["f"] == document.data["a"] == {"b": 1, "c": (2, {"d": 3, "e": 4})}
    lines = {("a",): 2, ("a", "b"): 3, ("a", "c"): 4, ("a", "c", 1): 6, ("a", "c", 1, "e"): 7, ("f",): 8}
    assert {path: document.line(path) for path in lines} == lines
    assert document.line(("a", "c", 0, "nothing", 5)) == 5  # the nearest thing that is there


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml: cannot be read"):
        strictyaml.read(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="not a file but a folder"):
        strictyaml.read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"# a title\ntitle: caf\xe9")
    with pytest.raises(UserError, match=r"latin\.yaml:2: not UTF-8"):
        strictyaml.read(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (os.mkfifo, r"not a file but a pipe \(FIFO\)"),
        (lambda path: path.symlink_to("/dev/zero"), "not a file but a device"),
        (lambda path: path.symlink_to(path.name), "not a file but a link that leads back to itself"),
        (lambda path: path.symlink_to("nothing"), "not a file but a link to nothing"),
        (lambda path: path.write_bytes(b"#" * (strictyaml.MAX_BYTES + 1)), "larger than 100,000 bytes"),
        (lambda path: path.write_bytes(b"#" * strictyaml.MAX_BYTES), "empty"),
    ],
    ids=["pipe", "device", "loop", "dangling", "large", "not too large"],
)
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    make(tmp_path / "a.yaml")
    with pytest.raises(UserError, match=rf"^{tmp_path}/a\.yaml:.*{says}") as error:
        grids.load(str(tmp_path / "a.yaml"))
    assert str(error.value).isprintable()


def test_the_first_problem_in_the_file_is_reported() -> None:
    document = parse("a: 1\nb: 2\nc: 3")
    wrong = [mistakes.Mistake((key,), f"wrong {key}", ("a",)) for key in "cb"]
    assert str(mistakes.report(document, wrong)) == "x.yaml:2: b: wrong b (first on line 1) (and 1 more)"


@pytest.mark.parametrize(("word", "says"), [("bta0", "did you mean beta0?"), ("zzz", "known: alpha0, beta0")])
def test_suggestions(word: str, says: str) -> None:
    assert mistakes.suggest(word, ["alpha0", "beta0"]) == says
