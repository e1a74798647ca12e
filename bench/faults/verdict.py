"""What a repeat came to."""

from __future__ import annotations

from typing import Final

import msgspec

COUNTS: Final = ("lost", "wrong", "duplicates_read", "out_of_order", "windows_wrong")
"""What must be zero, whatever the fault."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over one stream from its first offset to its last.

    events: on the events topic. lost: neither forecast nor rejected though it must be. wrong:
    forecasts and rejections that must not be there, or not so. duplicates_raw: repeats on the
    topic. duplicates_read: repeats that a `Subscriber` would hand on. out_of_order: first answers
    that come after a later event's of their series. rejected: as it must be. windows_wrong:
    series whose row in Redis is not what the log makes it. `example` shows the first trouble.
    """

    events: int
    lost: int
    wrong: int
    duplicates_raw: int
    duplicates_read: int
    out_of_order: int
    rejected: int
    windows_wrong: int
    example: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One repeat of one fault.

    outage_s: the longest time in which an event waited and no forecast of its partition was
    appended. catch_up_s: from the end of the fault until the lag is under a second's worth of
    events for good. settled: whether the workers came to the end of the log in time.
    """

    found: Found
    outage_s: float
    catch_up_s: float
    peak_memory_bytes: int
    restarts: int
    exits: list[int]
    settled: bool

    @property
    def broken(self) -> bool:
        """Whether something is lost, wrong, double or out of order."""
        return any(getattr(self.found, name) for name in COUNTS)

    @property
    def kept(self) -> bool:
        """Whether the promise was kept, and the workers came through."""
        return self.settled and not self.broken
