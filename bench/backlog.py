"""A backlog to work on, published beforehand through the product's bulk publisher."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from bench.workload import observations, series_ids
from tidecast.blocks import Block
from tidecast.bulk_publisher import BulkPublisher
from tidecast.messages import Observation, encode_observation
from tidecast.settings import Settings
from tidecast.topics import partition_of

EVENTS_AT_ONCE: Final = 20_000


Backlog = Sequence[Collection[Block]]
"""Messages in the order of their sending: at each place a block for each partition."""


def publish_backlog(settings: Settings, events: int, series: int) -> None:
    """Publish the workload's first events to the stream, and wait until Kafka has them."""
    publish_written(settings, written_backlog(settings, events, series))


def written_backlog(settings: Settings, events: int, series: int, first: int = 0) -> Backlog:
    """So many events of the workload, from number `first` on, as messages."""
    places = partitions_of(settings, series)
    stream = islice(observations(first + events, series), first, None)
    parts = iter(lambda: list(islice(stream, EVENTS_AT_ONCE)), [])
    return [blocks_of(part, places) for part in parts]


def publish_written(settings: Settings, backlog: Backlog) -> None:
    """Publish messages, and wait until Kafka has them."""
    asyncio.run(_publish(settings, backlog))


async def _publish(settings: Settings, backlog: Backlog) -> None:
    async with BulkPublisher(settings) as publisher:
        for blocks in backlog:
            await publisher.send(blocks)


def partitions_of(settings: Settings, series: int) -> dict[str, int]:
    """The partition of each series id."""
    count = settings.stream.partitions
    return {series_id: partition_of(series_id, count) for series_id in series_ids(series)}


def blocks_of(part: Iterable[Observation], places: Mapping[str, int]) -> Collection[Block]:
    """Observations as messages: a block for each partition."""
    blocks = {number: Block(number, [], []) for number in set(places.values())}
    for observation in part:
        block = blocks[places[observation.series_id]]
        block.keys.append(observation.series_id.encode())
        block.values.append(encode_observation(observation))
    return blocks.values()
