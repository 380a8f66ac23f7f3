"""Cores: those this process may run on, or what a container's quota leaves of them."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from harness.common import machine

V1 = "12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n"


def cores(root: Path, cgroup: str, **files: str) -> int:
    """With these files, path -> text, under `root`."""
    for path, text in {"proc/self/cgroup": cgroup, **files}.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return machine.cores(root)


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("max 100000\n", 8),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),  # one process alone would leave half a core
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("6400000 100000\n", 8),
        ("200000\n", 8),
        ("200000 0\n", 8),
        ("-1 100000\n", 8),
        ("what\n", 8),
        ("", 8),
    ],
)
def test_the_quota_of_a_container(tmp_path: Path, limit: str, expected: int) -> None:
    group = "sys/fs/cgroup"
    assert cores(tmp_path / "v2", "0::/\n", **{f"{group}/cpu.max": limit}) == expected
    quota, *period = limit.split() or [""]
    v1 = {
        f"{group}/cpu,cpuacct/cpu.cfs_quota_us": quota.replace("max", "-1"),
        f"{group}/cpu,cpuacct/cpu.cfs_period_us": "".join(period),
    }
    assert cores(tmp_path / "v1", V1, **v1) == expected


def test_the_smallest_quota_of_nested_groups_counts(tmp_path: Path) -> None:
    group = "sys/fs/cgroup"
    nested = {
        f"{group}/cpu.max": "max 100000",
        f"{group}/user.slice/cpu.max": "300000 100000",
        f"{group}/user.slice/a.scope/cpu.max": "600000 100000",
        f"{group}/other.slice/cpu.max": "100000 100000",
    }
    assert cores(tmp_path, "0::/user.slice/a.scope\n", **nested) == 3
    hybrid = {f"{group}/unified/user.slice/cpu.max": "200000 100000"}
    assert cores(tmp_path, V1 + "0::/user.slice/a.scope\n", **nested, **hybrid) == 2


def test_a_machine_without_groups_or_proc(tmp_path: Path) -> None:
    assert machine.cores(tmp_path) == 8
    (tmp_path / "proc" / "self" / "cgroup").mkdir(parents=True)
    assert machine.cores(tmp_path) == 8


def test_fewer_cores_than_the_quota(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    assert cores(tmp_path, "0::/\n", **{"sys/fs/cgroup/cpu.max": "400000 100000"}) == 1


def test_undisturbed() -> None:
    with machine.undisturbed():
        assert not gc.isenabled()
        with machine.undisturbed():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
