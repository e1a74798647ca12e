"""The timer of quiet series: the only clock in the worker that decides what is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

TICK_S: Final = 10.0
"""Longest wait: a partition taken over in the middle of a long slot need not wait for its end."""


class StaleTimer:
    """Asks for the forecasts of quiet series again and again; nothing is done twice in a slot."""

    def __init__(
        self,
        step_seconds: int,
        forecast: Callable[[int], Awaitable[None]],
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """forecast: given the time in milliseconds since 1970, forecasts what is quiet by then."""
        self._step_s = step_seconds
        self._forecast = forecast
        self._clock = clock
        self._pause = pause

    async def run(self) -> None:
        """At the start of each slot, and every TICK_S; for ever. Raises what `forecast` raises."""
        while True:
            now_s = self._clock()
            await self._pause(min(self._step_s - now_s % self._step_s, TICK_S))
            await self._forecast(int(self._clock() * 1000))
