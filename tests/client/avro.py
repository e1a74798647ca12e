"""Forecasts in Avro as a library of others writes and reads them, under the published schema."""

from __future__ import annotations

import io
import json
from typing import Any, Final

import fastavro

from tidecast.forecast_avro import forecast_schema
from tidecast.messages import Forecast, Source, Status

SCHEMA: Final = fastavro.parse_schema(json.loads(forecast_schema()))


def avro_of(forecast: Forecast) -> bytes:
    """What the library makes of a forecast."""
    fields = {name: getattr(forecast, name) for name in Forecast.__struct_fields__}
    source = {"partition": forecast.source.partition, "offset": forecast.source.offset}
    written = {"forecast_id": bytes.fromhex(forecast.forecast_id), "source": source}
    target = io.BytesIO()
    fastavro.schemaless_writer(
        target, SCHEMA, {**fields, **written, "status": str(forecast.status)}, strict=True
    )
    return target.getvalue()


def forecast_of(data: bytes) -> Forecast:
    """What the library reads, to the last byte."""
    source = io.BytesIO(data)
    found: Any = fastavro.schemaless_reader(source, SCHEMA, None)
    assert source.read() == b""
    return Forecast(
        **{
            **found,
            "forecast_id": found["forecast_id"].hex(),
            "source": Source(**found["source"]),
            "status": Status(found["status"]),
        }
    )
