"""A backlog to work on, published beforehand in batches."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer

from bench.workload import observations, series_ids
from tidecast.kafka_clients import aiokafka_options
from tidecast.messages import OBSERVATION_SCHEMA, SCHEMA_HEADER, encode_observation
from tidecast.settings import Settings
from tidecast.topics import Topics, partition_of

HEADERS = [(SCHEMA_HEADER, OBSERVATION_SCHEMA)]


def publish_backlog(settings: Settings, events: int, series: int) -> None:
    """Publish the workload's first events to the stream, and wait until Kafka has them."""
    asyncio.run(_publish(settings, events, series))


async def _publish(settings: Settings, events: int, series: int) -> None:
    topic = Topics.of(settings.stream.name).events
    count = settings.stream.partitions
    places = {series_id: partition_of(series_id, count) for series_id in series_ids(series)}
    async with AIOKafkaProducer(
        **aiokafka_options(settings.kafka),
        acks="all",
        enable_idempotence=True,
        max_batch_size=256 * 1024,
    ) as producer:
        open_: list[Any] = [producer.create_batch() for _ in range(count)]
        sent = []
        for observation in observations(events, series):
            key = observation.series_id.encode()
            number = places[observation.series_id]
            value = encode_observation(observation)
            while (
                open_[number].append(timestamp=None, key=key, value=value, headers=HEADERS) is None
            ):
                open_[number].close()
                sent.append(await producer.send_batch(open_[number], topic, partition=number))
                open_[number] = producer.create_batch()
        for number, batch in enumerate(open_):
            if batch.record_count():
                sent.append(await producer.send_batch(batch, topic, partition=number))
        await asyncio.gather(*sent)
