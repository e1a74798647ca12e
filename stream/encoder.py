"""Answers to forecast messages, in the encoding of the stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream.avro_forecasts import AvroForecasts
from stream.engine import Answers
from stream.forecast_columns import ForecastColumns
from stream.forecaster import Forecasts
from stream.json_forecasts import JsonForecasts
from stream.records import Record
from tidecast.bundle import Manifest
from tidecast.messages import FORECAST_AVRO_SCHEMA, FORECAST_SCHEMA, NO_OFFSET, ForecastIds
from tidecast.settings import StreamSettings


class Messages(NamedTuple):
    """Records to send, in order: `keys[i]` goes with `values[i]`, all under one schema header."""

    keys: list[bytes]
    values: list[bytes]
    schema: bytes


class Encoder:
    """Makes the forecast messages of one partition."""

    def __init__(
        self, manifest: Manifest, stream: StreamSettings, topic: str, partition: int
    ) -> None:
        self._step_seconds = stream.step_seconds
        self._ids = ForecastIds(stream.epoch, topic, partition, manifest.graph_sha256)
        avro = stream.encoding == "avro"
        self._schema = FORECAST_AVRO_SCHEMA if avro else FORECAST_SCHEMA
        form = AvroForecasts if avro else JsonForecasts
        self._form = form(manifest, stream.step_seconds, partition)

    def encode(self, records: Sequence[Record], answers: Answers) -> Messages:
        """The messages of a batch, in order. records: the batch that was answered."""
        answered = [records[position] for position in answers.positions.tolist()]
        offsets = [record.offset for record in answered]
        return self._messages(
            ForecastColumns(
                forecast_ids=self._ids.of_all(offsets),
                series_ids=answers.series_ids,
                origins_ms=answers.origins * 1000,
                issued_ms=np.array([record.timestamp for record in answered], np.int64),
                forecasts=Forecasts(answers.forecasts, answers.statuses),
                offsets=offsets,
            )
        )

    def encode_stale(
        self, series_ids: Sequence[str], slot: int, now_ms: int, forecasts: Forecasts
    ) -> Messages:
        """The messages of a timer that went off at `now_ms`, in `slot`, for quiet series."""
        count = len(series_ids)
        return self._messages(
            ForecastColumns(
                forecast_ids=[self._ids.of_stale(series_id, slot) for series_id in series_ids],
                series_ids=series_ids,
                origins_ms=np.full(count, slot * self._step_seconds * 1000),
                issued_ms=np.full(count, now_ms),
                forecasts=forecasts,
                offsets=[NO_OFFSET] * count,
            )
        )

    def _messages(self, columns: ForecastColumns) -> Messages:
        keys = [series_id.encode() for series_id in columns.series_ids]
        return Messages(keys, self._form.written(columns), self._schema)
