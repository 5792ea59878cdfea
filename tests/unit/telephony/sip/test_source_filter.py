from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from telephony.sip.source_filter import ListenerFilter


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server


def connect(listener: socket.socket, source: str) -> None:
    address = ("127.0.0.1", listener.getsockname()[1])
    socket.create_connection(address, timeout=0.3, source_address=(source, 0)).close()


def test_only_the_given_networks_can_connect(listener: socket.socket) -> None:
    networks = [IPv4Network("10.0.0.0/8"), IPv4Network("127.0.0.16/28")]
    ListenerFilter(listener.getsockname()[1], networks)
    connect(listener, "127.0.0.17")
    for stranger in ("127.0.0.1", "127.0.0.32"):
        with pytest.raises(TimeoutError):
            connect(listener, stranger)


def test_no_networks_let_nobody_in(listener: socket.socket) -> None:
    ListenerFilter(listener.getsockname()[1], [])
    with pytest.raises(TimeoutError):
        connect(listener, "127.0.0.1")


def test_a_shut_listener_lets_nobody_in_until_it_admits_again(listener: socket.socket) -> None:
    gate = ListenerFilter(listener.getsockname()[1], [IPv4Network("127.0.0.0/8")])
    gate.shut_out()
    with pytest.raises(TimeoutError):
        connect(listener, "127.0.0.1")
    gate.admit()
    connect(listener, "127.0.0.1")


def test_a_port_that_nobody_listens_on_is_an_error() -> None:
    with pytest.raises(OSError, match="nothing listens on TCP port 1 "):
        ListenerFilter(1, [])


def test_more_networks_than_the_kernel_takes_are_an_error(listener: socket.socket) -> None:
    networks = list(IPv4Network("10.0.0.0/8").subnets(new_prefix=20))
    with pytest.raises(OSError, match="4096 networks are too many"):
        ListenerFilter(listener.getsockname()[1], networks)
