"""A user's mistakes: exit code 2, one line that says what would be right, and nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.problems import datasets
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, is_refused


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["sweep", "quik"], r"grid 'quik': unknown; did you mean quick\?"),
        (["sweep", "nothing/there.yaml"], r"nothing/there\.yaml"),
        (["status", "fig22"], r"grid 'fig22': unknown; did you mean fig2\b"),
        (["plot", "fig22"], r"grid 'fig22': unknown"),
        (["sweep", "quick", "--dataset", "glyfs"], r"data set 'glyfs': unknown; did you mean glyphs\?"),
        (["data", "glyfs"], r"data set 'glyfs': unknown; did you mean glyphs\?"),
        (["data", "mnist"], "data set 'mnist': unknown; known: omniglot, glyphs"),
        (["sweep", "quick", "--dataset", "mnist"], "data set 'mnist': unknown; known: omniglot, glyphs"),
        (["sweep", "quick", "--device", "tpu"], "device 'tpu': write cpu or cuda"),
        (["sweep", "quick", "--seeds", "0,x"], "seeds '0,x': write whole numbers"),
        (["sweep", "quick", "--seeds", "1,1"], "seeds '1,1': 1 is listed twice"),
        (["grids", "quick", "--cells", "--seeds", "3-1"], "seeds '3-1'"),
        (["sweep", "quick", "--shard", "3/2"], "shard '3/2': write i/n"),
        (["sweep", "quick", "--where", "alpha0"], "where 'alpha0'"),
        (["sweep", "quick", "--where", "alfa0=1"], r"'alfa0' is not a column; did you mean alpha0\?"),
        (["sweep", "quick", "--where", "alpha0=77"], "where 'alpha0=77': no cell of quick"),
        (["plot"], "no records yet; make sweep makes some"),
        (["plot", "quick"], "no records of quick yet"),
        (["show", "0af8"], "cell '0af8': not the beginning of any record id"),
        (["show", "/0af8"], "cell '/0af8': not the beginning of any record id"),
        (["show", "**"], r"not the beginning of any record id"),
        (["cell", "0af8"], "cell '0af8': not the beginning of any cell id in fig2 or in "),
        (["cell", "alpha0=1"], "no method has exactly the hyper-parameters alpha0"),
        (["cell", "alpha0=x", "beta0=1"], "cell: alpha0: 'x' is not a number"),
        (["cell", "alpha0=1e-400", "beta0=1"], "cell: alpha0: 1e-400 is too small a number"),
        (
            ["cell", "alpha0=1", "beta0=1", "--iterations", str(2**63)],
            "cell: iterations: .* is not <= 10000000",
        ),
        (["sweep", "quick", "--seeds", "0-99999"], "100,000 seeds; at most 50,000"),
        (["grids", "quick", "--cells", "--seeds", "0-49999"], "quick: 14 cells x 50,000 seeds are 700,000"),
        (["status", "quick", "--seeds", "0-49999"], "quick: 14 cells x 50,000 seeds are 700,000"),
        (["sweep", "quick", "--shard", f"1/{10**30}"], "shard '1/1000"),
        (["sweep", "quick", "--where", "alpha0=1e400"], "where: alpha0: 1e400 is not a finite number"),
        (["cell", "alpha0=-1", "beta0=1"], "alpha0: -1 is not >= 0"),
        (["cell", "alpha0=nan", "beta0=1"], "alpha0"),
        (
            ["cell", "alpha0=1", "beta0=1", "--method", "rept"],
            "method: 'rept' is not a method; did you mean reptile",
        ),
        (
            ["cell", "alpha0=1", "beta0=1", "--method", "reptile"],
            "cell: reptile has no 'beta0'; known: alpha0, eps0, steps",
        ),
        (["cell", "alpha0=1", "eps0=1", "steps=0"], "cell: steps: 0 is not >= 1"),
        (["cell", "alpha0=1", "eps0=1", "steps=1.0"], "cell: steps: write 1, without point or exponent"),
        (["cell", "alpha0=1", "eps0=1", "steps="], "'steps=' is not of the form name=value"),
        (["sweep", "quick", "--where", "steps=few"], "where: steps: 'few' is not a number"),
        (["sweep", "quick", "--where", "steps=0"], "where: steps: 0 is not >= 1"),
        (
            ["sweep", "sinusoid", "--dataset", "glyphs"],
            "data set 'glyphs': sweeps/sinusoid.yaml: the problem sinusoid has no data sets",
        ),
        (["cell", "alpha0=1", "beta0=1", "--target", "-1"], "target -1: write a number > 0"),
        (
            ["cell", "alpha0=1", "beta0=1", "--threads", "100000"],
            r"threads 100000: write 1 to \d+, the cores",
        ),
        (["data", "glyphs", "--sheet", ""], "sheet: empty; write a path"),
        (
            ["data", "glyphs", "--sheet", "~no-such-user/x.png"],
            r"sheet ~no-such-user/x\.png: there is no such home folder",
        ),
        (["sweep", "~no-such-user/x.yaml"], r"grid ~no-such-user/x\.yaml: there is no such home folder"),
        (["data", "glyphs", "--sheet", "sheet.jpg"], r"sheet sheet\.jpg: its name must end in \.png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(harness: Run, words: list[str], pattern: str, results: Path) -> None:
    is_refused(harness(*words), pattern)
    assert not results.exists()


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        ("beta0: 1e-3}", "beta0: 1e-3", r"tiny\.yaml:\d+"),
        ("title", "titel", r"tiny\.yaml:2: titel: .*title"),
        ("n_way: 5", "n_way: five", r"tiny\.yaml:4: protocol\.n_way"),
        ("max_iterations: 5", "max_iterations: 0", r"tiny\.yaml:6: max_iterations: 0"),
        ("[0.1, 0.2]", "[0.1, 0.1]", r"tiny\.yaml:8: .*twice"),
        ("dataset: glyphs", "dataset: mnist", r"'mnist' is not a data set"),
    ],
    ids=["broken", "key", "type", "range", "twice", "data set"],
)
def test_a_broken_grid(harness: Run, tiny: str, old: str, new: str, pattern: str, results: Path) -> None:
    Path(tiny).write_text(TINY.replace(old, new, 1))
    is_refused(harness("sweep", tiny, "--runner", "serial"), pattern)
    assert not results.exists()


@pytest.fixture
def no_omniglot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("OMNIGLOT_ROOT", str(tmp_path / "empty"))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    datasets._load.cache_clear()  # another test may have loaded the real one


@pytest.mark.usefixtures("no_omniglot")
def test_no_omniglot(harness: Run, tiny: str) -> None:
    Path(tiny).write_text(TINY.replace("glyphs", "omniglot"))
    help_ = "`harness data omniglot` fetches it.*OMNIGLOT_ROOT.*DATASET=glyphs"
    is_refused(harness("sweep", tiny, "--runner", "serial"), help_)
    is_refused(harness("cell", "alpha0=0.1", "beta0=0.1", "--grid", tiny), help_)


@pytest.mark.usefixtures("no_omniglot")
def test_no_omniglot_and_no_network(harness: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.problems.datasets import omniglot as data

    class Offline:
        def __init__(self, *_: object, **__: object) -> None:
            raise OSError("Name or service not known")

    monkeypatch.setattr(data, "torchvision_omniglot", lambda: Offline)
    is_refused(harness("data", "omniglot"), "cannot be fetched.*by hand")


@pytest.mark.usefixtures("no_omniglot")
def test_the_dry_run_needs_no_data(harness: Run, tiny: str) -> None:
    Path(tiny).write_text(TINY.replace("glyphs", "omniglot"))
    said = harness("grids", tiny, "--cells")
    assert said.code == 0
    assert "3 cells, 3 to run; no estimate: omniglot: no images_background" in said.out


def test_no_cuda(harness: Run, tiny: str, monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    is_refused(harness("sweep", tiny, "--device", "cuda"), "'cuda': torch sees no CUDA.*DEVICE=cpu")
    is_refused(harness("cell", "alpha0=1", "beta0=1", "--device", "cuda"), "torch sees no CUDA")
    assert not results.exists()


@pytest.mark.parametrize("spoilt", ["", "store", "tiny"])
@pytest.mark.usefixtures("noise")
def test_results_not_writable(harness: Run, tiny: str, results: Path, spoilt: str) -> None:
    """A file lies where a folder is needed: that stops root too."""
    path = results / spoilt
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("not a folder")
    is_refused(harness("sweep", tiny, "--runner", "serial"), "RESULTS=")


def test_a_second_sweep(harness: Run, tiny: str, results: Path) -> None:
    with Store(results).lock():
        is_refused(harness("sweep", tiny, "--runner", "serial"), r"process \d+ on .* is running a sweep")
        assert harness("status").code == 0  # reading needs no lock
