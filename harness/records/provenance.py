"""Where a record comes from: versions, commit, machine, device, threads, time. None: not certain."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.common import VERSION, plugins
from harness.common.places import CHECKOUT
from harness.common.registry import Registry
from harness.methods import METHODS
from harness.problems import PROBLEMS, datasets
from harness.problems.datasets import DATASETS
from harness.problems.networks import NETWORKS

_PACKAGES = ("torch", "ray", "numpy", "pyarrow", "matplotlib", "pillow")
VERSIONS = ("harness", "python", *_PACKAGES)
"""In the order in which they are listed."""
_SETTINGS = (
    *("ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA"),
    *("CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "HARNESS_FUSED"),
)
"""Variables of the environment that choose another arithmetic, as another processor would."""


@lru_cache
def of_code() -> dict[str, Any]:
    """Versions of this project and its packages, Python, and the git commit ('+': a file under version
    control is changed, or there is code that is not under it)."""
    return {
        "harness": VERSION,
        "python": platform.python_version(),
        **{name: version_of(name) for name in _PACKAGES},
        "commit": _commit(),
    }


def of_run(device: str, pack_size: int) -> dict[str, Any]:
    """The process that trains: device (with what the environment says of its arithmetic), threads, code."""
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else _processor()
    settings = [f"{variable}={os.environ[variable]}" for variable in _SETTINGS if os.environ.get(variable)]
    return {
        "device": f"{device.split(':')[0]} ({', '.join([name, *settings])})",
        "threads": torch.get_num_threads(),
        "pack_size": pack_size,
        "versions": of_code(),
    }


def of_cell(cell: Cell, data: str | None) -> dict[str, Any]:
    """What a cell is made of: the digest of its data, and those of the sources of plug-ins. data: None: it
    reads none."""
    return ({"dataset_sha256": data} if data else {}) | (
        {"plugins": sources} if (sources := sources_of(cell)) else {}
    )


@dataclass(frozen=True, kw_only=True)
class Part:
    """A method, problem, network or data set of a cell."""

    kind: str
    name: str
    module: str
    """What brought it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def others(cell: Cell) -> tuple[Part, ...]:
    """The parts of a cell that are not harness's own."""
    of = cell.protocol
    return _others(cell.method, of.problem, of.network, of.dataset_name)


@lru_cache(maxsize=4096)  # a command asks for it once for each record
def _others(method: str, problem: str, network: str, dataset: str | None) -> tuple[Part, ...]:
    named: list[tuple[Registry[Any], str | None]] = [
        (METHODS, method),
        (PROBLEMS, problem),
        (NETWORKS, network),
        (DATASETS, dataset),
    ]
    parts = [
        Part(kind=known.kind, name=one, module=known.module(one)) for known, one in named if one is not None
    ]
    return tuple(part for part in parts if not plugins.is_ours(part.module))


plugins.when_forgotten(lambda _: _others.cache_clear())


def sources_of(cell: Cell) -> dict[str, str]:
    """The digest of the source of each part of a cell that is not harness's own: `{"method sign":
    "3f2a..."}`. One that has no source, as in a notebook, is left out."""
    digests = {str(part): plugins.digest(part.module) for part in others(cell)}
    return {part: digest for part, digest in digests.items() if digest is not None}


def changed(cell: Cell, origin: Mapping[str, Any]) -> list[str]:
    """The parts of a cell whose source is another one now than that with which a record was made, as its
    provenance `origin` has it; and its images, if they are a user's own and this process has loaded them."""
    made_with = origin.get("plugins") or {}
    parts = [part for part, digest in sources_of(cell).items() if made_with.get(part) != digest]
    images = _images(cell)
    if images is not None and origin.get("dataset_sha256") not in (None, images):
        parts.append(f"the images of data set {cell.protocol.dataset_name}")
    return parts


def can_change(cell: Cell) -> bool:
    """Whether there is anything that `changed` may name, whatever a record of the cell was made with. It is
    the same for all cells of a protocol and method."""
    return bool(sources_of(cell)) or _images(cell) is not None


def _images(cell: Cell) -> str | None:
    """The digest of its images, if they are a user's own and this process has loaded them."""
    name = cell.protocol.dataset_name
    return datasets.digest_if_loaded(name) if name is not None else None


def now(wall_seconds: float) -> dict[str, Any]:
    """The end of a run."""
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return {"wall_seconds": round(wall_seconds, 6), "finished": finished}


def version_of(package: str) -> str | None:
    """The version of an installed package; None: not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """None unless the checkout is a repository of its own that holds this code: an installed package or an
    unpacked archive has no commit, even inside somebody else's repository."""
    if CHECKOUT is None:
        return None
    try:
        _git("cat-file", "-e", f"HEAD:{Path(__file__).resolve().relative_to(CHECKOUT).as_posix()}")
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--ignore-submodules")
        unknown = _git("ls-files", "--others", "--exclude-standard", "--", "harness/*.py", "plots/*.py")
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return commit.decode("ascii") + ("+" if changed or unknown else "")


def _git(*words: str) -> bytes:
    """What git says about the checkout, and about no other repository: neither one around it nor one that
    the environment names, as in a hook. It writes nothing. Raises OSError or SubprocessError."""
    where = (f"--git-dir={CHECKOUT}/.git", f"--work-tree={CHECKOUT}", "--no-optional-locks")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", *where, *words],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=10,
    ).stdout.strip()


@lru_cache
def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
