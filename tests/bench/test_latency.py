"""Answers by the event that they answer, and rows of systems, without servers."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import pytest

from bench.latency_beside import Tried, row
from bench.pacing import Pace
from bench.reading import AnyEvent, AnyForecast, Arrivals
from bench.steady import Run
from bench.systems import FLOOR, OURS
from bench.workload import BEGIN, series_ids
from tidecast.messages import encode_observation

PACE = Pace(rate=10, seconds=2, series=3, warm_s=1, backlog=4)


def test_a_steady_load_goes_on_where_the_backlog_ended() -> None:
    events = list(PACE.observations())
    assert len(events) == PACE.events == 30
    assert (events[0].series_id, events[0].timestamp) == (
        series_ids(3)[1],
        BEGIN + timedelta(seconds=1),
    )


def test_an_answer_is_known_by_its_series_and_moment() -> None:
    arrivals = Arrivals(PACE)
    for number, event in enumerate(PACE.observations()):
        text = encode_observation(event).replace(b"timestamp", b"origin")
        arrivals.note(msgspec.json.decode(text, type=AnyForecast), number / 10)
    assert arrivals.missing == arrivals.repeats == 0
    np.testing.assert_array_equal(arrivals.times_s, np.arange(30) / 10)


def test_an_event_is_the_answer_to_itself() -> None:
    arrivals = Arrivals(PACE)
    (first, *_) = PACE.observations()
    arrivals.note(msgspec.json.decode(encode_observation(first), type=AnyEvent), 2.0)
    assert arrivals.times_s[0] == 2.0


def test_answers_to_the_backlog_are_passed_over() -> None:
    arrivals = Arrivals(PACE)
    arrivals.note(AnyForecast(series_ids(3)[0], BEGIN + timedelta(seconds=1)), 5.0)
    assert (arrivals.missing, arrivals.repeats) == (30, 0)
    assert np.isnan(arrivals.times_s).all()


def test_the_first_of_two_answers_counts_and_the_other_is_a_repeat() -> None:
    arrivals = Arrivals(PACE)
    for now_s in (1.0, 2.0):
        arrivals.note(AnyForecast(series_ids(3)[1], BEGIN + timedelta(seconds=1)), now_s)
    assert (arrivals.missing, arrivals.repeats) == (29, 1)
    assert arrivals.times_s[0] == 1.0


def test_a_row_has_percentiles_and_shares_of_each_repeat() -> None:
    seconds = np.arange(1, 101) / 1000
    runs = [Run(seconds * times, seconds, {"system": 0.25}) for times in (1, 2)]
    found = row(PACE, Tried(OURS, runs))
    values = {figure.name: list(figure.values) for figure in found.figures}
    assert values["p50_ms"] == pytest.approx([50, 100])
    assert values["system_busy"] == [0.25, 0.25]
    assert found.key["events_per_s"] == 10
    assert found.title == "Tidecast, Publisher and Subscriber, 10/s"
    assert found.note == OURS.note


def test_a_system_that_failed_has_a_row_that_says_why() -> None:
    found = row(PACE, Tried(FLOOR, failure="of 30 answers 7 lost or a minute late, 0 repeated"))
    assert found.figures == ()
    assert found.note == "no figure: of 30 answers 7 lost or a minute late, 0 repeated"
