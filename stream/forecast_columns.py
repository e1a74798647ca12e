"""The forecasts of a batch before they are encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from stream.forecaster import Forecasts
from stream.grid import FloatArray, IntArray
from tidecast.bundle import Manifest


class ForecastColumns(NamedTuple):
    """N forecasts: what differs from one to the other.

    forecast_ids: 32 hex digits each. origins_ms, issued_ms: [N] milliseconds since 1970 UTC.
    offsets: of the answered records, or NO_OFFSET.
    """

    forecast_ids: Sequence[str]
    series_ids: Sequence[str]
    origins_ms: IntArray
    issued_ms: IntArray
    forecasts: Forecasts
    offsets: Sequence[int]


def as_written(answers: FloatArray, manifest: Manifest) -> FloatArray:
    """The numbers of a model's answers [N, horizon, width] in the order of a message.

    [N, levels, horizon] of forecasts, [N, classes] of a classifier's probabilities.
    """
    return answers[:, 0] if manifest.classes else answers.transpose(0, 2, 1)


def each_time(times_ms: IntArray, write: Callable[[list[int]], Iterable[bytes]]) -> list[bytes]:
    """What `write` makes of each timestamp [N]; a batch has few different ones, written once."""
    times = times_ms.tolist()
    distinct = list(dict.fromkeys(times))
    written = dict(zip(distinct, write(distinct), strict=True))
    return [written[time_ms] for time_ms in times]
