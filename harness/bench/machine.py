"""What the bench ran on, in words and numbers."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch

from harness.common.machine import cores
from harness.records import provenance

PACKAGES = ("learn2learn", "higher", "torchopt")


def facts(device: str) -> dict[str, Any]:
    """The processor or GPU, cores, memory (GiB) and operating system."""
    about = {
        "device": provenance.of_run(device, pack_size=1)["device"],
        "processor": provenance.of_run("cpu", pack_size=1)["device"],
        "vector_unit": torch.backends.cpu.get_cpu_capability(),
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": _system(),
    }
    if device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(device)
        about["gpu_memory_gib"] = round(properties.total_memory / 2**30, 1)
    return about


def versions() -> dict[str, str | None]:
    """Of this project, the packages it needs, and the peers; None: not installed."""
    return {**provenance.of_code(), **{name: provenance.version_of(name) for name in PACKAGES}}


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.platform(terse=True)
    return f"{name}, {platform.machine()}"
