"""Memory: garbage is collected seldom; what is freed is used again, and goes back now and then."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from typing import Final, NoReturn

COLLECT_AFTER: Final = 100_000
"""New objects between two collections of the youngest generation."""

GIVE_BACK_S: Final = 30.0

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


async def keep_giving_back() -> NoReturn:
    """Give back now and then, for ever, beside the event loop."""
    while True:
        await asyncio.sleep(GIVE_BACK_S)
        await asyncio.to_thread(give_back)
