"""C code of this package as a library, compiled when it is first needed: by the machine's compiler, for the
machine. It is kept in the cache, for each processor, compiler and version of the code.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.common import places
from harness.common.files import write_whole

SWITCH = "HARNESS_COMPILED"
"""An environment variable; 0: nothing is compiled, and nothing that was compiled is used."""
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-fPIC", "-shared")
"""None of those that change what is computed, as -ffast-math would."""
OPTIONAL = ("-fopenmp",)
"""Left out where the compiler has none of it: then one thread does it all."""
PATIENCE_S = 300


def library(source: Path, **names: str) -> ctypes.CDLL | None:
    """The library made from a C file. None: the machine has no compiler for it, or SWITCH is 0.

    names: what the code leaves open, as for the compiler's -D.
    """
    compiler = shutil.which(os.environ.get("CC") or "cc")
    if compiler is None or os.environ.get(SWITCH) == "0":
        return None
    flags = [*FLAGS, *(f"-D{name}={value}" for name, value in names.items())]
    about = [
        source.read_text("utf-8"),
        *flags,
        compiler,
        str(Path(compiler).stat().st_mtime_ns),
        _processor(),
    ]
    digest = hashlib.sha256("\0".join(about).encode()).hexdigest()[:16]
    kept = places.data() / "cache" / f"{source.stem}-{digest}.so"
    return _loaded(kept) or _made(source, [compiler, *flags], kept)


def _loaded(path: Path) -> ctypes.CDLL | None:
    """None: it is not there, is damaged, or lies where nothing may be executed."""
    try:
        return ctypes.CDLL(str(path.absolute())) if path.is_file() else None
    except OSError:
        return None


def _made(source: Path, command: list[str], kept: Path) -> ctypes.CDLL | None:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / kept.name
        for optional in (OPTIONAL, ()):
            whole = [*command, *optional, "-o", str(made), str(source), "-lm"]
            try:
                if subprocess.run(whole, capture_output=True, timeout=PATIENCE_S).returncode == 0:
                    break
            except (OSError, subprocess.TimeoutExpired):
                return None
        else:
            return None
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, lambda path: shutil.copyfile(made, path))
        except OSError:  # a read-only or full disk costs time, not the run
            return _loaded(made)
        return _loaded(kept) or _loaded(made)


def _processor() -> str:
    """What the machine's processor can do: a cache may be shared by several machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
