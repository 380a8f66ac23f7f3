"""The watch over Ray's control plane, with a plain server in its place; what is refused before Ray starts."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.exceptions import AuthenticationError

from harness.common.errors import UserError
from harness.sweeping import raystart
from harness.sweeping.runner import Machine


@pytest.fixture
def server() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def address(server: socket.socket) -> str:
    host, port = server.getsockname()
    return f"{host}:{port}"


def test_a_server_that_talks_and_hangs_up_is_there_until_it_no_longer_listens(server: socket.socket) -> None:
    control = raystart.connect(address(server))
    first, _ = server.accept()
    watch = threading.Thread(target=raystart.wait_until_gone, args=[control], daemon=True)
    watch.start()
    first.sendall(b"settings")  # as gRPC does at once
    first.close()  # and after two minutes
    second, _ = server.accept()  # the watch is back
    assert watch.is_alive()
    server.settimeout(0.3)
    with pytest.raises(TimeoutError):
        server.accept()  # it does not come again as long as the connection stands
    server.close()
    second.close()
    watch.join(10)
    assert not watch.is_alive()


def test_an_address_of_the_newer_kind_is_understood() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        raystart.connect(f"[::1]:{server.getsockname()[1]}").close()


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("[::1]:1", "Connection refused"),
        ("127.0.0.1:99999", "(Connection refused|0-65535)"),
        ("a..b:6379", "label"),
    ],
)
def test_where_nobody_listens_the_answer_comes_at_once(written: str, reason: str) -> None:
    with pytest.raises(UserError, match=rf"no Ray cluster to join at .*{reason}"):
        raystart._reach(written)


def refusing(error: Exception):
    def init(**options: object) -> None:
        raise error

    return init


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            AuthenticationError("no token"),
            "RAY_AUTH_MODE=token, but there is ",
        ),
        (
            ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379\nmore"),
            "Failed to connect to Ray cluster at 10.0.0.1:6379; if it asks for a token, this process needs ",
        ),
        (
            ConnectionError("Could not find any running Ray instance. Please"),
            "Could not find any running Ray instance",
        ),
    ],
    ids=["no token", "another token", "no cluster"],
)
def test_a_cluster_that_does_not_let_us_in(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raystart.ray, "init", refusing(error))
    with pytest.raises(UserError) as refused:
        raystart._join("auto", {})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("here", "there", "joins"), [("token", False, False), ("token", True, True), ("", False, True)]
)
def test_a_token_is_shown_by_all_or_by_nobody(
    here: str, there: bool, joins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only this process has one, no trial would ever run."""
    monkeypatch.setenv("RAY_AUTH_MODE", here)
    monkeypatch.setattr(raystart.ray, "init", lambda **options: None)
    monkeypatch.setattr(raystart.ray, "get", lambda asked: there)
    monkeypatch.setattr(
        raystart.ray, "remote", lambda **needs: lambda function: SimpleNamespace(remote=function)
    )
    if joins:
        raystart._join("auto", {})
    else:
        with pytest.raises(UserError, match="asks for no token"):
            raystart._join("auto", {})


def test_a_ray_that_does_not_start_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raystart.ray, "init", refusing(RuntimeError("It is late. Good night.\nmore")))
    with pytest.raises(
        UserError, match=r"^Ray cannot be started: It is late; RUNNER=serial does without it$"
    ):
        raystart._start_here(Machine(device="cpu", jobs=1), Path("/tmp"), {})
