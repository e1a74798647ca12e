"""`GET /livez` and `GET /readyz` of a worker: 200 or 503, and a JSON body that says why."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from aiohttp import web

from stream.health import Health
from tidecast.errors import SettingsError
from tidecast.settings import HealthSettings

log = structlog.get_logger("tidecast.health")


class HealthServer:
    """Answers from the worker's own event loop: that it answers at all is half the verdict."""

    def __init__(self, settings: HealthSettings, health: Callable[[], Health]) -> None:
        self._settings = settings
        self._health = health
        app = web.Application()
        app.add_routes([web.get("/livez", self._livez), web.get("/readyz", self._readyz)])
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> str:
        """Listen, and return the URL. Raises SettingsError for an address that is not free."""
        host, port = self._settings.host, self._settings.port
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise SettingsError(f"cannot listen on health.host {host}: {error}") from error
        name, bound = self._runner.addresses[0][:2]
        url = f"http://[{name}]:{bound}" if ":" in name else f"http://{name}:{bound}"
        log.info("health is told", action="health", url=url)
        return url

    async def stop(self) -> None:
        """Close the port."""
        await self._runner.cleanup()

    async def _livez(self, _request: web.Request) -> web.Response:
        health = self._health()
        return web.json_response({"live": health.live}, status=200 if health.live else 503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        health = self._health()
        partitions = {place: figures._asdict() for place, figures in health.partitions.items()}
        body = {"ready": health.ready, "reasons": health.reasons, "partitions": partitions}
        return web.json_response(body, status=200 if health.ready else 503)
