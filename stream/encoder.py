"""Answers to forecast messages: the numbers of a whole batch are written in one pass."""

from __future__ import annotations

from collections.abc import Sequence
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

FORM: Final = b'{"forecast_id":"%b","series_id":"%b","origin":%b%b%b%b%d}}'
"""A message; what is left open brings the fields between along."""


class Messages(NamedTuple):
    """Records to send, in order: `keys[i]` goes with `values[i]`."""

    keys: list[bytes]
    values: list[bytes]


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
        # What many messages of a batch have in common, such as a time, brings the text around it
        # along: fewer parts are then put together for each.
        self._issued = b'%%b,%b,"quantiles":[[' % orjson.dumps(fixed)[1:-1].replace(b"%", b"%%")
        self._tails = [
            b']],"status":%b,"source":{"partition":%d,"offset":' % (orjson.dumps(status), partition)
            for status in STATUSES
        ]

    def encode(self, records: Sequence[Record], answers: Answers) -> Messages:
        """The messages of a batch, in order. records: the batch that was answered."""
        answered = [records[position] for position in answers.positions.tolist()]
        offsets = [record.offset for record in answered]
        return self._messages(
            self._ids.of_all(offsets),
            answers.series_ids,
            answers.origins,
            np.array([record.timestamp for record in answered], np.int64),
            Forecasts(answers.forecasts, answers.statuses),
            offsets,
        )

    def encode_stale(
        self, series_ids: Sequence[str], slot: int, now_ms: int, forecasts: Forecasts
    ) -> Messages:
        """The messages of a timer that went off at `now_ms`, in `slot`, for quiet series."""
        count = len(series_ids)
        return self._messages(
            [self._ids.of_stale(series_id, slot) for series_id in series_ids],
            series_ids,
            np.full(count, slot * self._step_seconds),
            np.full(count, now_ms),
            forecasts,
            [NO_OFFSET] * count,
        )

    def _messages(
        self,
        forecast_ids: Sequence[str],
        series_ids: Sequence[str],
        origins: IntArray,
        issued_ms: IntArray,
        forecasts: Forecasts,
        offsets: Sequence[int],
    ) -> Messages:
        columns = zip(
            string_chunks(forecast_ids),
            string_chunks(series_ids),
            written_times(b'%b,"issued_at":', origins * 1000),
            written_times(self._issued, issued_ms),
            quantile_chunks(forecasts.quantiles),
            [self._tails[status] for status in forecasts.statuses.tolist()],
            offsets,
            strict=True,
        )
        keys = [series_id.encode() for series_id in series_ids]
        return Messages(keys, [FORM % column for column in columns])


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


def written_times(form: bytes, times_ms: IntArray) -> list[bytes]:
    """The form with the JSON string of each timestamp [N] in it; a batch has few different ones."""
    times = times_ms.tolist()
    distinct = list(dict.fromkeys(times))
    texts = np.datetime_as_string(
        np.array(distinct, "datetime64[ms]"), unit="ms", timezone="UTC"
    ).tolist()
    written = {
        time_ms: form % (b'"%b"' % text.encode().replace(b".000", b""))
        for time_ms, text in zip(distinct, texts, strict=True)
    }
    return [written[time_ms] for time_ms in times]
