"""What surrounds a command neither breaks nor changes it: settings of a notebook, files of the user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import TINY, Run, fill

MATPLOTLIBRC = "figure.facecolor: red\ntext.usetex: True\nsvg.fonttype: none\nsavefig.bbox: tight\nwrong: 1\n"


def test_the_same_files_whatever_surrounds_a_command(harness: Run, tmp_path: Path, results: Path) -> None:
    grid = tmp_path / "tiny.yaml"
    grid.write_text(TINY.replace("Tiny", "Größe × 10⁻³"), "utf-8")
    fill(results, str(grid))
    own = tmp_path / "own"
    own.mkdir()
    (own / "matplotlibrc").write_text(MATPLOTLIBRC)
    for name in ("plots", "random", "types", "yaml", "numpy"):
        (own / f"{name}.py").write_text("raise SystemExit('a file of the user')")
    home = own / "matplotlibrc" / "home"  # inside a file: nobody can make it, root neither
    hostile = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "TMPDIR": str(home),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MATPLOTLIBRC": str(own),
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "TZ": "Pacific/Kiritimati",
        "OMP_NUM_THREADS": "1000",
        "MKL_NUM_THREADS": "0",
        "CUDA_VISIBLE_DEVICES": "",
        "HARNESS_DATA": "",
        "OMNIGLOT_ROOT": " ",
        "GIT_DIR": str(home),
        "SOURCE_DATE_EPOCH": "abc",
    }

    def figures() -> list[bytes]:
        return [(results / "tiny" / f"tiny.{kind}").read_bytes() for kind in ("png", "svg", "pdf")]

    assert harness("plot", str(grid)).code == 0
    expected = figures()
    words = [sys.executable, "-m", "harness", "plot", str(grid), "--results", str(results)]
    done = subprocess.run(words, cwd=own, env=os.environ | hostile, capture_output=True, timeout=200)
    assert (done.returncode, done.stderr) == (0, b"")
    assert figures() == expected
    words = [sys.executable, "-m", "harness", "sweep", "-h"]
    done = subprocess.run(words, cwd=own, env=os.environ | hostile, capture_output=True, timeout=200)
    assert b"Run the missing cells of a grid" in done.stdout  # from a docstring
