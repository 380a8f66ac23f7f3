"""The machine that this process runs on: how many of its cores it may use, whether it has a GPU; and how it
keeps its memory."""

from __future__ import annotations

import contextlib
import gc
import math
import os
from collections.abc import Iterator
from pathlib import Path

from harness.common.errors import UserError


def cores(root: Path = Path("/")) -> int:
    """How many processes can compute here at a time, at least 1.

    The cores that this process may run on, or fewer if a container's CPU quota is less: 1.5 cores are 2
    processes, which then use all of the quota. `root`: where proc/ and sys/ are.
    """
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([own, *(math.ceil(quota) for quota in _quotas(root))]))


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Inside its `with`, Python does not look for unreachable objects: where many are made that all stay, it
    would look at all of them again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def check_device(device: str, ray_address: str | None = None) -> None:
    """UserError unless torch can train on the device. On a cluster, that is left to Ray."""
    if device not in ("cpu", "cuda"):
        raise UserError(f"device '{device}': write cpu or cuda")
    if device == "cpu" or ray_address:
        return
    import torch

    if not torch.cuda.is_available():
        raise UserError("device 'cuda': torch sees no CUDA device here; DEVICE=cpu trains without one")


def _quotas(root: Path) -> Iterator[float]:
    """The CPU quotas, in cores, of this process's control groups and of the groups around them."""
    mounts = root / "sys" / "fs" / "cgroup"
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:  # version 2
            for folder in (mounts, mounts / "unified"):
                for at in _upwards(folder, group):
                    yield from _cores(*_read(at / "cpu.max").split()[:2])
        elif "cpu" in controllers.split(","):
            for folder in (mounts / "cpu", mounts / controllers):
                for at in _upwards(folder, group):
                    yield from _cores(_read(at / "cpu.cfs_quota_us"), _read(at / "cpu.cfs_period_us"))


def _upwards(folder: Path, group: str) -> list[Path]:
    """The group's folder and those around it, up to where groups are mounted. In a container the first may
    not exist: `group` can be its path outside."""
    inside = folder / group.strip("/")
    return [inside, *(parent for parent in inside.parents if parent.is_relative_to(folder))]


def _cores(quota: str = "max", period: str = "") -> Iterator[float]:
    """A quota and its period, both in microseconds; `max` or -1: there is no quota."""
    try:
        if int(quota) > 0 and int(period) > 0:
            yield int(quota) / int(period)
    except ValueError:
        pass


def _read(path: Path) -> str:
    """Empty if it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""
