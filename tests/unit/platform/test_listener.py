"""The platform's port: opened once, and clear about why it cannot be."""

import socket

import pytest
from rushes.platform.listener import listen
from rushes.store.platform_error import PlatformError


def test_port_0_is_any_free_port_and_connections_wait_for_a_server() -> None:
    listener = listen("127.0.0.1", 0)
    assert listener.port > 0
    assert listener.address("http") == f"http://127.0.0.1:{listener.port}"
    with socket.create_connection((listener.host, listener.port)) as client, listener.socket.accept()[0] as server:
        client.sendall(b"x")
        assert server.recv(1) == b"x"
    listener.socket.close()


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("localhost", "localhost")])
def test_a_host_of_every_address_is_reached_at_loopback(host: str, shown: str) -> None:
    listener = listen(host, 0)
    assert listener.address("https") == f"https://{shown}:{listener.port}"
    socket.create_connection((listener.host, listener.port)).close()
    listener.socket.close()


def test_a_port_in_use_names_the_next_one_that_is_free() -> None:
    first = listen("127.0.0.1", 0)
    with pytest.raises(PlatformError) as refused:
        listen("127.0.0.1", first.port)
    words = str(refused.value).split()
    assert words[:5] == ["Port", str(first.port), "is", "in", "use;"]
    assert words[5:7] == ["try", "--port"]
    listen("127.0.0.1", int(words[7])).socket.close()
    first.socket.close()


def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(PlatformError, match=r"^203\.0\.113\.9 is not an address of this machine; try --host 127"):
        listen("203.0.113.9", 0)
