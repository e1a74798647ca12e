"""What a worker knows of an outage of its store: since when, and whether forecasts may go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

RETRY_S: Final = 0.5
"""Pause between two looks while the store is away."""

log = structlog.get_logger("tidecast.store")


class StoreOutage:
    """Forecasts go on from memory for `limit_s`; then they are held until the store is back."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """How long the store has been away; 0 while it answers."""
        return 0.0 if self._since is None else self._clock() - self._since

    def begins(self, error: Exception) -> None:
        """A call failed."""
        if self._since is None:
            self._since = self._clock()
            log.error(
                "checkpoints have stopped",
                action="store_down",
                error=str(error),
                forecasts_go_on_s=self.limit_s,
            )

    def ends(self) -> None:
        """A call went well."""
        if self._since is not None:
            log.info("checkpoints go on", action="store_up", seconds=round(self.seconds, 1))
            self._since = None

    async def hold(self) -> None:
        """Return once forecasts may be made."""
        while self.seconds > self.limit_s:
            await asyncio.sleep(RETRY_S)
