"""Forecasts to JSON: the numbers of a whole batch are written in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import orjson

from stream.forecast_columns import ForecastColumns, as_written, each_time
from stream.forecaster import STATUSES
from stream.grid import FloatArray, IntArray
from tidecast.bundle import Manifest
from tidecast.messages import USUAL_LEAD

ENCODED_AT_ONCE: Final = 256
"""Forecasts per call of the JSON library: their text then stays in the processor's cache."""

FORM: Final = b'{"forecast_id":"%b","series_id":"%b","origin":%b%b%b%b%d}}'
"""A message; what is left open brings the fields between along."""


class JsonForecasts:
    """Writes the forecasts of one model for one partition; held equal to `Forecast` by a test."""

    def __init__(self, manifest: Manifest, step_seconds: int, partition: int) -> None:
        fixed: dict[str, object] = {
            "step_seconds": step_seconds,
            "model": manifest.name,
            "model_version": manifest.version,
            "target": manifest.target,
        }
        if manifest.lead != USUAL_LEAD:
            fixed["lead"] = manifest.lead
        if manifest.classes:
            fixed["classes"] = manifest.classes
            before, after = b'"probabilities":[', b"]"
        else:
            fixed["quantile_levels"] = manifest.quantile_levels
            before, after = b'"quantiles":[[', b"]]"
        self._manifest = manifest
        # What many messages of a batch have in common, such as a time, brings the text around it
        # along: fewer parts are then put together for each.
        model = orjson.dumps(fixed)[1:-1].replace(b"%", b"%%")
        self._issued = b"%%b,%b,%b" % (model, before)
        self._tails = [
            b'%b,"status":%b,"source":{"partition":%d,"offset":'
            % (after, orjson.dumps(status), partition)
            for status in STATUSES
        ]

    def written(self, columns: ForecastColumns) -> list[bytes]:
        """The messages [N]."""
        parts = zip(
            string_chunks(columns.forecast_ids),
            string_chunks(columns.series_ids),
            written_times(b'%b,"issued_at":', columns.origins_ms),
            written_times(self._issued, columns.issued_ms),
            number_chunks(as_written(columns.forecasts.quantiles, self._manifest)),
            [self._tails[status] for status in columns.forecasts.statuses.tolist()],
            columns.offsets,
            strict=True,
        )
        return [FORM % part for part in parts]


def string_chunks(texts: Sequence[str]) -> list[bytes]:
    """JSON of each text without the quotes around it, in one pass.

    No string of JSON holds the three characters between two others: within one, a quote follows a
    backslash.
    """
    return orjson.dumps(list(texts))[2:-2].split(b'","') if texts else []


def number_chunks(numbers: FloatArray) -> list[bytes]:
    """JSON of each item [N, ...] without the outermost brackets of it.

    Numbers are the shortest that read back as the same float32.
    """
    numbers = np.ascontiguousarray(numbers)
    depth = numbers.ndim
    between = b"]" * (depth - 1) + b"," + b"[" * (depth - 1)
    chunks: list[bytes] = []
    for first in range(0, len(numbers), ENCODED_AT_ONCE):
        part = numbers[first : first + ENCODED_AT_ONCE]
        text = orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY)
        chunks += text[depth:-depth].split(between)
    return chunks


def written_times(form: bytes, times_ms: IntArray) -> list[bytes]:
    """The form with the JSON string of each timestamp [N] in it."""

    def write(distinct: list[int]) -> list[bytes]:
        moments = np.array(distinct, "datetime64[ms]")
        texts = np.datetime_as_string(moments, unit="ms", timezone="UTC").tolist()
        return [form % (b'"%b"' % text.encode().replace(b".000", b"")) for text in texts]

    return each_time(times_ms, write)
