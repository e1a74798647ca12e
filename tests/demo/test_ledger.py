"""Every observation is matched to its own forecast, whatever comes first."""

from __future__ import annotations

import numpy as np
import pytest

from tidecast.demo.ledger import Ledger, Pace
from tidecast.publisher import Place

HERE, THERE = Place(0, 7), Place(1, 7)


def test_latency_runs_from_the_call_to_the_forecast_of_the_same_place() -> None:
    ledger = Ledger()
    ledger.publish(HERE, 10.0)
    ledger.publish(THERE, 10.5)
    ledger.answer(THERE, 10.51)
    assert (ledger.published, ledger.answered, ledger.open) == (2, 1, 1)
    assert ledger.latency_ms(50) == 10.0


@pytest.mark.parametrize("forecasts_before_the_receipt", [0, 1, 2])
def test_a_second_forecast_is_a_duplicate_in_any_order(forecasts_before_the_receipt: int) -> None:
    ledger = Ledger()
    for _ in range(forecasts_before_the_receipt):
        ledger.answer(HERE, 10.0)
    ledger.publish(HERE, 10.0)
    for _ in range(2 - forecasts_before_the_receipt):
        ledger.answer(HERE, 10.0)
    assert (ledger.answered, ledger.open, ledger.duplicates) == (1, 0, 1)


@pytest.mark.parametrize("rejected_first", [True, False])
def test_a_rejected_observation_is_neither_lost_nor_answered(rejected_first: bool) -> None:
    ledger = Ledger()
    if rejected_first:
        ledger.reject(HERE)
    ledger.publish(HERE, 10.0)
    if not rejected_first:
        ledger.reject(HERE)
    assert (ledger.rejected, ledger.answered, ledger.open, ledger.duplicates) == (1, 0, 0, 0)


def test_a_forecast_for_nothing_we_published_is_counted() -> None:
    ledger = Ledger()
    ledger.answer(HERE, 10.0)
    assert (ledger.answered, ledger.duplicates) == (0, 1)


def test_percentiles_are_those_of_the_whole_list_or_of_its_end() -> None:
    ledger = Ledger()
    latencies = np.random.default_rng(1).gamma(2.0, 5.0, 500)
    for offset, latency_ms in enumerate(latencies):
        ledger.publish(Place(0, offset), 0.0)
        ledger.answer(Place(0, offset), latency_ms / 1000)
    for percent in (50, 99):
        assert ledger.latency_ms(percent) == pytest.approx(
            np.percentile(latencies, percent), abs=0.006
        )
        recent = np.percentile(latencies[-100:], percent)
        assert ledger.latency_ms(percent, recent=100) == pytest.approx(recent, abs=0.006)


def test_what_was_published_before_the_clock_started_has_no_latency() -> None:
    ledger = Ledger()
    ledger.publish(HERE, 1.0)
    ledger.measure_from(5.0)
    ledger.answer(HERE, 6.0)
    assert ledger.answered == 1
    assert ledger.latency_ms(50) is None


def test_the_pace_is_that_of_the_last_seconds() -> None:
    times = iter([0.0, 1.0, 2.0, 10.0, 12.0])
    pace = Pace(lambda: next(times), span_s=5.0)
    assert [pace.update(total) for total in (0, 10, 30, 30, 130)] == [0.0, 10.0, 15.0, 0.0, 10.0]


def test_bursts_have_a_steady_pace() -> None:
    times = iter(np.arange(0, 30, 0.25))
    pace = Pace(lambda: next(times))
    paces = [pace.update(14 * (look // 4)) for look in range(120)]
    assert paces[8:] == [14.0] * 112
