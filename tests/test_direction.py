"""The rooms from bottom to top, and which may import which, read from the sources themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter

import pytest

from harness.common.places import ROOT

ROOMS = (
    *("common", "problems", "methods", "cell", "grids", "records", "analysis", "training", "sweeping"),
    *("plots", "bench", "paper", "study", "report", "cli"),
)
"""Bottom to top: a room imports only itself and those before it, inside functions too."""
DOORS = 14
"""Of harness/: as many as a person can take in at a glance. plots/ is outside."""


def name_of(path: str) -> str:
    """harness/cli/app.py is harness.cli.app; plots/ is installed as harness.plots."""
    dotted = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return f"harness.{dotted}" if dotted.split(".")[0] == "plots" else dotted


PATHS = {
    name_of(path.relative_to(ROOT).as_posix()): path
    for folder in ("harness", "plots")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
GATE = {"harness", "harness.__main__"}
"""What is outside all rooms: the package's front and its entry point."""


@cache
def imports(module: str, late: bool = True) -> frozenset[str]:
    """What a module imports, by full name; `late`: inside functions too. What only a type checker sees
    is left out."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"{module}: relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names.update(name if name in PATHS else node.module for name in inner)
        if late or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for child in ast.iter_child_nodes(node):
                visit(child)

    visit(ast.parse(PATHS[module].read_text()))
    return frozenset(names)


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def room_of(module: str) -> str:
    return module.split(".")[1]


def reached(module: str) -> set[str]:
    """All that a module loads when it is imported, parent packages included."""
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


def users_of(*names: str) -> set[str]:
    return {module for module in PATHS if any(within(name, *names) for name in imports(module))}


def test_the_reader_of_imports_sees_them() -> None:
    assert {"torch", "harness.training.replay", "harness.methods.base"} <= imports("harness.training.pack")
    assert "harness.sweeping.supervisor" in imports("harness.cli.sweep")
    assert "harness.sweeping.supervisor" not in imports("harness.cli.sweep", late=False)
    assert "torch" not in imports("harness.methods.alpha_maml")  # for the type checker alone
    assert "ray" in reached("harness.sweeping.raytune")
    assert "harness.plots.style" in imports("harness.plots.heatmap")
    assert len(PATHS) > 40


def test_the_rooms_are_those_of_the_list() -> None:
    assert {room_of(module) for module in PATHS.keys() - GATE} == set(ROOMS)
    assert len({*ROOMS} - {"plots"}) <= DOORS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_those_below_it(room: str) -> None:
    """So there is no circle of rooms either."""
    below = set(ROOMS[: ROOMS.index(room) + 1])
    for module in (module for module in PATHS.keys() - GATE if room_of(module) == room):
        above = [
            name
            for name in imports(module)
            if within(name, "harness") and (name in GATE or room_of(name) not in below)
        ]
        assert not above, module


def test_no_circle_of_files() -> None:
    """Imports inside functions included; a package's front only hands on what its own files hold."""
    graph = {module: imports(module) & PATHS.keys() for module in PATHS}
    order = list(TopologicalSorter(graph).static_order())
    assert len(order) == len(PATHS)


def test_only_the_process_that_runs_ray_imports_it() -> None:
    programs = {"harness.sweeping.raytune", "harness.study.race.population"}
    assert users_of("ray") == {"harness.sweeping.raystart"} | programs
    assert users_of("harness.sweeping.raystart") == programs
    assert users_of(*programs) == set()


def test_only_the_commands_and_the_pages_draw() -> None:
    assert {room_of(module) for module in users_of("harness.plots")} == {"plots", "paper", "study", "cli"}


def test_the_bench_loads_its_peers_when_they_are_asked_for() -> None:
    assert users_of("learn2learn", "higher", "torchopt") == set()
    assert "harness.bench.report" not in imports("harness.cli.bench", late=False)


@pytest.mark.parametrize(
    ("room", "never"),
    [
        ("analysis", ("torch", "ray", "matplotlib", "seaborn")),
        ("plots", ("torch", "ray", "harness.training", "harness.sweeping")),
        ("bench", ("ray", "harness.sweeping.raytune", "matplotlib", "harness.plots")),
        ("paper", ("ray", "harness.sweeping")),
        ("training", ("harness.grids", "harness.records.store", "harness.records.tables")),
    ],
)
def test_a_room_never_touches(room: str, never: tuple[str, ...]) -> None:
    """Not even inside a function."""
    ours = [module for module in PATHS if within(module, f"harness.{room}")]
    assert ours
    for module in ours:
        assert not [name for name in imports(module) if within(name, *never)], module


LIGHT = (
    *(
        "cell",
        "cli",
        "cli.grids",
        "cli.show",
        "cli.status",
        "common",
        "grids",
        "methods",
        "problems.datasets",
        "records",
    ),
    *("records.reference", "records.store", "records.tables", "sweeping.sweep"),
    *("analysis.summary", "plots.bench", "plots.render", "plots.sheet"),
)


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_neither_torch_nor_ray(module: str) -> None:
    """Including all that they import at module level: a command that trains nothing answers at once."""
    assert not [name for name in reached(f"harness.{module}") if within(name, "torch", "ray")]


def test_help_loads_only_what_prints() -> None:
    """The rest is imported by the command that is given, inside its function."""
    heavy = (
        "numpy",
        "pandas",
        "pyarrow",
        "pydantic",
        "yaml",
        "harness.cell",
        "harness.grids",
        "harness.records",
    )
    assert not [name for name in reached("harness.cli.app") if within(name, *heavy)]


def test_only_a_heatmap_loads_seaborn() -> None:
    """When it is drawn: it takes a second."""
    assert not [name for name in reached("harness.plots.render") if within(name, "seaborn", "scipy.stats")]


def test_at_run_time_too() -> None:
    """What our own reading could miss: third parties, and parent packages."""
    code = (
        "import sys, harness.grids, harness.records.tables, harness.cli.lookup, harness.plots.render\n"
        "print(*sorted({'torch', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
