"""Settings on the real servers, and forecasts made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import pytest
from kafka import KafkaProducer
from pydantic import SecretStr

from tidecast.kafka_clients import kafka_python_options
from tidecast.local import LocalServers
from tidecast.messages import FORECAST_SCHEMA, SCHEMA_HEADER, Forecast, encode_forecast
from tidecast.settings import KafkaSettings, RedisSettings, Settings, StreamSettings
from tidecast.topic_admin import create_topics
from tidecast.topics import Topics


class Produce(Protocol):
    """Puts forecasts, or any bytes, on the forecasts topic, in order."""

    def __call__(
        self,
        messages: Iterable[Forecast | bytes],
        encode: Callable[[Forecast], bytes] = encode_forecast,
        schema: bytes = FORECAST_SCHEMA,
    ) -> None: ...


@pytest.fixture
def settings(servers: LocalServers, stream_name: str) -> Settings:
    """A stream of this test's own, without topics."""
    return Settings(
        kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers),
        redis=RedisSettings(url=SecretStr(servers.redis_url)),
        stream=StreamSettings(name=stream_name, partitions=3),
    )


@pytest.fixture
def stream(settings: Settings) -> Settings:
    """A stream of this test's own, with its topics."""
    create_topics(settings)
    return settings


@pytest.fixture
def produce(stream: Settings) -> Iterator[Produce]:
    """See Produce."""
    topic = Topics.of(stream.stream.name).forecasts
    producer = KafkaProducer(**kafka_python_options(stream.kafka))

    def send(
        messages: Iterable[Forecast | bytes],
        encode: Callable[[Forecast], bytes] = encode_forecast,
        schema: bytes = FORECAST_SCHEMA,
    ) -> None:
        headers = [(SCHEMA_HEADER, schema)]
        for message in messages:
            if isinstance(message, bytes):
                producer.send(topic, message, b"noise", partition=0, headers=headers)
                continue
            producer.send(
                topic,
                encode(message),
                message.series_id.encode(),
                partition=message.source.partition,
                headers=headers,
            )
        producer.flush(10)

    yield send
    producer.close()
