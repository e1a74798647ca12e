"""Rows of a table as messages, partition by partition: JSON written a column at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
import polars as pl

from tidecast.files import SERIES, TIME, ObservationTable
from tidecast.topics import partition_of

PARTITION: Final = "partition"
MESSAGE: Final = "message"


class Block(msgspec.Struct, frozen=True):
    """Messages of one partition, in order: `keys[i]` goes with `values[i]`."""

    partition: int
    keys: list[bytes]
    values: list[bytes]


class BlockWriter:
    """Writes the observations of a table as blocks, equal to what `Observation` encodes to."""

    def __init__(self, table: ObservationTable, partitions: int) -> None:
        self._table = table
        self._keys = [series_id.encode() for series_id in table.series]
        self._partitions = pl.Series(
            [partition_of(series_id, partitions) for series_id in table.series]
        )
        self._heads = pl.Series(
            [f'{{"series_id":{_json(name)},"timestamp":' for name in table.series]
        )
        self._tail = [
            part
            for i, channel in enumerate(table.channels)
            for part in (
                pl.lit(f"{',' if i else ''}{_json(channel)}:"),
                pl.col(channel).cast(pl.String).fill_null("null"),
            )
        ]

    def blocks(self, start: int, stop: int) -> Iterator[Block]:
        """The observations of the table's rows [start, stop), a block per partition."""
        events = self._table.events_of(start, stop)
        message = pl.concat_str(
            self._heads.gather(events[SERIES]),
            pl.col(TIME).cast(pl.String),
            pl.lit(',"values":{'),
            *self._tail,
            pl.lit("}}"),
        )
        written = events.select(SERIES, message.cast(pl.Binary).alias(MESSAGE))
        partition = self._partitions.gather(events[SERIES]).alias(PARTITION)
        parts = written.with_columns(partition).partition_by(
            PARTITION, as_dict=True, maintain_order=True
        )
        for (number,), rows in parts.items():
            keys = [self._keys[index] for index in rows[SERIES].to_list()]
            yield Block(int(str(number)), keys, rows[MESSAGE].to_list())


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()
