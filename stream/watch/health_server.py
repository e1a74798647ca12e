"""`GET /livez` and `GET /readyz` of a worker: 200 or 503, and a JSON body that says why."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Callable
from typing import Final

import structlog
from aiohttp import web

from stream.watch.health import Health
from tidecast.errors import SettingsError
from tidecast.settings import HealthSettings

RETRY_S: Final = 1.0
"""Pause between two tries to take over a predecessor's port."""

log = structlog.get_logger("tidecast.health")


class HealthServer:
    """Answers from the worker's own event loop: that it answers at all is half the verdict."""

    def __init__(
        self, settings: HealthSettings, health: Callable[[], Health], successor: bool = False
    ) -> None:
        """`successor`: a port that is taken is waited for, since its holder is about to leave."""
        self._settings = settings
        self._health = health
        self._successor = successor
        self._waiting: asyncio.Task[None] | None = None
        app = web.Application()
        app.add_routes([web.get("/livez", self._livez), web.get("/readyz", self._readyz)])
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen; the log says where. Raises SettingsError for an address that is not free."""
        await self._runner.setup()
        try:
            await self._listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not self._successor:
                await self._runner.cleanup()
                host = self._settings.host
                raise SettingsError(f"cannot listen on health.host {host}: {error}") from error
            self._waiting = asyncio.create_task(self._take_over(), name="take over the port")

    async def stop(self) -> None:
        """Close the port."""
        if self._waiting is not None:
            self._waiting.cancel()
        await self._runner.cleanup()

    @property
    def url(self) -> str | None:
        """Where it answers; None while it does not."""
        if not self._runner.addresses:
            return None
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _listen(self) -> None:
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        log.info("health is told", action="health", url=self.url)

    async def _take_over(self) -> None:
        while self.url is None:
            await asyncio.sleep(RETRY_S)
            with contextlib.suppress(OSError):
                await self._listen()

    async def _livez(self, _request: web.Request) -> web.Response:
        health = self._health()
        return web.json_response({"live": health.live}, status=200 if health.live else 503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        health = self._health()
        partitions = {place: figures._asdict() for place, figures in health.partitions.items()}
        body = {"ready": health.ready, "reasons": health.reasons, "partitions": partitions}
        return web.json_response(body, status=200 if health.ready else 503)
