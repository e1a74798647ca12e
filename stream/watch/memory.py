"""Memory: garbage is collected seldom; what is freed is used again, and goes back in the end."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import time
from typing import Final, NoReturn

import psutil

COLLECT_AFTER: Final = 100_000
"""New objects between two collections of the youngest generation."""

LOOK_S: Final = 30.0
"""Pause between two looks at how much memory there is."""
GROWN_BYTES: Final = 64 * 1024 * 1024
"""What a worker may grow by before its free memory is given back, load or no load."""
IDLE: Final = 0.05
"""Share of a core below which nobody waits for an answer while memory is given back."""

BUFFER_BYTES: Final = 32 * 1024 * 1024
"""Most bytes of a buffer that is kept when it is freed; glibc takes no more."""
KEPT_BYTES: Final = 128 * 1024 * 1024
"""Most bytes kept at the end of the heap."""
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of options in glibc's malloc.h."""

_libc: Final = ctypes.CDLL(None)
"""Where it is glibc it can be told what to do."""


def calm_garbage_collection() -> None:
    """Collect cycles seldom, and never look at what was there at the start.

    A batch makes tens of thousands of short-lived objects and no cycles; collections started by
    their number cost a sixth of all time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    gc.enable()


def reuse_buffers() -> None:
    """Keep the memory of a batch for the next one, where glibc would give it back at once.

    The system hands out a page at the first touch of it, and clears it: that was half of what it
    took to send a megabyte.
    """
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(MMAP_THRESHOLD, BUFFER_BYTES)
        _libc.mallopt(TRIM_THRESHOLD, KEPT_BYTES)


def give_back() -> None:
    """Return freed memory to the system.

    Buffers of a batch differ in size and are freed by several threads, and glibc keeps the gaps
    between them: 4 to 12 MiB every 20 s in a worker of 150, at 13,000 events a second.
    """
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


class FreeMemory:
    """When freed memory is to be given back.

    What a busy worker gives back it asks for again with the next batches, page by page: at 20,000
    events/s forecasts then waited for a tenth of a second. So it gives back when it is idle, and
    otherwise only what it has grown by since a load was new.
    """

    def __init__(self) -> None:
        self._most: int | None = None
        """Bytes held that are not too many; None until the next look."""

    def due(self, held: int, busy: float) -> bool:
        """Whether to give back now. held: bytes. busy: share of a core since the last look."""
        if busy < IDLE:
            self._most = None
            return True
        if self._most is None:
            self._most = held + GROWN_BYTES
        if held <= self._most:
            return False
        self._most = None
        return True


async def keep_giving_back() -> NoReturn:
    """Give back when it is due, for ever, beside the event loop."""
    free, process = FreeMemory(), psutil.Process()
    while True:
        busy_s = time.process_time()
        await asyncio.sleep(LOOK_S)
        busy = (time.process_time() - busy_s) / LOOK_S
        if free.due(process.memory_info().rss, busy):
            await asyncio.to_thread(give_back)
