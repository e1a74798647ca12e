"""Records of an events topic to a table, by the rules of the worker that reads the same stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NoReturn, final

import numpy as np

from stream.engine import Engine, decoder_of
from stream.grid import AnyArray
from stream.predictor import Inputs
from stream.records import Record
from stream.series.table import SeriesTable
from tidecast.bundle import Channel, Manifest
from tidecast.errors import DataError, Reason
from tidecast.settings import StreamSettings
from training.data.grid import Combine, Grid, Span
from training.data.table import Table


class Events:
    """Gathers what a worker of the stream would accept.

    The worker's own engine decides: what is no observation, too late, ahead of its time, a repeat
    or beyond a quota is refused. It is asked for no forecast.
    """

    def __init__(self, channels: Sequence[str], stream: StreamSettings) -> None:
        """channels: those of the stream's model, all and no others."""
        self._channels = tuple(channels)
        self._stream = stream
        manifest = _manifest(self._channels, stream)
        self._engine = Engine(Unasked(manifest), stream)
        self._decoder = decoder_of(manifest, stream)
        self._tables: dict[int, SeriesTable] = {}
        self._ids: dict[str, int] = {}
        self._batches: list[tuple[AnyArray, ...]] = []
        self.accepted = 0
        self.refused: Counter[Reason] = Counter()

    def add(self, partition: int, records: Sequence[Record]) -> None:
        """Take the next records of a partition, in order."""
        table = self._tables.setdefault(partition, self._engine.new_table())
        refusals = self._engine.apply(table, records, "none").refusals
        self.refused.update(refusal.reason for refusal in refusals)
        columns = self._decoder.decode(records)
        kept = ~np.isin(columns.positions, [refusal.position for refusal in refusals])
        rows = [self._ids.setdefault(name, len(self._ids)) for name in columns.series_ids]
        batch = np.array(rows, np.int64), columns.timestamps_ms, columns.values
        self._batches.append(tuple(column[kept] for column in batch))
        self.accepted += int(kept.sum())

    def table(self) -> tuple[Table, int]:
        """The table, and how many values met another one in their slot.

        Raises DataError when nothing was accepted, or the grid would be too large.
        """
        if not self.accepted:
            why = ", ".join(f"{count} {reason}" for reason, count in self.refused.most_common())
            raise DataError(
                f"no record in the range is accepted ({why or 'there is none'}); look at start, "
                f"end and channels, which must be those of the observations: not {self._channels}"
            )
        first = min(int(times.min()) for _, times, _ in self._batches if len(times))
        last = max(int(times.max()) for _, times, _ in self._batches if len(times))
        span = Span.of(first, last, self._stream.step_seconds)
        grid = Grid(len(self._ids), span, self._rules())
        for rows, times, values in self._batches:
            grid.add(rows, times, values)
        values, combined = grid.finish()
        step = span.step_seconds
        table = Table(tuple(self._ids), values, self._channels, span.first * step, step)
        return table, combined

    def _rules(self) -> list[Combine]:
        aggregate = self._stream.aggregate
        if isinstance(aggregate, str):
            return [aggregate] * len(self._channels)
        return [aggregate.get(name, "last") for name in self._channels]


@final
class Unasked:
    """In the place of a model, for an engine that is to judge events and forecast nothing."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def predict(self, inputs: Inputs) -> NoReturn:
        """See Predictor."""
        raise NotImplementedError

    def step(self, inputs: Inputs) -> NoReturn:
        """See Predictor."""
        raise NotImplementedError


def _manifest(channels: tuple[str, ...], stream: StreamSettings) -> Manifest:
    """A model of these channels without a graph, its window as short as the rules allow."""
    return Manifest(
        name="unasked",
        version="1",
        task="forecast",
        graph_sha256="0" * 64,
        graph_bytes=1,
        opset=1,
        step_seconds=None,
        context=max(stream.grace_slots + 1, stream.stale_after_slots + 2),
        horizon=1,
        channels=tuple(Channel(name, "any") for name in channels),
        target=channels[0],
        quantile_levels=(0.5,),
        state_size=0,
        created="",
        data_sha256="",
        data_licence="",
        training={},
        figures={},
        tools={},
    )
