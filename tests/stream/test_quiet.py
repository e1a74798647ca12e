"""Stale forecasts: due when a series is quiet, like an empty observation, and without a trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.encoder import Encoder
from stream.engine import Engine
from stream.quiet import QuietSeries
from stream.series.table import SeriesTable
from stream.testing import CountingPredictor, FailingPredictor, NaivePredictor
from tests.stream.events import CONTEXT, QUIET_MOVES, STEP_MS, Event, histories, records_of
from tests.stream.test_engine import dumped, engine_of
from tidecast.errors import SettingsError
from tidecast.messages import EPOCH, Forecast, ForecastIds, Source, Status, decode_forecast
from tidecast.settings import StreamSettings

AFTER, LONG = 2, 2


def quiet_of(engine: Engine) -> QuietSeries:
    return QuietSeries(engine, Encoder(engine.manifest, engine.stream, "events", 3))


def forecasts_at(quiet: QuietSeries, table: SeriesTable, slot: int) -> list[Forecast]:
    messages = quiet.forecasts(table, slot * STEP_MS + 17)
    return [decode_forecast(value) for part in messages for value in part.values]


def table_after(engine: Engine, *events: Event) -> SeriesTable:
    table = engine.new_table()
    engine.apply(table, records_of(events))
    return table


@pytest.mark.parametrize(
    ("now", "due"), [(5, False), (6, False), (7, False), (8, True), (9, True), (10, False)]
)
def test_a_series_is_forecast_once_it_has_missed_enough_whole_slots_and_not_for_ever(
    now: int, due: bool
) -> None:
    """Newest slot 5, quiet after 2: slots 6 and 7 must be over. Then for 2 slots."""
    engine = engine_of(stale_after_slots=AFTER, stale_for_slots=LONG)
    table = table_after(engine, Event("a", 5, 1.0))
    assert bool(forecasts_at(quiet_of(engine), table, now)) is due


@given(histories(QUIET_MOVES), st.integers(0, 12))
def test_a_stale_forecast_is_what_a_missing_value_would_be_answered_and_changes_nothing(
    events: list[Event], later: int
) -> None:
    engine = engine_of(stale_after_slots=1, stale_for_slots=CONTEXT)
    table = table_after(engine, *events)
    slot = table.watermark + 1 + later if events else 0
    before = dumped(table)
    found = {one.series_id: one for one in forecasts_at(quiet_of(engine), table, slot)}
    assert dumped(table) == before
    for row in table.rows().tolist():
        series_id, newest = table.series_ids[row], int(table.newest(np.array([row]))[0])
        assert (series_id in found) is (1 <= slot - 1 - newest < CONTEXT - 1)
        if series_id in found:
            forecast = found[series_id]
            aside = engine.new_table()
            aside.load(before)
            (answer,) = engine.apply(aside, records_of([Event(series_id, slot, None)])).forecasts
            assert forecast.quantiles == answer.T.tolist()
            assert forecast.status is Status.STALE


def test_a_stale_forecast_names_its_slot_and_no_record() -> None:
    engine = engine_of(stale_after_slots=1)
    (forecast,) = forecasts_at(quiet_of(engine), table_after(engine, Event("a", 5, 1.0)), 7)
    ids = ForecastIds(engine.stream.epoch, "events", 3, engine.manifest.graph_sha256)
    assert forecast.forecast_id == ids.of_stale("a", 7)
    assert forecast.source == Source(3, -1)
    assert (forecast.origin - EPOCH).total_seconds() * 1000 == 7 * STEP_MS
    assert (forecast.issued_at - EPOCH).total_seconds() * 1000 == 7 * STEP_MS + 17


def test_a_slot_is_done_once_and_a_clock_that_goes_back_does_nothing() -> None:
    engine = engine_of(stale_after_slots=1)
    quiet, table = quiet_of(engine), table_after(engine, Event("a", 5, 1.0))
    assert [len(forecasts_at(quiet, table, slot)) for slot in (7, 7, 8, 7, 9)] == [1, 0, 1, 0, 1]


def test_many_quiet_series_come_in_parts() -> None:
    engine = engine_of(stale_after_slots=1)
    names = [f"s{number}" for number in range(5000)]
    table = table_after(engine, *[Event(name, 5, float(place)) for place, name in enumerate(names)])
    forecasts = forecasts_at(quiet_of(engine), table, 7)
    assert [forecast.series_id for forecast in forecasts] == names
    assert [forecast.at(0.5)[0] for forecast in forecasts] == [float(n) for n in range(5000)]


def test_a_failing_model_says_so_even_when_a_series_is_quiet() -> None:
    stream = StreamSettings(step_seconds=STEP_MS // 1000, stale_after_slots=1)
    engine = Engine(FailingPredictor(CountingPredictor(CONTEXT), float("nan")), stream)
    (forecast,) = forecasts_at(quiet_of(engine), table_after(engine, Event("a", 5, 4.0)), 7)
    assert (forecast.status, forecast.at(0.5)) == (Status.FALLBACK, [4.0] * 3)


def test_a_model_without_state_forecasts_quiet_series_too() -> None:
    stream = StreamSettings(step_seconds=STEP_MS // 1000, stale_after_slots=1)
    engine = Engine(NaivePredictor(CONTEXT), stream)
    (forecast,) = forecasts_at(quiet_of(engine), table_after(engine, Event("a", 5, 4.0)), 7)
    assert forecast.status is Status.STALE


def test_series_that_ended_are_not_forecast() -> None:
    engine = engine_of(stale_after_slots=1, end_after_slots=2)
    table = table_after(engine, Event("a", 0, 1.0), Event("b", 3, 1.0))
    assert [one.series_id for one in forecasts_at(quiet_of(engine), table, 5)] == ["b"]


def test_off_is_the_default() -> None:
    engine = engine_of()
    assert forecasts_at(quiet_of(engine), table_after(engine, Event("a", 5, 1.0)), 9) == []


def test_a_silence_longer_than_the_window_is_refused() -> None:
    with pytest.raises(SettingsError, match="stale_after_slots is 5, the model's window has 6"):
        engine_of(stale_after_slots=CONTEXT - 1)
