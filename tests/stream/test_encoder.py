"""The fast encoder against the message class and the plain formulas."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from stream.encoder import Encoder
from stream.engine import Answers
from stream.forecaster import STATUSES
from stream.grid import FloatArray
from stream.json_forecasts import number_chunks, written_times
from stream.records import LoggedRecord
from stream.testing import NOW_MS, CountingPredictor
from tidecast.messages import EPOCH, Forecast, ForecastIds, Source, decode_forecast
from tidecast.settings import StreamSettings

STREAM: Final = StreamSettings(step_seconds=60, epoch=3)
MANIFEST: Final = CountingPredictor(horizon=2).manifest
MILLISECONDS: Final = st.integers(-62_072_524_800_000, 253_402_300_799_999)
FORECASTS: Final = nps.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.just(2), st.just(3)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)
ARRAYS: Final = nps.arrays(
    np.float32,
    nps.array_shapes(min_dims=3, max_dims=3, max_side=5),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


def moment(time_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time_ms)


@given(FORECASTS, st.data())
def test_the_bytes_decode_to_the_message(forecasts: FloatArray, data: st.DataObject) -> None:
    count = len(forecasts)
    ids = data.draw(st.lists(st.text(min_size=1), min_size=count, max_size=count, unique=True))
    offsets = data.draw(st.lists(st.integers(0, 2**63 - 1), min_size=count, max_size=count))
    statuses = data.draw(
        st.lists(st.integers(0, len(STATUSES) - 1), min_size=count, max_size=count)
    )
    origins = [place * 60 for place in range(count)]
    answers = Answers(
        positions=np.arange(count),
        series_ids=ids,
        origins=np.array(origins, np.int64),
        forecasts=forecasts,
        statuses=np.array(statuses, np.int64),
        touched=np.arange(count),
        refusals=[],
        ended=[],
    )
    records = [LoggedRecord(offset, NOW_MS + offset % 7, None, None) for offset in offsets]
    messages = Encoder(MANIFEST, STREAM, "events", 2).encode(records, answers)
    assert messages.keys == [series_id.encode() for series_id in ids]
    names = ForecastIds(3, "events", 2, MANIFEST.graph_sha256)
    assert [decode_forecast(value) for value in messages.values] == [
        Forecast(
            forecast_id=names.of(offsets[place]),
            series_id=ids[place],
            origin=moment(origins[place] * 1000),
            step_seconds=60,
            issued_at=moment(NOW_MS + offsets[place] % 7),
            model=MANIFEST.name,
            model_version=MANIFEST.version,
            target="value",
            quantile_levels=list(MANIFEST.quantile_levels),
            quantiles=shortest(forecasts[place]),
            status=STATUSES[statuses[place]],
            source=Source(2, offsets[place]),
        )
        for place in range(count)
    ]


def shortest(forecast: FloatArray) -> list[list[float]]:
    """[horizon, levels] level by level, each number the shortest that names its float32."""
    return [[float(str(value)) for value in level] for level in forecast.T]


def test_only_answered_records_are_encoded() -> None:
    numbers = np.array([1], np.int64)
    forecasts = np.ones((1, 2, 3), np.float32)
    answers = Answers(numbers, ["a"], numbers, forecasts, numbers, numbers, [], [])
    records = [LoggedRecord(offset, NOW_MS, None, None) for offset in (7, 9, 11)]
    messages = Encoder(MANIFEST, STREAM, "events", 2).encode(records, answers)
    assert messages.keys == [b"a"]
    assert [decode_forecast(value).source for value in messages.values] == [Source(2, 9)]


@given(ARRAYS)
def test_quantiles_read_back_as_the_same_float32(forecasts: FloatArray) -> None:
    by_level = forecasts.transpose(0, 2, 1)
    read = [json.loads(b"[[%b]]" % chunk) for chunk in number_chunks(by_level)]
    np.testing.assert_array_equal(np.array(read, np.float32), by_level)
    assert np.array(read, np.float32).tobytes() == by_level.tobytes()


@given(st.lists(MILLISECONDS))
def test_a_time_is_the_one_that_datetime_reads(times: list[int]) -> None:
    texts = written_times(b"%b", np.array(times, np.int64))
    assert all(text.endswith(b'Z"') for text in texts)
    assert [datetime.fromisoformat(json.loads(text)) for text in texts] == [
        moment(time) for time in times
    ]


def test_whole_seconds_are_written_without_a_fraction() -> None:
    times = [0, 1, 253_402_300_799_000]
    expected = ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.001Z", "9999-12-31T23:59:59Z"]
    assert [json.loads(text) for text in written_times(b"%b", np.array(times))] == expected
    assert datetime.fromisoformat(expected[0]) == datetime(1970, 1, 1, tzinfo=UTC)
