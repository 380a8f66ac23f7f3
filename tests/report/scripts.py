"""The page's scripts without a browser, by deno."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.report.page import FILES

DENO = Path(sys.executable).with_name("deno")


def run(script: str, given: Any, cache: Path) -> Any:
    """What a script of this folder prints, given this on standard input. cache: a folder for deno's files."""
    config = ["--quiet", "--no-remote", "--config", FILES / "deno.json"]
    words = [DENO, "run", *config, Path(__file__).with_name(script)]
    environment = {**os.environ, "DENO_DIR": str(cache), "DENO_NO_UPDATE_CHECK": "1"}
    done = subprocess.run(words, input=json.dumps(given), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
