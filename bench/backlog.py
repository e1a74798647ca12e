"""A backlog to work on, published beforehand through the product's bulk publisher."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from bench.workload import observations, series_ids
from tidecast.blocks import Block
from tidecast.bulk_publisher import BulkPublisher
from tidecast.messages import Observation, encode_observation
from tidecast.settings import Settings
from tidecast.topics import partition_of

EVENTS_AT_ONCE: Final = 20_000


def publish_backlog(settings: Settings, events: int, series: int) -> None:
    """Publish the workload's first events to the stream, and wait until Kafka has them."""
    asyncio.run(_publish(settings, events, series))


async def _publish(settings: Settings, events: int, series: int) -> None:
    count = settings.stream.partitions
    places = {series_id: partition_of(series_id, count) for series_id in series_ids(series)}
    stream = observations(events, series)
    async with BulkPublisher(settings) as publisher:
        while part := list(islice(stream, EVENTS_AT_ONCE)):
            await publisher.send(_blocks(part, places))


def _blocks(part: Iterable[Observation], places: dict[str, int]) -> Iterator[Block]:
    blocks = {number: Block(number, [], []) for number in set(places.values())}
    for observation in part:
        block = blocks[places[observation.series_id]]
        block.keys.append(observation.series_id.encode())
        block.values.append(encode_observation(observation))
    return iter(blocks.values())
