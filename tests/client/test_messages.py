"""Messages on the wire."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.forecasts import NOON, forecast
from tidecast.errors import MessageError, Reason
from tidecast.messages import (
    Forecast,
    ForecastIds,
    Observation,
    Rejection,
    decode_forecast,
    decode_observation,
    encode_forecast,
    encode_observation,
    json_schemas,
    milliseconds,
    read_rejection,
    rejection_headers,
)

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EARLIEST, LATEST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 - zones are drawn
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
VALUES = st.none() | st.floats(allow_nan=False, allow_infinity=False)
OBSERVATIONS = st.builds(
    Observation,
    series_id=TEXTS,
    timestamp=st.integers(-(2**52), 2**52) | st.datetimes(EARLIEST, LATEST, timezones=ZONES),
    values=st.dictionaries(TEXTS, VALUES, max_size=4),
    future=st.none() | st.dictionaries(TEXTS, st.lists(VALUES, max_size=3), max_size=2),
    event_id=st.none() | TEXTS,
)


@given(OBSERVATIONS)
def test_an_observation_survives_the_wire(observation: Observation) -> None:
    assert decode_observation(encode_observation(observation)) == observation


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2), TEXTS)
def test_a_forecast_survives_the_wire(numbers: list[float], series_id: str) -> None:
    sent = msgspec.structs.replace(forecast("s", 7), series_id=series_id, quantiles=[numbers] * 3)
    assert decode_forecast(encode_forecast(sent)) == sent


def test_a_forecast_from_a_newer_version_with_more_fields_is_read() -> None:
    fields = json.loads(encode_forecast(forecast("s", 7))) | {"anomaly": {"score": 1}}
    assert decode_forecast(json.dumps(fields).encode()) == forecast("s", 7)


def test_a_quantile_is_read_by_its_level() -> None:
    assert forecast("s", 7).at(0.5) == [2.0, 3.0]
    with pytest.raises(ValueError, match="not in list"):
        forecast("s", 7).at(0.25)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", Reason.MALFORMED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b"[]", Reason.SCHEMA),
        (b'{"series_id":"","timestamp":1,"values":{}}', Reason.SCHEMA),
        (b'{"series_id":"a","timestamp":1}', Reason.SCHEMA),
        (b'{"series_id":"a","timestamp":1,"values":{"v":"1"}}', Reason.SCHEMA),
        (b'{"series_id":"a","timestamp":1,"values":{"v":true}}', Reason.SCHEMA),
        (b'{"series_id":"a","timestamp":1,"values":{},"extra":1}', Reason.SCHEMA),
        (b'{"series_id":"a","timestamp":"2026-01-01T00:00:00","values":{}}', Reason.SCHEMA),
        (b'{"series_id":"a","timestamp":1,"values":{"v":NaN}}', Reason.MALFORMED),
    ],
)
def test_what_is_no_observation_is_refused_with_its_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(MessageError) as caught:
        decode_observation(data)
    assert caught.value.reason is reason


def test_a_value_that_is_not_finite_is_written_as_missing() -> None:
    written = encode_observation(Observation("a", 1, {"v": math.nan}))
    assert decode_observation(written).values == {"v": None}


def test_milliseconds_are_rounded_down_on_both_sides_of_1970() -> None:
    assert milliseconds(NOON) == 1_795_176_000_000
    assert milliseconds(datetime(1970, 1, 1, 0, 0, 0, 1_999, tzinfo=UTC)) == 1
    assert milliseconds(datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC)) == -1


@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_rejection_keeps_the_bytes_and_says_why(data: bytes, detail: str) -> None:
    rejection = Rejection(b"k", data, "events", 2, 9, "decode", Reason.SCHEMA, detail)
    assert read_rejection(b"k", data, dict(rejection_headers(rejection))) == rejection


def test_a_record_without_the_headers_is_no_rejection() -> None:
    with pytest.raises(MessageError, match="not a rejection"):
        read_rejection(b"k", b"v", {"topic": b"events"})


@given(st.lists(st.integers(0, 2**63 - 1), max_size=30), st.integers(0, 2**20))
def test_forecast_ids_of_a_batch_are_those_of_each_record(offsets: list[int], epoch: int) -> None:
    ids = ForecastIds(epoch, "events", 0, "sha")
    assert ids.of_all(offsets) == [ids.of(offset) for offset in offsets]


def test_forecast_ids_differ_by_each_of_their_parts() -> None:
    streams = [
        ForecastIds(0, "events", 0, "sha"),
        ForecastIds(1, "events", 0, "sha"),
        ForecastIds(0, "other", 0, "sha"),
        ForecastIds(0, "events", 1, "sha"),
        ForecastIds(0, "events", 0, "ahs"),
    ]
    ids = {stream.of(offset) for stream in streams for offset in range(3)}
    assert len(ids) == 15
    assert all(len(identity) == 32 for identity in ids)
    assert ForecastIds(0, "events", 0, "sha").of(2) in ids
    names = [("a", 0), ("a", 1), ("a", -1), ("b", 0), ("a\0", 0)]
    stale = {stream.of_stale(*name) for stream in streams for name in names}
    assert len(stale - ids) == 25
    assert streams[0].of_stale("a", 1) in stale


def test_the_schemas_name_every_field_that_is_sent_and_no_other() -> None:
    schemas = json_schemas()
    for name, sent in (
        ("Observation", encode_observation(Observation("a", NOON, {"v": 1.5, "w": None}))),
        ("Forecast", encode_forecast(forecast("s", 7))),
    ):
        schema, fields = schemas[name], json.loads(sent)
        assert set(schema["required"]) <= set(fields) <= set(schema["properties"])
    assert schemas["Observation"]["additionalProperties"] is False
    optional = {"lead", "quantile_levels", "quantiles", "classes", "probabilities"}
    assert set(schemas["Forecast"]["required"]) == set(Forecast.__struct_fields__) - optional
    assert schemas["Status"]["enum"] == sorted(schemas["Status"]["enum"])
