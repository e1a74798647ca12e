from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
import warnings
from collections.abc import Iterator

import pytest

from bench.faults.proxy import TcpProxy
from tests.waiting import wait_until
from tidecast.local.ports import HOST, free_port

SILENCE_S = 0.2
CUTS = 50
COMERS = 5


class Echo:
    """A server that answers every message with its name and the message."""

    def __init__(self, name: bytes) -> None:
        self.received: list[bytes] = []
        self._name = name
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1024):
                self.received.append(data)
                connection.sendall(self._name + data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo(b"a:")
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[TcpProxy]:
    with TcpProxy(free_port(), echo.port) as running:
        yield running


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with connect(proxy) as connection:
        assert ask(connection, b"0") == b"a:0"
        yield connection


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), timeout=5)


def ask(connection: socket.socket, message: bytes) -> bytes:
    connection.sendall(message)
    return connection.recv(1024)


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(SILENCE_S)
    try:
        connection.recv(1024)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


def test_a_delay_postpones_both_directions(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay(0.15)
    begun = time.monotonic()
    assert ask(client, b"1") == b"a:1"
    assert time.monotonic() - begun >= 0.3
    proxy.delay(0)
    assert ask(client, b"2") == b"a:2"


def test_dropped_replies_vanish_though_the_requests_arrive(
    proxy: TcpProxy, echo: Echo, client: socket.socket
) -> None:
    proxy.drop_replies()
    client.sendall(b"1")
    wait_until(lambda: b"1" in echo.received, 5, "the request has arrived")
    assert is_silent(client)
    proxy.heal()
    with pytest.raises(ConnectionResetError):
        client.recv(1024)
    with connect(proxy) as fresh:
        assert ask(fresh, b"2") == b"a:2"


def test_what_is_held_goes_on_when_healed(proxy: TcpProxy, echo: Echo) -> None:
    with connect(proxy) as client:
        proxy.hold()
        client.sendall(b"1")
        assert is_silent(client)
        assert echo.received == []
        proxy.heal()
        assert client.recv(1024) == b"a:1"


def test_a_half_open_connection_is_mute_for_ever_and_a_new_one_works(
    proxy: TcpProxy, client: socket.socket
) -> None:
    proxy.half_open()
    client.sendall(b"1")
    assert is_silent(client)
    with connect(proxy) as fresh:
        assert ask(fresh, b"2") == b"a:2"
    proxy.heal()
    assert is_silent(client)


def test_a_reset_is_a_reset(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1024)
    with connect(proxy) as fresh:
        assert ask(fresh, b"1") == b"a:1"


def test_a_cut_closes_and_refuses_until_healed(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.cut()
    assert client.recv(1024) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.heal()
    with connect(proxy) as fresh:
        assert ask(fresh, b"1") == b"a:1"


def test_a_switched_proxy_leads_to_the_other_server(proxy: TcpProxy, client: socket.socket) -> None:
    other = Echo(b"b:")
    proxy.switch(other.port)
    with pytest.raises(ConnectionResetError):
        client.recv(1024)
    with connect(proxy) as fresh:
        assert ask(fresh, b"1") == b"b:1"
    other.close()


def test_a_server_that_is_down_closes_the_connection(proxy: TcpProxy, echo: Echo) -> None:
    proxy.switch(free_port())
    with connect(proxy) as client:
        assert client.recv(1024) == b""


def test_connections_that_come_as_it_is_cut_are_closed(proxy: TcpProxy) -> None:
    """asyncio would leave them to the garbage collector, which says so."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(CUTS):
            comers = [come(proxy) for _ in range(COMERS)]
            proxy.cut()
            for comer in comers:
                comer.close()
            proxy.heal()
        gc.collect()
    assert not [str(warning.message) for warning in caught]


def come(proxy: TcpProxy) -> socket.socket:
    """A connection that nobody has waited for yet."""
    comer = socket.socket()
    comer.setblocking(False)
    comer.connect_ex((HOST, proxy.port))
    return comer
