"""Logs that no longer hold what the state continues from: a worker must refuse to go on.

Each is done when all events are answered and the workers have ended. A worker that is started
then must leave with the documented code, and its error must name the command that helps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from bench.faults.driver import Driver
from bench.faults.fault import Fault, Stage
from bench.faults.points import STEP_MS, Point, Points
from bench.processes import BenchError
from bench.streams import Ends
from tidecast.errors import EXIT_CANNOT_CONTINUE, SettingsError
from tidecast.kafka_clients import kafka_python_options
from tidecast.topic_admin import create_topics
from tidecast.topics import Topics

CODES: Final = (EXIT_CANNOT_CONTINUE, SettingsError.exit_code)
COMMANDS: Final = ("tidecast state", "tidecast topics")


def pass_retention(stage: Stage) -> None:
    """Events that were never read are deleted."""
    _publish(stage, _later_points(stage))
    topic = Topics.of(stage.settings.stream.name).events
    with Ends(stage.settings, topic) as ends:
        all_of_it = ends.by_partition()
    with _admin(stage) as admin:
        admin.delete_records({TopicPartition(topic, n): end for n, end in all_of_it.items()})


def recreate(stage: Stage) -> None:
    """The topic is deleted, and made anew under its name."""
    topic = Topics.of(stage.settings.stream.name).events
    with _admin(stage) as admin:
        admin.delete_topics([topic])
    create_topics(stage.settings)


def truncate(stage: Stage) -> None:
    """The topic holds only its first events, as after an unclean election."""
    recreate(stage)
    _publish(stage, _later_points(stage))


def add_partition(stage: Stage) -> None:
    """Series move between partitions."""
    topic = Topics.of(stage.settings.stream.name).events
    with _admin(stage) as admin:
        admin.create_partitions({topic: stage.settings.stream.partitions + 1})


def must_refuse(stage: Stage) -> None:
    """Start a worker. Raises BenchError when it does not refuse as documented."""
    code, words = stage.fleet.run_to_end(0)
    if code not in CODES or not any(command in words for command in COMMANDS):
        raise BenchError(f"a worker left with code {code}, saying: {words[-300:]}")


def _later_points(stage: Stage) -> list[Point]:
    """One more slot of each series."""
    begin_ms = STEP_MS * stage.load.events
    return Points(stage.load, begin_ms)[: stage.load.series]


def _publish(stage: Stage, more: list[Point]) -> None:
    driver = Driver(stage.settings, more, None)
    driver.start()
    driver.join()


@contextlib.contextmanager
def _admin(stage: Stage) -> Iterator[Any]:
    options = kafka_python_options(stage.settings.kafka)
    with contextlib.closing(KafkaAdminClient(**options)) as admin:
        yield admin


RUINS: Final = tuple(
    Fault(name=f"kafka-{name}", group="stop", about=about, ruin=ruin)
    for name, about, ruin in (
        ("retention-passed", "retention has passed events that were never read", pass_retention),
        ("topic-recreated", "the topic is deleted and made anew", recreate),
        ("topic-truncated", "the topic has lost its last events", truncate),
        ("partitions-added", "a partition is added", add_partition),
    )
)
