"""Making a stream's topics, and checking those that are there. Nothing existing is changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from tidecast.errors import KafkaError, SettingsError
from tidecast.kafka_clients import kafka_errors, kafka_python_options
from tidecast.settings import KafkaSettings, Settings
from tidecast.topics import OUTPUT_BYTES, Topics

BROKER_DEFAULT: Final = -1
"""Replication factor: whatever the broker's `default.replication.factor` says."""

POLICY: Final = "cleanup.policy"
TIMESTAMP: Final = "message.timestamp.type"
LARGEST: Final = "max.message.bytes"
TOPIC_EXISTS: Final = 36
"""Kafka's error code when somebody else was faster."""

_log = logging.getLogger(__name__)


class TopicCheck(msgspec.Struct, frozen=True):
    """One topic as it was found. `partitions` is None when there is no such topic.

    A topic with `errors` must not be used; each error and warning names its own remedy.
    """

    name: str
    partitions: int | None
    created: bool = False
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def wanted_configs(topics: Topics) -> dict[str, dict[str, str]]:
    """The Kafka configuration that `create_topics` gives each topic, by its name."""
    output = {POLICY: "delete", LARGEST: str(OUTPUT_BYTES)}
    return {
        topics.events: {POLICY: "delete", TIMESTAMP: "LogAppendTime"},
        topics.forecasts: output,
        topics.rejected: output,
    }


def create_topics(settings: Settings, replication_factor: int = BROKER_DEFAULT) -> list[TopicCheck]:
    """Make the topics of the stream that are not there yet, then check all of them.

    Raises KafkaError when Kafka does not answer or refuses.
    """
    wanted = wanted_configs(Topics.of(settings.stream.name))
    with kafka_errors(settings.kafka, "create topics"), _admin(settings.kafka) as admin:
        before = _partition_counts(admin, wanted)
        missing = {
            name: {
                "num_partitions": settings.stream.partitions,
                "replication_factor": replication_factor,
                "configs": configs,
            }
            for name, configs in wanted.items()
            if before[name] is None
        }
        if missing:
            _raise_refusal(admin.create_topics(missing, raise_errors=False))
            admin.wait_for_topics(list(missing))
        return _check(admin, settings, wanted, created=set(missing))


def check_topics(settings: Settings) -> list[TopicCheck]:
    """Check the topics of the stream. Raises KafkaError when Kafka does not answer."""
    wanted = wanted_configs(Topics.of(settings.stream.name))
    with kafka_errors(settings.kafka, "look at the topics"), _admin(settings.kafka) as admin:
        return _check(admin, settings, wanted, created=set())


def require_topics(settings: Settings) -> None:
    """Go on only with topics that keep the stream's promise; log what is merely unwise.

    Raises SettingsError naming the first error, KafkaError when Kafka does not answer.
    """
    checks = check_topics(settings)
    for check in checks:
        for warning in check.warnings:
            _log.warning("%s", warning)
    for check in checks:
        for error in check.errors:
            raise SettingsError(error)


def _admin(settings: KafkaSettings) -> Any:  # noqa: ANN401 - kafka-python has no types
    return _Closing(KafkaAdminClient(**kafka_python_options(settings)))


class _Closing:
    """Closes the admin client with the block; it is no context manager itself."""

    def __init__(self, admin: Any) -> None:  # noqa: ANN401
        self._admin = admin

    def __enter__(self) -> Any:  # noqa: ANN401
        return self._admin

    def __exit__(self, *_: object) -> None:
        self._admin.close()


def _raise_refusal(response: Mapping[str, Any]) -> None:
    for topic in response["topics"]:
        if topic["error_code"] not in (0, TOPIC_EXISTS):
            raise KafkaError(f"Kafka did not create {topic['name']}: {topic['error_message']}")


def _partition_counts(
    admin: Any,  # noqa: ANN401
    names: Mapping[str, object],
) -> dict[str, int | None]:
    described = admin.describe_topics(list(names))
    counts = {topic["name"]: len(topic["partitions"]) or None for topic in described}
    return {name: counts.get(name) for name in names}


def _check(
    admin: Any,  # noqa: ANN401
    settings: Settings,
    wanted: Mapping[str, Mapping[str, str]],
    created: set[str],
) -> list[TopicCheck]:
    counts = _partition_counts(admin, wanted)
    asked = dict.fromkeys((POLICY, TIMESTAMP, LARGEST))
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, asked) for name in wanted if counts[name]
    ]
    answer = admin.describe_configs(resources, config_filter="all") if resources else {}
    found = {
        name: {key: entry["value"] for key, entry in configs.items()}
        for name, configs in answer.get("topic", {}).items()
    }
    return [
        judge(name, counts[name], found.get(name, {}), settings, created=name in created)
        for name in wanted
    ]


def judge(
    name: str,
    partitions: int | None,
    found: Mapping[str, str],
    settings: Settings,
    *,
    created: bool = False,
) -> TopicCheck:
    """The verdict on one topic. found: its Kafka configuration."""
    if partitions is None:
        missing = f"there is no topic {name}; `tidecast topics create` makes it"
        return TopicCheck(name, None, errors=(missing,))
    events = name == Topics.of(settings.stream.name).events
    errors = [*_partition_errors(name, partitions, settings.stream.partitions)]
    if "compact" in found[POLICY]:
        errors.append(
            f"{name} is compacted ({POLICY}={found[POLICY]}), which drops messages; "
            f"set it to delete: {_alter(name, POLICY, 'delete')}"
        )
    if not events and int(found[LARGEST]) < OUTPUT_BYTES:
        errors.append(
            f"{name} takes messages of {found[LARGEST]} bytes, the worker sends up to "
            f"{OUTPUT_BYTES}: {_alter(name, LARGEST, str(OUTPUT_BYTES))}"
        )
    warnings = []
    if events and found[TIMESTAMP] != "LogAppendTime":
        clocks = f"{name} keeps the publishers' clocks ({TIMESTAMP}={found[TIMESTAMP]}), by which"
        remedy = _alter(name, TIMESTAMP, "LogAppendTime")
        if settings.stream.end_after_slots:
            # A replay decides alike by any clock; but nothing brings back what it has dropped.
            errors.append(
                f"{clocks} a single one that runs ahead would end every series of its partition: "
                f"{remedy}, or set stream.end_after_slots to 0"
            )
        else:
            warnings.append(f"{clocks} future and the quota of new series are judged: {remedy}")
    return TopicCheck(name, partitions, created, tuple(errors), tuple(warnings))


def _partition_errors(name: str, found: int, wanted: int) -> list[str]:
    if found == wanted:
        return []
    return [
        f"{name} has {found} partitions, stream.partitions is {wanted}: set stream.partitions to "
        f"what the topics have, or choose a new stream.name and run `tidecast topics create`"
    ]


def _alter(name: str, key: str, value: str) -> str:
    where = f"--entity-type topics --entity-name {name}"
    return f"`kafka-configs.sh --alter {where} --add-config {key}={value}`"
