"""The encodings of a forecast on the wire; the `schema` header of a record says which it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from tidecast.forecast_avro import decode_avro_forecast, decode_avro_identity
from tidecast.messages import (
    FORECAST_AVRO_SCHEMA,
    FORECAST_SCHEMA,
    SCHEMA_HEADER,
    Forecast,
    decode_forecast,
    encode_forecast,
)
from tidecast.repeats import ForecastIdentity

_IDENTITY = msgspec.json.Decoder(ForecastIdentity)


class Encoding(NamedTuple):
    """The ways out of one encoding.

    Each raises MessageError, or what msgspec raises, for bytes that are no forecast in it.
    """

    schema: bytes
    identity: Callable[[bytes], ForecastIdentity]
    forecast: Callable[[bytes], Forecast]
    json: Callable[[bytes], bytes]


JSON: Final = Encoding(FORECAST_SCHEMA, _IDENTITY.decode, decode_forecast, bytes)
AVRO: Final = Encoding(
    FORECAST_AVRO_SCHEMA,
    decode_avro_identity,
    decode_avro_forecast,
    lambda value: encode_forecast(decode_avro_forecast(value)),
)

_AVRO_HEADER: Final = (SCHEMA_HEADER, FORECAST_AVRO_SCHEMA)


def encoding_of(headers: Sequence[tuple[str, bytes]]) -> Encoding:
    """The encoding of a record; JSON where no header speaks of another."""
    return AVRO if _AVRO_HEADER in headers else JSON
