from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.common.places import CHECKOUT
from harness.sweeping import scratch

HOLD = """
import sys
from pathlib import Path
from harness.sweeping import scratch
with scratch.folder(Path(sys.argv[1])) as made:
    (made / "file").write_text("")
    print(made, flush=True)
    sys.stdin.read()
"""


def test_it_goes_at_the_end(tmp_path: Path) -> None:
    with scratch.folder(tmp_path) as made:
        (made / "inside").mkdir()
        assert made.parent == tmp_path
        assert made.stat().st_mode & 0o077 == 0
    assert not list(tmp_path.iterdir())


def test_what_a_killed_sweep_left_goes_when_the_next_begins(tmp_path: Path) -> None:
    """And what a sweep still uses stays."""
    with holder(tmp_path) as first, holder(tmp_path) as second:
        killed, used = folder_of(first), folder_of(second)
        first.kill()
        first.wait()
        assert (killed / "file").exists()
        with scratch.folder(tmp_path) as made:
            assert not killed.exists()
            assert (used / "file").exists()
            assert made.is_dir()
        second.communicate("")
    assert not list(tmp_path.iterdir())


def holder(parent: Path) -> subprocess.Popen:
    """A process that uses a folder until its input ends."""
    words = [sys.executable, "-c", HOLD, str(parent)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)


def folder_of(process: subprocess.Popen) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_a_folder_that_could_not_be_deleted_goes_when_the_next_sweep_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda *path, **options: None)
        with scratch.folder(tmp_path):
            pass
    assert len(list(tmp_path.iterdir())) == 2  # it and its lock
    scratch.clear(tmp_path)
    assert not list(tmp_path.iterdir())


def test_files_of_others_stay(tmp_path: Path) -> None:
    mine = tmp_path / "harness-results"
    mine.mkdir()
    scratch.clear(tmp_path)
    assert mine.is_dir()
