"""The house has one direction: who may import whom, read from the sources themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter

import pytest

from harness.places import ROOT

PATHS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for room in ("harness", "plots")
    for path in sorted((ROOT / room).rglob("*.py"))
}


@cache
def imports(module: str, late: bool = True) -> frozenset[str]:
    """What a module imports, by full name; `late`: inside functions too. What only a type checker sees
    is left out."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"{module}: relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name in PATHS else node.module for name in inner)
        if late or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for child in ast.iter_child_nodes(node):
                visit(child)

    visit(ast.parse(PATHS[module].read_text()))
    return frozenset(found)


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def reached(module: str) -> set[str]:
    """All that a module loads when it is imported, packages on the way included."""
    seen: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            if name in PATHS:
                left += imports(name, late=False)
                left += [parent for parent in [name.rpartition(".")[0]] if parent]
    return seen


def test_the_reader_of_imports_sees_them() -> None:
    assert {"torch", "harness.datasets", "harness.methods.base"} <= imports("harness.engine")
    assert "harness.runners.raytune" in imports("harness.commands.sweep")
    assert "harness.runners.raytune" not in imports("harness.commands.sweep", late=False)
    assert "torch" not in imports("harness.methods.base")  # for the type checker alone
    assert "ray" in reached("harness.runners.raytune")
    assert len(PATHS) > 40


def users_of(*rooms: str) -> set[str]:
    return {module for module in PATHS if any(within(name, rooms) for name in imports(module))}


def test_only_one_file_imports_ray() -> None:
    assert users_of("ray") == {"harness.runners.raytune"}


def test_nobody_imports_the_commands() -> None:
    users = {module for module in users_of("harness.commands") if not within(module, ("harness.commands",))}
    assert users == {"harness.__main__"}


def test_only_the_commands_draw() -> None:
    users = {module for module in users_of("plots") if within(module, ("harness",))}
    assert "harness.commands.plot" in users
    others = {module for module in users if not within(module, ("harness.commands",))}
    assert others <= {"harness.single", "harness.pages"}


def test_only_the_commands_bench() -> None:
    """And the bench alone knows the libraries that it compares with, loaded when they are asked for."""
    users = {module for module in users_of("harness.bench") if not within(module, ("harness.bench",))}
    assert users == {"harness.commands.bench"}
    assert "harness.bench.report" not in imports("harness.commands.bench", late=False)
    assert users_of("learn2learn", "higher", "torchopt") == set()


TRAINING = (
    *("harness.derivatives", "harness.engine", "harness.episodes", "harness.metagradient"),
    *("harness.methods", "harness.network"),
    *("harness.operators", "harness.optimizers", "harness.protocol", "harness.randomness", "harness.records"),
    "harness.replay",
)
ABOVE = (
    *("harness.grids", "harness.figures", "harness.filters", "harness.store", "harness.sweep"),
    *("harness.frames", "harness.runners", "harness.progress", "harness.overview", "harness.single"),
)


@pytest.mark.parametrize(
    ("rooms", "forbidden"),
    [
        (("harness.analysis",), ("torch", "ray", "matplotlib", "seaborn", "plots")),
        (("plots",), ("torch", "ray")),
        (TRAINING, ABOVE),
        (("harness.grids", "harness.figures", "harness.filters"), ("harness.engine", "harness.store")),
        (("harness.store", "harness.frames"), ("harness.engine", "harness.sweep", "harness.runners")),
        (("harness.runners",), ("harness.store", "harness.sweep", "harness.frames", "harness.grids")),
        (("harness.bench",), ("ray", "harness.runners.raytune", "matplotlib", "plots")),
        (("harness.datasets",), ("harness.episodes", "harness.engine", "harness.protocol")),
    ],
    ids=["analysis", "plots", "training", "grids", "store", "runners", "bench", "data sets"],
)
def test_a_room_does_not_touch(rooms: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    """Not even late, inside a function."""
    ours = [module for module in PATHS if within(module, rooms)]
    assert ours
    for module in ours:
        assert not [name for name in imports(module) if within(name, forbidden)], module


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("harness.analysis", ("harness.analysis", "harness.errors", "harness.schema")),
        ("plots", ("harness.analysis", "harness.errors", "harness.methods", "harness.schema")),
    ],
)
def test_what_works_on_frames_knows_little_else(room: str, allowed: tuple[str, ...]) -> None:
    for module in (module for module in PATHS if within(module, (room,))):
        used = {name for name in imports(module) if within(name, ("harness",))}
        assert not [name for name in used if not within(name, allowed)], module


LIGHT = (
    *(
        "commands",
        "figures",
        "filters",
        "frames",
        "grids",
        "methods",
        "overview",
        "protocol",
        "records",
        "reference",
    ),
    *("store", "strictyaml", "sweep", "analysis.summary", "datasets", "places", "errors", "schema"),
)


@pytest.mark.parametrize(
    "module", [*(f"harness.{name}" for name in LIGHT), "plots.bench", "plots.render", "plots.sheet"]
)
def test_light_modules_load_neither_torch_nor_ray(module: str) -> None:
    """Through all that they import at module level: a command that trains nothing answers at once."""
    assert not [name for name in reached(module) if within(name, ("torch", "ray"))]


def test_no_module_needs_itself() -> None:
    """At module level there are no circles."""
    graph = {module: imports(module, late=False) & PATHS.keys() for module in PATHS}
    order = list(TopologicalSorter(graph).static_order())
    assert len(order) == len(PATHS)


def test_at_run_time_too() -> None:
    """What our own reading could miss: third parties, and packages on the way."""
    code = (
        "import sys, harness.grids, harness.frames, harness.overview, plots.render\n"
        "print(*sorted({'torch', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
