"""Plug-ins by their file or module: what they bring, what is wrong with them, what another process needs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import grids
from harness.common import plugins
from harness.common.errors import UserError
from harness.methods import METHODS

METHOD = """
import harness
from harness.methods.maml import MAML

@harness.method
class Mine(MAML):
    name = "mine"
    title = "{title}"
"""
GRID = """title: Mine
plugins: {plugins}
figure: {{kind: heatmap, panels: [method], x: beta0, y: alpha0}}
protocol: {{preset: sinusoid}}
target_loss: 1
max_iterations: 2
cells: [{{method: {method}, alpha0: 0.1, beta0: 0.1}}]
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget()


def write(folder: Path, source: str = METHOD, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(source.replace("{title}", "Mine"))
    return path


def grid(folder: Path, names: str = "mine.py", method: str = "mine") -> str:
    path = folder / "grid.yaml"
    path.write_text(GRID.format(plugins=names, method=method))
    return str(path)


def refusal(folder: Path, source: str | None, names: str = "mine.py", method: str = "mine") -> str:
    """The one line with which a grid of this plug-in is refused, from its line on."""
    if source is not None:
        write(folder, source)
    with pytest.raises(UserError) as caught:
        grids.load(grid(folder, names, method))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{folder}/grid.yaml:2: plugins: ") or ":2: plugins[" in line, line
    return line.partition(":2: plugins: ")[2] or line.partition("]: ")[2]


@pytest.mark.parametrize(
    "written", ["mine.py", "[mine.py]", "{folder}/mine.py", "~/mine.py", "sub/../mine.py"]
)
def test_a_grid_names_a_file_from_its_own_folder_on(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sub").mkdir()
    write(tmp_path)
    loaded = grids.load(grid(tmp_path, written.replace("{folder}", str(tmp_path))))
    assert [cell.method for cell in loaded.cells()] == ["mine"]


def test_or_a_module_that_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, name="an_installed_module.py")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        grids.load(grid(tmp_path, "an_installed_module"))
        assert METHODS.module("mine") == "an_installed_module"
        assert re.fullmatch("[0-9a-f]{16}", plugins.digest("an_installed_module") or "")
    finally:
        sys.modules.pop("an_installed_module", None)
        plugins.forget("an_installed_module")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "plug-in mine.py: .*mine.py: there is no such file"),
        ("import harness\nx = = 1", "plug-in mine.py: line 2: SyntaxError: invalid syntax"),
        ("import harness\n\n1 / 0", "plug-in mine.py: line 3: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "plug-in mine.py: line 1: SystemExit: 3"),
        ("import no_where", "plug-in mine.py: line 1: ModuleNotFoundError: No module named 'no_where'"),
        (
            METHOD.replace('"mine"', '"maml"'),
            "plug-in mine.py: line 5: method 'maml' is built in; choose another name",
        ),
        (METHOD.replace('"mine"', "3"), "line 5: a method's name is 3; write a word"),
        (
            "import harness\n@harness.method\nclass Mine(harness.Method): pass",
            "plug-in mine.py: line 2: a method's name is None; write a word",
        ),
        (
            METHOD + "    class Hyper: alpha0 = 1",
            "plug-in mine.py: line 5: method 'mine': it needs a Hyper, a class that extends harness.Hyper",
        ),
        (
            METHOD + "    class Hyper(harness.Hyper):\n        seed: int = 1",
            "method 'mine': its hyper-parameter seed has the name of another column",
        ),
        (
            METHOD + "    class Hyper(harness.Hyper):\n        rates: tuple[float, ...] = (1.0,)",
            "method 'mine': its hyper-parameter rates is neither a number, a whole number",
        ),
        (METHOD + METHOD.replace("import harness\n", ""), "line 1[0-9]: method 'mine' is brought twice"),
        (
            "import harness\n@harness.problem\nclass P(harness.Problem):\n    name = 'p'",
            "line 2: problem 'p': it names no network; write network = 'mlp', say",
        ),
        ("import harness\n@harness.network\nclass N: pass", "line 2: harness.network takes a name"),
        (
            "import harness\n@harness.network('n')\ndef n(inputs, outputs, width: int): pass",
            "line 2: network 'n': its parameter width needs a default",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_plug_in_is_one_line(source: str | None, words: str, tmp_path: Path) -> None:
    assert re.search(words, refusal(tmp_path, source))
    assert "mine" not in METHODS  # nothing is left of it


def test_a_module_that_is_not_installed(tmp_path: Path) -> None:
    said = refusal(tmp_path, None, "[no_such.module]")
    assert (
        said == "plug-in no_such.module: there is no such module; install it, or name a file that ends in .py"
    )


def test_a_plug_in_of_which_the_grid_names_nothing(tmp_path: Path) -> None:
    said = refusal(tmp_path, METHOD, method="maml")
    assert said == "plug-in mine.py brings method 'mine', which this grid does not use"
    assert refusal(tmp_path, "x = 1", method="maml") == "plug-in mine.py brings nothing"


def test_two_plug_ins_with_one_name(tmp_path: Path) -> None:
    write(tmp_path, name="other.py")
    said = refusal(tmp_path, METHOD, "[mine.py, other.py]")
    where = tmp_path / "mine.py"
    assert (
        said == f"plug-in other.py: line 5: method 'mine' is already brought by {where}; choose another name"
    )


def test_a_mistake_in_a_file_beside_it_is_named_with_that_file(tmp_path: Path) -> None:
    write(tmp_path, "x = 1\n1 / 0", "beside.py")
    said = refusal(tmp_path, "import beside")
    assert said == "plug-in mine.py: beside.py, line 2: ZeroDivisionError: division by zero"


def test_a_file_that_has_not_changed_is_loaded_once(tmp_path: Path) -> None:
    write(tmp_path)
    grids.load(grid(tmp_path))
    first = METHODS["mine"]
    grids.load(grid(tmp_path))
    assert METHODS["mine"] is first


def test_a_file_that_has_changed_is_loaded_anew_and_brings_nothing_else(tmp_path: Path) -> None:
    write(tmp_path)
    (before,) = grids.load(grid(tmp_path)).cells()
    changed = METHOD.replace('"mine"', '"other"').replace("{title}", "Changed")
    write(
        tmp_path, changed + "    class Hyper(harness.Hyper):\n        alpha0: float\n        beta0: float\n"
    )
    (after,) = grids.load(grid(tmp_path, method="other")).cells()
    assert METHODS["other"].title == "Changed"
    assert "mine" not in METHODS
    assert type(after.hyper) is not type(before.hyper)


def test_a_change_of_a_file_beside_it_counts_as_one_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "TITLE = 'A'", "beside.py")
    source = METHOD.replace('"{title}"', "beside.TITLE").replace(
        "import harness\n", "import harness\nimport beside\n"
    )
    write(tmp_path, source)
    digests = set()
    for title in ("A", "B"):
        write(tmp_path, f"TITLE = '{title}'", "beside.py")
        grids.load(grid(tmp_path))
        assert METHODS["mine"].title == title
        digests.add(plugins.digest(METHODS.module("mine")))
    assert len(digests) == 2


def test_the_script_that_runs_is_no_file_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """multiprocessing, which torch imports, gives it a second name."""
    script = sys.modules["__main__"]
    monkeypatch.setattr(script, "__file__", str(write(tmp_path, "", "script.py")), raising=False)
    monkeypatch.setitem(sys.modules, "__mp_main__", script)
    monkeypatch.delitem(sys.modules, "__mp_main__")
    write(tmp_path, "import sys; sys.modules['__mp_main__'] = sys.modules['__main__']\n" + METHOD)
    assert list(plugins.load("mine.py", tmp_path).files or ()) == ["mine.py"]


def test_another_process_gets_the_file_as_it_was(tmp_path: Path) -> None:
    """What is received is run with its digest, although the file is gone, and files beside it too."""
    write(tmp_path, "TITLE = 'Beside'", "beside.py")
    path = write(tmp_path, METHOD.replace('"{title}"', "__import__('beside').TITLE + __file__"))
    grids.load(grid(tmp_path))
    sent, digest = plugins.loaded(), plugins.digest(METHODS.module("mine"))
    plugins.forget()
    assert "mine" not in METHODS
    for file in tmp_path.glob("*.py"):
        file.unlink()
    plugins.receive(sent)
    assert METHODS["mine"].title == f"Beside{path}"  # data beside it are found where it was read
    assert plugins.digest(METHODS.module("mine")) == digest
    first = METHODS["mine"]
    plugins.receive(sent)
    assert METHODS["mine"] is first


def test_a_module_that_another_machine_lacks(tmp_path: Path) -> None:
    sent = [{"name": "only_there", "module": "only_there", "path": None, "files": None}]
    with pytest.raises(UserError, match=r"on .*: plug-in only_there: there is no such module; install it"):
        plugins.receive(sent)
