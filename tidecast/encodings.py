"""The encodings of a forecast on the wire; the `schema` header of a record says which it has."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from tidecast.forecast_avro import decode_avro_forecast
from tidecast.messages import (
    FORECAST_AVRO_SCHEMA,
    FORECAST_SCHEMA,
    SCHEMA_HEADER,
    Forecast,
    decode_forecast,
    encode_forecast,
)
from tidecast.record_reader import decode_headers
from tidecast.repeats import ForecastIdentity

HEADERS_KEPT: Final = 256
"""Of the newest headers the encoding is known: one stream's are all alike."""

_IDENTITY = msgspec.json.Decoder(ForecastIdentity)


class Encoding(NamedTuple):
    """The ways out of one encoding: each gives what tells a repeat, and what the reader asked for.

    They raise MessageError, or what msgspec raises, for bytes that are no forecast.
    """

    schema: bytes
    forecast: Callable[[bytes], tuple[Forecast, Forecast]]
    json: Callable[[bytes], tuple[Forecast | ForecastIdentity, bytes]]


def _twice(decode: Callable[[bytes], Forecast]) -> Callable[[bytes], tuple[Forecast, Forecast]]:
    def decode_once(value: bytes) -> tuple[Forecast, Forecast]:
        forecast = decode(value)
        return forecast, forecast

    return decode_once


def _avro_as_json(value: bytes) -> tuple[Forecast, bytes]:
    forecast = decode_avro_forecast(value)
    return forecast, encode_forecast(forecast)


JSON: Final = Encoding(
    FORECAST_SCHEMA, _twice(decode_forecast), lambda value: (_IDENTITY.decode(value), value)
)
AVRO: Final = Encoding(FORECAST_AVRO_SCHEMA, _twice(decode_avro_forecast), _avro_as_json)


@lru_cache(HEADERS_KEPT)
def encoding_of(headers: bytes) -> Encoding:
    """The encoding of a record, by its headers as they are on the wire.

    JSON where none speaks of another. Raises MessageError when they cannot be read.
    """
    return AVRO if (SCHEMA_HEADER, AVRO.schema) in decode_headers(headers) else JSON
