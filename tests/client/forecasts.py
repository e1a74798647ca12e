"""Forecasts made by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from tidecast.messages import Forecast, ForecastIds, Source, Status
from tidecast.topics import partition_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARTITIONS = 3


def forecast(series_id: str, offset: int, *, model: str = "hand", epoch: int = 0) -> Forecast:
    """The answer of `model` to the record at `offset` of the series' partition."""
    partition = partition_of(series_id, PARTITIONS)
    return Forecast(
        forecast_id=ForecastIds(epoch, "events", partition, model).of(offset),
        series_id=series_id,
        origin=NOON,
        step_seconds=60,
        issued_at=NOON,
        model=model,
        model_version="1",
        target="value",
        quantile_levels=[0.1, 0.5, 0.9],
        quantiles=[[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]],
        status=Status.OK,
        source=Source(partition, offset),
    )
