"""The consumer group as Kafka sees it."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final

from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError, KafkaError

from bench.processes import BenchError
from stream.app import group_of
from tidecast.kafka_clients import kafka_python_options
from tidecast.settings import Settings

LIMIT_S: Final = 60.0
LOOK_S: Final = 0.1


def await_members(settings: Settings, count: int) -> None:
    """Return when so many workers share the partitions in peace.

    Raises BenchError when that does not come to be.
    """
    deadline = time.monotonic() + LIMIT_S
    # Anew when Kafka was away meanwhile, which another fault may see to.
    while not _reached(settings, count, deadline):
        if time.monotonic() > deadline:
            raise BenchError(f"the group has not come to {count} members in {LIMIT_S:g} s")
        time.sleep(LOOK_S)


def _reached(settings: Settings, count: int, deadline: float) -> bool:
    """Look until so many share the partitions; False when time is up, or Kafka does not answer."""
    options = kafka_python_options(settings.kafka)
    try:
        with contextlib.closing(KafkaAdminClient(**options)) as admin:
            while time.monotonic() <= deadline:
                if _members(admin, group_of(settings)) == count:
                    return True
                time.sleep(LOOK_S)
    except KafkaError:
        pass
    return False


def _members(admin: Any, group: str) -> int:  # noqa: ANN401 - kafka-python has no types
    """How many share the partitions; none while they are being shared out."""
    try:
        found = admin.describe_groups([group])[group]
    except CoordinatorNotAvailableError:  # the first group that this Kafka sees
        return 0
    return len(found["members"]) if found["group_state"] == "Stable" else 0
