"""What is drawn of a series: its slots with their gaps, and which values left their band."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from tidecast.demo.trace import KEPT, SeriesTrace
from tidecast.messages import Forecast, Source, Status

STEP_S = 60
MINUTE_MS = 60_000


def forecast(origin_slot: int, quantiles: Sequence[Sequence[float]]) -> Forecast:
    origin = datetime.fromtimestamp(origin_slot * STEP_S, UTC)
    return Forecast(
        forecast_id="0" * 32,
        series_id="a",
        origin=origin,
        step_seconds=STEP_S,
        issued_at=origin,
        model="general-gru",
        model_version="1",
        target="value",
        quantile_levels=[0.1, 0.5, 0.9],
        quantiles=[list(level) for level in quantiles],
        status=Status.COLD,
        source=Source(0, 0),
    )


def trace_of(*points: tuple[int, float | None]) -> SeriesTrace:
    trace = SeriesTrace(STEP_S)
    for slot, value in points:
        trace.observe(slot * MINUTE_MS, value)
    return trace


def test_missing_values_and_skipped_slots_are_nan() -> None:
    values = trace_of((10, 1.0), (11, None), (14, 2.0)).picture().values
    np.testing.assert_array_equal(values, [1.0, np.nan, np.nan, np.nan, 2.0])


def test_the_same_slot_again_replaces_and_a_late_one_changes_nothing() -> None:
    values = trace_of((10, 1.0), (11, 2.0), (11, 3.0), (10, 9.0)).picture().values
    np.testing.assert_array_equal(values, [1.0, 3.0])


def test_a_jump_beyond_all_that_is_kept_leaves_nothing_but_gaps() -> None:
    values = trace_of((10, 1.0), (10 + 3 * KEPT, 2.0)).picture().values
    assert len(values) == KEPT
    assert np.isnan(values[:-1]).all()


def test_a_value_is_held_against_the_lead_that_was_meant_for_it() -> None:
    trace = trace_of((10, 1.0))
    trace.forecast(forecast(10, [[0, 5], [1, 6], [2, 7]]))
    trace.observe(11 * MINUTE_MS, 3.0)  # lead 1: outside 0 to 2
    trace.observe(12 * MINUTE_MS, 6.5)  # lead 2: inside 5 to 7
    trace.observe(13 * MINUTE_MS, 100.0)  # no lead 3
    trace.observe(14 * MINUTE_MS, None)
    np.testing.assert_array_equal(trace.picture().outside, [False, True, False, False, False])
    assert (trace.judged, trace.inside) == (2, 1)


def test_a_picture_does_not_change_with_its_trace() -> None:
    trace = trace_of((10, 1.0))
    trace.forecast(forecast(10, [[0], [1], [2]]))
    picture = trace.picture()
    trace.observe(11 * MINUTE_MS, 5.0)
    assert len(picture.values) == 1
    assert picture.band is not None
    assert picture.band.median[0] == 1
    assert picture.status == "cold"
