"""Files: their names, and the same bytes from the same records, in this process or another."""

import errno
import hashlib
import subprocess
import sys

import pytest

from harness.common.errors import NotWritten, UserError
from harness.plots.render import render
from tests.plots import synthetic

HEATMAP = synthetic.grid("heatmap")
LOSSES = synthetic.grid("losses")
CURVES = synthetic.grid("trajectories", reference=None, columns=synthetic.FIG1["columns"][:1])


def tables():
    trials, curves = synthetic.figure1(seeds=2, iterations=20)
    tuned = trials[trials["alpha0"] == 0.1].assign(target_loss=2.5)
    return tuned, curves[curves["cell_id"].isin(tuned["cell_id"])]


def digests(folder):
    """Draw a figure of each kind there; the SHA-256 of every file by name."""
    found = {}
    kinds = {"counts": HEATMAP, "curves": CURVES, "losses": LOSSES}
    for grid in (grid | {"name": name} for name, grid in kinds.items()):
        for path in render(*tables(), grid, folder):
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_the_same_records_give_the_same_bytes(tmp_path):
    script = (
        "import sys, pathlib, matplotlib; matplotlib.rcParams['axes.facecolor'] = 'red'\n"
        "from tests.plots.test_render import digests; print(digests(pathlib.Path(sys.argv[1])))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "b")], capture_output=True, text=True, check=True
    )
    here = digests(tmp_path / "a")
    assert list(here) == [
        f"{name}.{kind}" for name in ("counts", "curves", "losses") for kind in ("png", "svg", "pdf")
    ]
    assert str(here) == other.stdout.strip()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(here)  # no unfinished file
    assert (tmp_path / "a" / "counts.png").read_bytes()[:4] == b"\x89PNG"
    assert b"<dc:date>" not in (tmp_path / "a" / "counts.svg").read_bytes()


@pytest.mark.parametrize(
    ("error", "left"),
    [(KeyboardInterrupt(), {"made-up.png": "whole"}), (OSError(errno.ENOSPC, ""), {})],
    ids=["interrupted", "disk full"],
)
def test_an_unfinished_file_does_not_replace_a_figure(tmp_path, monkeypatch, error, left):
    """And where the disk refuses the new one, the older one does not pass for it."""

    def breaks(fig, path, **kwargs):
        path.write_text("half")
        raise error

    (tmp_path / "made-up.png").write_text("whole")
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", breaks)
    with pytest.raises(type(error) if left else NotWritten):
        render(*tables(), HEATMAP, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == left


def test_what_cannot_be_drawn_is_reported_in_one_line(tmp_path):
    trials, curves = tables()
    with pytest.raises(UserError, match=r"made-up: figure\.kind 'pie' is unknown; choose heatmap or"):
        render(trials, curves, {"name": "made-up", "figure": {"kind": "pie"}}, tmp_path)
    with pytest.raises(UserError, match="made-up: nothing to draw"):
        render(trials.iloc[:0], curves, HEATMAP, tmp_path)
