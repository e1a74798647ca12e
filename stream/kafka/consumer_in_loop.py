"""Faust's service around aiokafka's consumer, in the event loop of all the others.

Faust runs it in a thread with a loop of its own. Each fetch then goes from loop to loop four times,
and whichever thread is to go on waits for Python's lock, which the other one holds: with an event
at a time that was half of the latency, and a fifth of the processor time. Heartbeats share the loop
with the answers, which hold it for milliseconds, since large batches are applied in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from faust import Service
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from mode.utils.futures import maybe_async


class ConsumerInLoop(AIOKafkaConsumerThread):  # type: ignore[misc] # Faust is untyped here
    """In the place of the thread; starts, stops and crashes as any service of Faust does."""

    wait_for_shutdown = False
    start = Service.start
    maybe_start = Service.maybe_start
    stop = Service.stop
    crash = Service.crash
    set_shutdown = Service.set_shutdown
    _stopped_set = Service._stopped_set
    _stop_children = Service._stop_children
    _stop_futures = Service._stop_futures
    _stop_exit_stacks = Service._stop_exit_stacks

    def __init__(
        self,
        consumer: Any,  # noqa: ANN401 - Faust's
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(consumer, thread_loop=asyncio.get_running_loop(), **kwargs)

    async def on_stop(self) -> None:
        """Leave the group and close the connections."""
        await self.on_thread_stop()

    async def call_thread(
        self,
        fun: Callable[..., Any],
        *args: Any,  # noqa: ANN401 - Faust's signature
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Do at once what Faust has its thread do."""
        return await maybe_async(fun(*args, **kwargs))
