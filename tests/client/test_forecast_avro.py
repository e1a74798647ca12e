"""Our own reader of Avro against another library, and against bytes that are no forecast."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.client.avro import SCHEMA, avro_of
from tests.client.forecasts import forecast
from tidecast.errors import MessageError
from tidecast.forecast_avro import (
    STATUSES,
    decode_avro_forecast,
)
from tidecast.messages import EPOCH, Forecast, Source

LONGS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(-(2**41), 2**47).map(lambda time: EPOCH + timedelta(milliseconds=time))
FLOATS = st.floats(width=32, allow_nan=False)

FORECASTS = st.builds(
    Forecast,
    forecast_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    series_id=st.text(),
    origin=TIMES,
    step_seconds=LONGS,
    issued_at=TIMES,
    model=st.text(),
    model_version=st.text(),
    target=st.text(),
    quantile_levels=st.lists(st.floats(allow_nan=False)),
    quantiles=st.lists(st.lists(FLOATS)),
    status=st.sampled_from(STATUSES),
    source=st.builds(Source, LONGS, LONGS),
)
WRITTEN = avro_of(forecast("a", 7))


@given(FORECASTS)
def test_what_another_library_writes_is_read(sent: Forecast) -> None:
    data = avro_of(sent)
    assert decode_avro_forecast(data) == sent


def test_the_schema_has_the_fields_of_a_forecast_and_its_statuses() -> None:
    assert isinstance(SCHEMA, dict)
    fields = {field["name"]: field["type"] for field in SCHEMA["fields"]}
    assert set(fields) == set(Forecast.__struct_fields__)
    assert fields["status"]["symbols"] == list(STATUSES)


def test_an_array_may_come_in_blocks_of_stated_length() -> None:
    """As writers may send it that do not know its length beforehand."""
    levels = b"\6" + WRITTEN[WRITTEN.index(b"value") + 7 :][:24] + b"\0"
    assert levels in WRITTEN
    in_blocks = b"\1\20" + levels[1:9] + b"\4" + levels[9:25] + b"\0"
    assert decode_avro_forecast(WRITTEN.replace(levels, in_blocks)) == forecast("a", 7)


@given(st.integers(0, len(WRITTEN) - 1))
def test_a_part_of_a_message_is_none(length: int) -> None:
    with pytest.raises(MessageError, match="not a forecast in Avro"):
        decode_avro_forecast(WRITTEN[:length])


@given(st.binary(max_size=40), st.integers(0, len(WRITTEN)), st.integers(0, 20))
@example(b"\1", len(WRITTEN), 0)
@example(b"\xff" * 9 + b"\1", WRITTEN.index(b"value") - 1, 1)
def test_damaged_bytes_are_a_forecast_or_refused(noise: bytes, at: int, lost: int) -> None:
    try:
        found = decode_avro_forecast(WRITTEN[:at] + noise + WRITTEN[at + lost :])
    except MessageError:
        return
    assert isinstance(found, Forecast)
