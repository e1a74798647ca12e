"""Answers to forecast messages: the numbers of a whole batch are written in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import orjson

from stream.engine import Answers
from stream.forecaster import STATUSES, Forecasts
from stream.grid import FloatArray, IntArray
from stream.records import Record
from tidecast.bundle import Manifest
from tidecast.messages import NO_OFFSET, ForecastIds
from tidecast.settings import StreamSettings

ENCODED_AT_ONCE: Final = 256
"""Forecasts per call of the JSON library: their text then stays in the processor's cache."""


class Message(NamedTuple):
    """Key and value of one record to send."""

    key: bytes
    value: bytes


class Encoder:
    """Writes the `Forecast` messages of one partition; held equal to that class by a test."""

    def __init__(
        self, manifest: Manifest, stream: StreamSettings, topic: str, partition: int
    ) -> None:
        self._step_seconds = stream.step_seconds
        self._ids = ForecastIds(stream.epoch, topic, partition, manifest.graph_sha256)
        fixed = {
            "step_seconds": stream.step_seconds,
            "model": manifest.name,
            "model_version": manifest.version,
            "target": manifest.target,
            "quantile_levels": list(manifest.quantile_levels),
        }
        # The parts that change from message to message are left open.
        self._form = (
            b'{"forecast_id":"%%b","series_id":"%%b","origin":%%b,"issued_at":%%b,%b,'
            b'"quantiles":[[%%b]],%%b%%d}}'
        ) % orjson.dumps(fixed)[1:-1].replace(b"%", b"%%")
        self._tails = [
            b'"status":%b,"source":{"partition":%d,"offset":' % (orjson.dumps(status), partition)
            for status in STATUSES
        ]

    def encode(self, records: Sequence[Record], answers: Answers) -> Iterator[Message]:
        """The messages of a batch, in order. records: the batch that was answered."""
        answered = [records[position] for position in answers.positions.tolist()]
        offsets = [record.offset for record in answered]
        issued_ms = np.array([record.timestamp for record in answered], np.int64)
        return self._messages(
            (self._ids.of(offset) for offset in offsets),
            answers.series_ids,
            answers.origins,
            issued_ms,
            Forecasts(answers.forecasts, answers.statuses),
            offsets,
        )

    def encode_stale(
        self, series_ids: Sequence[str], slot: int, now_ms: int, forecasts: Forecasts
    ) -> Iterator[Message]:
        """The messages of a timer that went off at `now_ms`, in `slot`, for quiet series."""
        count = len(series_ids)
        return self._messages(
            (self._ids.of_stale(series_id, slot) for series_id in series_ids),
            series_ids,
            np.full(count, slot * self._step_seconds),
            np.full(count, now_ms),
            forecasts,
            [NO_OFFSET] * count,
        )

    def _messages(
        self,
        forecast_ids: Iterable[str],
        series_ids: Sequence[str],
        origins: IntArray,
        issued_ms: IntArray,
        forecasts: Forecasts,
        offsets: Sequence[int],
    ) -> Iterator[Message]:
        columns = zip(
            [forecast_id.encode() for forecast_id in forecast_ids],
            string_chunks(series_ids),
            rfc3339(origins * 1000),
            rfc3339(issued_ms),
            quantile_chunks(forecasts.quantiles),
            [self._tails[status] for status in forecasts.statuses.tolist()],
            offsets,
            strict=True,
        )
        keys = [series_id.encode() for series_id in series_ids]
        return map(Message, keys, [self._form % column for column in columns])


def string_chunks(texts: Sequence[str]) -> list[bytes]:
    """JSON of each text without the quotes around it, in one pass.

    No string of JSON holds the three characters between two others: within one, a quote follows a
    backslash.
    """
    return orjson.dumps(list(texts))[2:-2].split(b'","') if texts else []


def quantile_chunks(forecasts: FloatArray) -> list[bytes]:
    """JSON of each forecast's rows without the outer brackets, level by level.

    forecasts: [N, horizon, levels]. Numbers are the shortest that read back as the same float32.
    """
    by_level = np.ascontiguousarray(forecasts.transpose(0, 2, 1))
    chunks: list[bytes] = []
    for first in range(0, len(by_level), ENCODED_AT_ONCE):
        part = by_level[first : first + ENCODED_AT_ONCE]
        text = orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY)
        chunks += text[3:-3].split(b"]],[[")
    return chunks


def rfc3339(times_ms: IntArray) -> list[bytes]:
    """JSON strings of timestamps [N]; a batch has few different ones, each is written once."""
    distinct, places = np.unique(times_ms, return_inverse=True)
    texts = [
        b'"%b"' % text.encode().replace(b".000", b"")
        for text in np.datetime_as_string(
            distinct.astype("datetime64[ms]"), unit="ms", timezone="UTC"
        ).tolist()
    ]
    return [texts[place] for place in places.tolist()]
