"""The verifier that reads along: what it waits for, what it finds; and what a soak sees."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from bench.faults.live import LivePartition
from bench.faults.soak import MIB, Sample, pause_s, slope
from stream.encoder import Encoder
from stream.records import LoggedRecord
from tests.stream.events import Event, records_of
from tests.stream.partitions import PLACE, engine_of

ENGINE: Final = engine_of(step_seconds=60)
EVENTS: Final = records_of([Event("abc"[n % 3], n // 3, float(n)) for n in range(12)])


def forecasts() -> list[LoggedRecord]:
    """What a worker that does well sends, each a second after its event."""
    encoder = Encoder(ENGINE.manifest, ENGINE.stream, *PLACE)
    answers = ENGINE.apply(ENGINE.new_table(), EVENTS)
    messages = encoder.encode(EVENTS, answers)
    return [
        LoggedRecord(event.offset, event.timestamp + 1000, key, value)
        for event, key, value in zip(EVENTS, messages.keys, messages.values, strict=True)
    ]


def partition() -> LivePartition:
    return LivePartition(ENGINE, *PLACE)


def test_an_event_is_waited_for_until_its_forecast_comes() -> None:
    live, found = partition(), Counter[str]()
    live.events(EVENTS[:8], found)
    live.forecasts(forecasts()[:5], found)
    live.events(EVENTS[8:], found)
    assert (live.answered, len(live.waiting)) == (5, 7)
    live.forecasts(forecasts()[5:], found)
    assert (live.answered, live.waiting) == (12, {})
    assert live.longest_ms == 1000
    assert +found == Counter({"events": 12})


def test_a_forecast_may_be_read_before_its_event() -> None:
    live, found = partition(), Counter[str]()
    live.forecasts(forecasts(), found)
    live.events(EVENTS, found)
    assert (live.answered, live.waiting) == (12, {})


def test_repeats_are_counted_and_not_wrong() -> None:
    live, found = partition(), Counter[str]()
    live.events(EVENTS, found)
    live.forecasts([*forecasts()[:6], *forecasts()[2:]], found)
    assert +found == Counter({"events": 12, "duplicates_raw": 4})


@pytest.mark.parametrize("late", [False, True])
def test_another_answer_than_the_right_one_is_wrong(late: bool) -> None:
    live, found = partition(), Counter[str]()
    live.events(EVENTS, found)
    if late:
        live.forecasts(forecasts(), found)
    right = forecasts()[3]
    live.forecasts([right._replace(value=(right.value or b"") + b" ")], found)
    assert found["wrong"] == 1


def samples(committed: list[int], mib: list[float]) -> list[Sample]:
    looks = zip(committed, mib, strict=True)
    return [Sample(60.0 * n, int(m * MIB), 0, c, 0) for n, (c, m) in enumerate(looks)]


def test_the_slope_leaves_the_first_sixth_out() -> None:
    found = samples([0] * 7, [10.0, 50.0, 101.0, 102.0, 103.0, 104.0, 105.0])
    assert slope(found, "worker_bytes") == pytest.approx(60.0)


def test_the_longest_pause_between_commits() -> None:
    assert pause_s(samples([1, 2, 2, 2, 3, 4], [0.0] * 6)) == 180.0
    assert pause_s(samples([1, 2, 2, 2], [0.0] * 4)) == 120.0
