"""Topics of a stream: their names, and which partition a series belongs to."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec
from kafka.partitioner.default import murmur2

OUTPUT_BYTES: Final = 2 * 1024 * 1024
"""Largest produce request on the output topics: forecasts leave in large batches under lag."""
REMEMBERED: Final = 100_000
"""Series whose partitions are not computed again: murmur2 in Python takes 6 µs."""


class Topics(msgspec.Struct, frozen=True):
    """The topic names of one stream."""

    events: str
    forecasts: str
    rejected: str

    @classmethod
    def of(cls, stream: str) -> Topics:
        """The topics of the stream of that name."""
        return cls(f"{stream}.events", f"{stream}.forecasts", f"{stream}.rejected")


@lru_cache(maxsize=REMEMBERED)
def partition_of(series_id: str, partitions: int) -> int:
    """The partition of a series: murmur2 of its id, as the Java clients place keys."""
    return int(murmur2(series_id.encode()) & 0x7FFFFFFF) % partitions
