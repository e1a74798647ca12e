"""The real store, log and group behind the commands on state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream.admin.state import Services, StateAdmin
from stream.app import group_of
from stream.kafka.admin import KafkaAdmin
from stream.kafka.log import KafkaEventLog
from stream.state.redis_store import RedisStore
from stream.worker import load_engine
from tidecast.kafka_clients import aiokafka_options
from tidecast.settings import Settings
from tidecast.topic_admin import require_topics


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[StateAdmin]:
    """The stream's state for the length of the block.

    Raises ServiceError when Kafka or Redis does not answer, BundleError or SettingsError for what
    a worker would not start with either.
    """
    engine = load_engine(settings)
    require_topics(settings)
    client, group = aiokafka_options(settings.kafka), group_of(settings)
    store, admin = RedisStore(settings.redis, group), KafkaAdmin(client, group)
    log = KafkaEventLog(client, admin)
    try:
        await store.ping()
        yield StateAdmin(engine, Services(store, log, admin))
    finally:
        for close in (log.aclose, admin.aclose, store.close):
            await close()
