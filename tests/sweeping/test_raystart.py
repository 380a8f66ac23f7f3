"""The watch over Ray's control plane, with a plain server in its place; what is refused before Ray starts."""

from __future__ import annotations

import socket
import threading

import pytest

from harness.common.errors import UserError
from harness.sweeping import raystart


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
