"""How long nothing came, and how long until all was as before: from the broker's append times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream.grid import IntArray


class Answered(NamedTuple):
    """Of one partition, the events that must be answered, in order of their offsets.

    appended_ms: [N] when the broker took the event. answered_ms: [N] when it took the first
    forecast for it; what was never answered, at the end of the observation.
    """

    appended_ms: IntArray
    answered_ms: IntArray


def outage_s(partitions: Sequence[Answered], since_ms: int) -> float:
    """The longest time, ending after `since_ms`, in which an event waited and nothing came.

    Between two forecasts appended at t1 < t2: t2 - max(t1, append time of the first event not
    answered at t1); the largest over all partitions. Repeats do not count as forecasts.
    """
    return max((_longest_wait(one, since_ms) for one in partitions), default=0) / 1000


def _longest_wait(partition: Answered, since_ms: int) -> int:
    answered = np.maximum.accumulate(partition.answered_ms)
    if len(answered) == 0:
        return 0
    # Answers come in order, so the first event after a new answer is the one that waited longest.
    first = np.flatnonzero(np.r_[True, answered[1:] > answered[:-1]])
    before = np.r_[answered[0] - answered[0], answered[first[1:] - 1]]
    waits = answered[first] - np.maximum(before, partition.appended_ms[first])
    return int(waits[answered[first] >= since_ms].max(initial=0))


def catch_up_s(partitions: Sequence[Answered], healed_ms: int, events_per_s: float) -> float:
    """From `healed_ms` to the last moment at which a second's worth of events was unanswered."""
    appended = np.sort(np.concatenate([one.appended_ms for one in partitions]))
    answered = np.sort(np.concatenate([one.answered_ms for one in partitions]))
    # The lag falls at answers only, so it was too long until the last answer that ends so.
    lag = np.searchsorted(appended, answered, side="right") - np.arange(len(answered))
    behind = answered[lag > events_per_s]
    return max(0, int(behind[-1]) - healed_ms) / 1000 if len(behind) else 0.0
