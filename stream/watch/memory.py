"""Memory: garbage is collected seldom, and what is freed goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from typing import Final, NoReturn

COLLECT_AFTER: Final = 100_000
"""New objects between two collections of the youngest generation."""

GIVE_BACK_S: Final = 30.0

_trim: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""Of glibc alone."""


def calm_garbage_collection() -> None:
    """Collect cycles seldom, and never look at what was there at the start.

    A batch makes tens of thousands of short-lived objects and no cycles; collections started by
    their number cost a sixth of all time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    gc.enable()


def give_back() -> None:
    """Return freed memory to the system.

    Buffers of a batch differ in size and are freed by several threads, and glibc keeps the gaps
    between them: 4 to 12 MiB every 20 s in a worker of 150, at 13,000 events a second.
    """
    if _trim is not None:
        _trim(0)


async def keep_giving_back() -> NoReturn:
    """Give back now and then, for ever, beside the event loop."""
    while True:
        await asyncio.sleep(GIVE_BACK_S)
        await asyncio.to_thread(give_back)
