"""Forecasts in Avro: another library reads them, and they say what those in JSON say."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from stream.avro_forecasts import AvroForecasts
from stream.encoder import Encoder
from stream.forecast_columns import ForecastColumns
from stream.forecaster import STATUSES, Forecasts
from stream.json_forecasts import JsonForecasts
from stream.testing import NOW_MS, CountingPredictor
from tests.client.avro import forecast_of
from tidecast.bundle import Manifest
from tidecast.encodings import encoding_of
from tidecast.forecast_avro import decode_avro_forecast
from tidecast.messages import SCHEMA_HEADER, Forecast, Status, decode_forecast, encode_forecast
from tidecast.record_batch import encode_headers
from tidecast.settings import StreamSettings

HORIZON: Final = 70
"""Its varint has two bytes."""
LEVELS: Final = 3
MANIFEST: Final = CountingPredictor(horizon=HORIZON, channels=["load %b é"]).manifest
CLASSIFIER: Final = msgspec.structs.replace(
    MANIFEST,
    task="classification",
    target="state %b é",
    quantile_levels=(),
    classes=("fine", 'broken "%d"'),
    horizon=1,
    lead=70,
)
MILLISECONDS: Final = st.integers(-62_072_524_800_000, 253_402_300_799_999)
NUMBERS: Final = st.floats(width=32, allow_nan=False, allow_infinity=False)
MOST: Final = 4


@st.composite
def batches(draw: st.DrawFn, manifest: Manifest) -> ForecastColumns:
    count = draw(st.integers(0, MOST))

    def each(what: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(what, min_size=count, max_size=count))

    ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
    shape = (count, manifest.horizon, manifest.width)
    quantiles = nps.arrays(np.float32, shape, elements=NUMBERS)
    statuses = each(st.integers(0, len(STATUSES) - 1))
    return ForecastColumns(
        forecast_ids=draw(st.lists(ids, min_size=count, max_size=count)),
        series_ids=draw(st.lists(st.text(min_size=1), min_size=count, max_size=count)),
        origins_ms=np.array(each(MILLISECONDS), np.int64),
        issued_ms=np.array(each(MILLISECONDS), np.int64),
        forecasts=Forecasts(draw(quantiles), np.array(statuses, np.int64)),
        offsets=each(st.integers(-1, 2**63 - 1)),
    )


def narrowed(forecast: Forecast) -> Forecast:
    """With its numbers as the 32-bit floats that they name, each in one way."""
    quantiles = np.array(forecast.quantiles, np.float32).tolist()
    probabilities = np.array(forecast.probabilities, np.float32).tolist()
    return msgspec.structs.replace(forecast, quantiles=quantiles, probabilities=probabilities)


@pytest.mark.parametrize("manifest", [MANIFEST, CLASSIFIER], ids=lambda manifest: manifest.task)
@given(st.data(), st.sampled_from([0, 2, 37, 10_000]), st.sampled_from([1, 3600]))
def test_avro_says_what_json_says_to_us_and_to_others(
    manifest: Manifest, data: st.DataObject, partition: int, step_seconds: int
) -> None:
    columns = data.draw(batches(manifest))
    avro = AvroForecasts(manifest, step_seconds, partition).written(columns)
    json = JsonForecasts(manifest, step_seconds, partition).written(columns)
    expected = [narrowed(decode_forecast(message)) for message in json]
    assert [decode_avro_forecast(message) for message in avro] == expected
    assert [forecast_of(message) for message in avro] == expected
    assert [narrowed(decode_forecast(encode_forecast(one))) for one in expected] == expected


def test_a_classifier_s_message_has_classes_and_probabilities_and_no_quantiles() -> None:
    columns = ForecastColumns(
        forecast_ids=["00" * 16],
        series_ids=["a"],
        origins_ms=np.array([NOW_MS]),
        issued_ms=np.array([NOW_MS]),
        forecasts=Forecasts(np.array([[[0.25, 0.75]]], np.float32), np.array([0])),
        offsets=[5],
    )
    (message,) = JsonForecasts(CLASSIFIER, 60, 3).written(columns)
    found = decode_forecast(message)
    assert (found.classes, found.probabilities) == (list(CLASSIFIER.classes), [0.25, 0.75])
    assert (found.lead, found.target) == (70, CLASSIFIER.target)
    assert b"quantile" not in message


@pytest.mark.parametrize("encoding", ["json", "avro"])
def test_the_stream_s_encoding_is_written_and_named(encoding: str) -> None:
    stream = StreamSettings.model_validate({"encoding": encoding})
    forecasts = Forecasts(np.ones((1, HORIZON, LEVELS), np.float32), np.array([3]))
    encoder = Encoder(MANIFEST, stream, "events", 1)
    messages = encoder.encode_stale(["a"], NOW_MS // 1000, NOW_MS, forecasts)
    written = encoding_of(encode_headers([(SCHEMA_HEADER, messages.schema)]))
    assert written.schema == messages.schema
    found, _ = written.forecast(messages.values[0])
    assert (found.series_id, found.status, found.source.offset) == ("a", Status.STALE, -1)
    assert (messages.values[0][:1] == b"{") is (encoding == "json")
