from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.faults.timing import Answered, catch_up_s, outage_s


def answered(appended_ms: Sequence[int], answered_ms: Sequence[int]) -> Answered:
    return Answered(np.array(appended_ms), np.array(answered_ms))


def test_a_wait_counts_from_the_event_when_nothing_waited_before() -> None:
    quiet = answered([0, 5_000], [10, 5_300])
    assert outage_s([quiet], since_ms=0) == 0.3


def test_a_wait_counts_from_the_last_answer_while_events_wait() -> None:
    behind = answered([0, 100, 200], [1_000, 1_500, 4_000])
    assert outage_s([behind], since_ms=0) == 2.5


def test_the_longest_wait_of_all_partitions_counts() -> None:
    quick, slow = answered([0], [20]), answered([0, 10], [100, 2_100])
    assert outage_s([quick, slow, answered([], [])], since_ms=0) == 2.0


def test_what_ended_before_the_start_does_not_count() -> None:
    slow_start = answered([0, 9_000], [8_000, 9_100])
    assert outage_s([slow_start], since_ms=8_500) == 0.1


def test_an_event_answered_after_its_successor_waited_no_longer_than_the_partition() -> None:
    crossed = answered([0, 0, 0], [100, 900, 800])
    assert outage_s([crossed], since_ms=0) == 0.8


def test_catch_up_ends_when_less_than_a_seconds_worth_waits() -> None:
    # Ten events a second, all answered from second 3 on, twenty a second.
    appended = np.arange(0, 6_000, 100)
    late = np.maximum(appended, 3_000 + 50 * np.arange(60))
    lag_ends = catch_up_s([Answered(appended, late)], healed_ms=3_000, events_per_s=10)
    assert 1.8 < lag_ends < 2.2


def test_who_is_never_behind_has_nothing_to_catch_up() -> None:
    prompt = answered(range(0, 5_000, 10), range(3, 5_003, 10))
    assert catch_up_s([prompt], healed_ms=1_000, events_per_s=100) == 0
