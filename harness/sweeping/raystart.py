"""Starting Ray on this machine, or joining a cluster; whether its control plane is still there; and how the
process that runs it ends."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import AuthenticationError

from harness.common.errors import UserError, reason
from harness.sweeping import scratch, sessions
from harness.sweeping.runner import Machine

GRACE_S = 2.0
"""An error may be the first sign that the control plane has died: it is given this time to show."""
LEAST_ROOM = 1 << 16
"""Bytes: with less room for its temporary files, Ray fails in many ways."""
REACH_S = 10.0
"""Seconds in which a cluster has to answer."""
KEEP_ALIVE = {"TCP_KEEPIDLE": 1, "TCP_KEEPALIVE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2}
"""How a connection finds within three seconds that the other machine is gone; the second is macOS's first."""
TOKENS = "docs/running.md tells how all machines get one token"


def start(machine: Machine, temporary: Path) -> socket.socket:
    """Start Ray on this machine, or join the cluster. Returns a connection to its control plane.

    UserError if that fails, or if there is no device of the kind that a pack needs.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if machine.ray_address is None:
        _start_here(machine, temporary, quiet)
    else:
        _join(machine.ray_address, quiet)
    for name in ("ray.tune", "ray.train"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    needed = "GPU" if machine.device == "cuda" else "CPU"
    if ray.cluster_resources().get(needed, 0) < 1:
        raise UserError(f"the Ray cluster has no {needed}; DEVICE={machine.device} needs one")
    return connect(ray.get_runtime_context().gcs_address)


def attended(
    work: Callable[[], str | None],
    connection: Connection,
    send: Callable[[str, object], None],
    machine: Machine,
    temporary: Path,
) -> None:
    """Start Ray, do the work, and send how it ended to the supervisor. When that is gone, this process goes
    too, with all that it started. connection: to the supervisor."""
    _in_background(lambda: _outlive(connection, temporary))
    try:
        control = start(machine, temporary)
        _in_background(lambda: _end_with(control, send))
        reason = work()
        if machine.ray_address is not None:
            ray.shutdown()
        send("ended", reason)
    except UserError as error:
        send("refused", str(error))
    except Exception:
        time.sleep(GRACE_S)
        if shutil.disk_usage(temporary).free < LEAST_ROOM:
            send("ended", f"no room is left for Ray's temporary files in {temporary.parent}")
        else:
            send("broken", traceback.format_exc())


def _in_background(wait: Callable[[], None]) -> None:
    threading.Thread(target=wait, daemon=True).start()


def _outlive(connection: Connection, temporary: Path) -> None:
    """When the supervisor is gone, killed say, clean up after it, and end."""
    connection.poll(None)  # it sends nothing more: only its end of the connection can close
    sessions.kill(os.getpid())
    scratch.clear(temporary.parent)
    os.killpg(0, signal.SIGKILL)  # itself; and where there is no /proc, what the line before could not find


def _end_with(control: socket.socket, send: Callable[[str, object], None]) -> None:
    """When the control plane is gone, say so, and end: Ray itself would wait for a minute."""
    wait_until_gone(control)
    send("ended", "Ray's control plane died")
    os._exit(1)


def _start_here(machine: Machine, temporary: Path, options: dict[str, Any]) -> None:
    try:
        ray.init(
            **options,
            address="local",  # never a cluster that happens to be running
            include_dashboard=False,
            num_cpus=machine.jobs,
            num_gpus=_gpus() if machine.device == "cuda" else 0,
            object_store_memory=200 * 2**20,
            _temp_dir=str(temporary),
            # torch is loaded while Tune still prepares its trials
            runtime_env={"worker_process_setup_hook": "harness.sweeping.work.ready"},
        )
    except Exception as error:  # of many kinds, but nothing has run
        raise UserError(
            f"Ray cannot be started: {_first_sentence(error)}; RUNNER=serial does without it"
        ) from None


def _join(address: str, options: dict[str, Any]) -> None:
    _reach(address)
    try:
        ray.init(**options, address=address)
    except AuthenticationError:
        raise UserError(
            f"RAY_AUTH_MODE=token, but there is no token in ~/.ray/auth_token; {TOKENS}"
        ) from None
    except Exception as error:
        why = _first_sentence(error)
        if why.startswith("Failed to connect"):  # although somebody listens there
            why += (
                f"; if it asks for a token, this process needs RAY_AUTH_MODE=token and the same one: {TOKENS}"
            )
        raise UserError(f"no Ray cluster to join at {address}: {why}") from None
    if _with_token() and not ray.get(ray.remote(num_cpus=0)(_with_token).remote()):
        raise UserError(
            f"the Ray cluster at {address} asks for no token: set RAY_AUTH_MODE=token there too, or here "
            f"neither; {TOKENS}"
        )


def _with_token() -> bool:
    """Whether this process shows a token, and asks for one: where only one side does, no trial ever runs."""
    return os.environ.get("RAY_AUTH_MODE", "").lower() == "token"


def _first_sentence(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].partition(". ")[0].rstrip(".")


def _gpus() -> int:
    import torch  # late: a sweep on the CPU does without it here

    return torch.cuda.device_count()


def _reach(address: str) -> None:
    """UserError at once if nothing listens at host:port; Ray itself would try for minutes."""
    if not address.rpartition(":")[2].isdigit():
        return  # `auto`, or a form that Ray knows
    try:
        connect(address.removeprefix("ray://")).close()
    except (OSError, OverflowError, UnicodeError) as error:
        why = reason(error) if isinstance(error, OSError) else error
        raise UserError(f"no Ray cluster to join at {address}: {why}") from None


def connect(address: str) -> socket.socket:
    """A connection to host:port; an IPv6 host is in brackets. OSError if nobody listens there."""
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S)


def wait_until_gone(control: socket.socket) -> None:
    """Return when nobody listens at the other end any more: what listened has died, or its machine has."""
    try:
        peer = control.getpeername()[:2]
        while True:
            _wait_for_the_end(control)
            time.sleep(0.1)
            control = socket.create_connection(peer, timeout=1)  # gRPC hangs up on those who say nothing
    except OSError:
        return


def _wait_for_the_end(control: socket.socket) -> None:
    """Read, and forget, what comes until the other end hangs up or no longer answers; then close."""
    for option, value in KEEP_ALIVE.items():
        if hasattr(socket, option):
            control.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    control.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    control.settimeout(None)
    with control, contextlib.suppress(OSError):
        while control.recv(4096):
            pass
