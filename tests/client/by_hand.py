"""What a user may have made by hand."""

from __future__ import annotations

from collections.abc import Mapping

from kafka.admin import KafkaAdminClient

from tidecast.kafka_clients import kafka_python_options
from tidecast.settings import Settings
from tidecast.topics import Topics


def make_by_hand(settings: Settings, partitions: int, configs: Mapping[str, str]) -> None:
    name = Topics.of(settings.stream.name).events
    admin = KafkaAdminClient(**kafka_python_options(settings.kafka))
    spec = {"num_partitions": partitions, "configs": dict(configs)}
    admin.create_topics({name: spec}, wait_for_metadata=True)
    admin.close()
