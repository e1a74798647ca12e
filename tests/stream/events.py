"""Histories of several series as hypothesis draws them, and as records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from hypothesis import strategies as st

from stream.records import LoggedRecord
from stream.testing import NOW_MS, record

CONTEXT: Final = 6
STEP_SECONDS: Final = 60
STEP_MS: Final = STEP_SECONDS * 1000
SERIES: Final = ("a", "b", "c", "plant-7/last é")

MOVES: Final = (1, 1, 1, 1, 2, 3, 0, 0, -1, -2, -3, -9, CONTEXT - 1, CONTEXT, CONTEXT + 1, 40)
"""From a series' last slot to its next: in order, gaps, the same, late, around the context."""

QUIET_MOVES: Final = (1, 1, 1, 2, 3, 0)
"""Moves without late values and without a jump beyond the context."""

WHOLE: Final = st.integers(-50, 50).map(float)
"""Values whose sums are the same in 32 and 64 bits."""


class Event(NamedTuple):
    """An observation of a series: its slot and its value, None where it is null.

    within_ms: since the slot began; None for a time that depends on the offset. now_ms: of the
    record.
    """

    series_id: str
    slot: int
    value: float | None
    within_ms: int | None = None
    event_id: str | None = None
    now_ms: int = NOW_MS


@st.composite
def histories(
    draw: st.DrawFn, moves: Sequence[int] = MOVES, size: int = 40, first_slot: int = -3
) -> list[Event]:
    """Events of several series, interleaved."""
    last: dict[str, int] = {}
    events = []
    chosen = st.tuples(st.sampled_from(SERIES), st.sampled_from(moves), st.none() | WHOLE)
    for series_id, move, value in draw(st.lists(chosen, max_size=size)):
        slot = last.get(series_id, first_slot) + move
        last[series_id] = max(slot, last.get(series_id, slot))
        events.append(Event(series_id, slot, value))
    return events


def within_of(event: Event, offset: int) -> int:
    """Milliseconds from the start of the slot to the event."""
    return offset * 7919 % STEP_MS if event.within_ms is None else event.within_ms


def records_of(events: Sequence[Event], first_offset: int = 0) -> list[LoggedRecord]:
    """A record per event."""
    return [
        record(
            offset,
            event.series_id,
            event.slot * STEP_MS + within_of(event, offset),
            event.value,
            event.now_ms,
            event.event_id,
        )
        for offset, event in enumerate(events, first_offset)
    ]
