"""A TCP proxy that misbehaves on request: what a network, or a machine at its other end, can do.

It runs on an event loop in a thread of its own; its methods may be called from any other thread
and return when the fault is in force.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Any, Final, Self

from tidecast.local.ports import HOST

CHUNK: Final = 64 * 1024
QUEUED: Final = 64
"""Chunks on their way through a delayed direction: four megabytes, more than any client sends."""
TURNS_TO_HANDLER: Final = 5
"""Turns of asyncio's event loop, and a spare one, from accepting a connection to its handler."""
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST in place of FIN."""


class Mode(Enum):
    """What becomes of the bytes."""

    FORWARD = auto()
    HOLD = auto()
    """Nothing moves; on `heal` everything goes on, as after a broken cable."""
    DROP_REPLIES = auto()
    """Requests arrive, replies vanish."""
    CUT = auto()
    """Connections are closed, new ones refused."""


class _Connection:
    """One client and its server, with two directions."""

    def __init__(self, proxy: TcpProxy, client: asyncio.StreamWriter) -> None:
        self.proxy = proxy
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.mute = False
        """For ever, as when the other end is gone without a word."""
        self.lost_replies = False

    async def run(self, reader: asyncio.StreamReader) -> None:
        try:
            from_server, self.server = await asyncio.open_connection(HOST, self.proxy.target)
        except OSError:
            return
        async with asyncio.TaskGroup() as directions:
            directions.create_task(self._move(reader, self.server, replies=False))
            directions.create_task(self._move(from_server, self.client, replies=True))

    async def _move(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, replies: bool
    ) -> None:
        """Read and write side by side, so that a delay costs time but no throughput."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(source, queue))
            tasks.create_task(self._write(queue, sink, replies=replies))

    async def _read(
        self, source: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        clock = asyncio.get_running_loop().time
        data = b"-"
        while data:
            try:
                data = await source.read(CHUNK)
            except OSError:
                data = b""
            await queue.put((clock() + self.proxy.delay_s, data))

    async def _write(
        self,
        queue: asyncio.Queue[tuple[float, bytes]],
        sink: asyncio.StreamWriter,
        *,
        replies: bool,
    ) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, data = await queue.get()
            if due > clock():
                await asyncio.sleep(due - clock())
            await self.proxy.moving.wait()
            if self.mute:
                await asyncio.get_running_loop().create_future()
            if replies and data and self.proxy.mode is Mode.DROP_REPLIES:
                self.lost_replies = True
                continue
            if not data:
                self.close()
                return
            sink.write(data)
            with contextlib.suppress(OSError):
                await sink.drain()

    def close(self, *, reset: bool = False) -> None:
        for writer in (self.client, self.server):
            if writer is None:
                continue
            if reset:
                raw = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                writer.transport.abort()
            else:
                writer.close()


class TcpProxy:
    """Forwards `port` to `target`, both on the loopback address, until told otherwise.

    with TcpProxy(port, target) as proxy:
        proxy.cut()
        proxy.heal()
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self.mode = Mode.FORWARD
        self.delay_s = 0.0
        self.moving = asyncio.Event()
        self._connections: dict[asyncio.Task[Any], _Connection] = {}
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy {port}")

    def delay(self, seconds: float) -> None:
        """Every chunk arrives so much later, in both directions; zero ends it."""
        self._do(self._delay(seconds))

    def drop_replies(self) -> None:
        """Requests arrive, replies vanish."""
        self._do(self._enter(Mode.DROP_REPLIES))

    def hold(self) -> None:
        """Nothing moves in either direction until `heal`; then everything goes on."""
        self._do(self._enter(Mode.HOLD))

    def half_open(self) -> None:
        """Today's connections stay open and mute for ever; new ones work."""
        self._do(self._half_open())

    def reset(self) -> None:
        """Reset today's connections (RST); new ones work."""
        self._do(self._close_all(reset=True))

    def cut(self) -> None:
        """Close today's connections and refuse new ones until `heal`."""
        self._do(self._enter(Mode.CUT))

    def heal(self) -> None:
        """Forward again. A connection that lost replies is reset: its stream has a hole."""
        self._do(self._enter(Mode.FORWARD))

    def switch(self, target: int) -> None:
        """Send new connections to another port; today's are reset, as in a fail-over."""
        self._do(self._switch(target))

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._enter(Mode.FORWARD))
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, action: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result()

    async def _enter(self, mode: Mode) -> None:
        self.mode = mode
        if mode is Mode.CUT:
            await self._stop_listening()
            await self._close_all(reset=False)
        else:
            await self._listen()
        if mode is Mode.FORWARD:
            for connection in list(self._connections.values()):
                if connection.lost_replies:
                    connection.close(reset=True)
        if mode is Mode.HOLD:
            self.moving.clear()
        else:
            self.moving.set()

    async def _delay(self, seconds: float) -> None:
        self.delay_s = seconds

    async def _half_open(self) -> None:
        for connection in self._connections.values():
            connection.mute = True

    async def _switch(self, target: int) -> None:
        self.target = target
        await self._close_all(reset=True)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self.port)

    async def _stop_listening(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        # asyncio leaves a connection open, and to the garbage collector, which was accepted and has
        # not come as far as its handler when the server is closed.
        for listener in server.sockets:
            self._loop.remove_reader(listener.fileno())
        for _ in range(TURNS_TO_HANDLER):
            await asyncio.sleep(0)
        server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = self._connections[task] = _Connection(self, writer)
        try:
            if self.mode is not Mode.CUT:
                await connection.run(reader)
        except asyncio.CancelledError:
            # The end of this proxy; Python 3.11 logs a handler that ends cancelled as an error.
            connection.close(reset=True)
        finally:
            connection.close()
            del self._connections[task]

    async def _close_all(self, *, reset: bool) -> None:
        """Close every connection and wait until its tasks have ended."""
        tasks = list(self._connections)
        for task in tasks:
            self._connections[task].close(reset=reset)
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _stop(self) -> None:
        await self._stop_listening()
        await self._close_all(reset=True)
