"""Each stop with a state error on the real servers, and the command that resolves it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import kafka
import msgspec
from kafka.admin import KafkaAdminClient
from typer.testing import CliRunner

from stream.app import group_of
from stream.state.checkpoint import TopicPartition, Write
from stream.state.redis_store import RedisStore
from tests.e2e.worker_process import running_worker
from tests.waiting import wait_until
from tidecast import Forecast, Publisher, Subscriber
from tidecast.cli import app
from tidecast.errors import TidecastError
from tidecast.kafka_clients import kafka_python_options
from tidecast.settings import Settings
from tidecast.topic_admin import create_topics
from tidecast.topics import Topics

LIMIT_S: Final = 60.0
SERIES: Final = tuple(f"series-{number}" for number in range(9))
FIRST_MS: Final = 1_700_000_000_000
CANNOT_CONTINUE: Final = 70


def publish(settings: Settings, slots: range) -> int:
    """An observation of each series in each slot; returns how many."""
    with Publisher(settings) as publisher:
        for slot in slots:
            for series_id in SERIES:
                time_ms = FIRST_MS + slot * settings.stream.step_seconds * 1000
                publisher.publish(series_id, float(slot), timestamp=time_ms)
    return len(slots) * len(SERIES)


def answer(settings: Settings, log: Path, wanted: int) -> list[Forecast]:
    """What a worker has sent, and workers before it, once there are as many; it stops cleanly."""
    found: list[Forecast] = []

    def all_there() -> bool:
        found.extend(subscriber.poll(0.2))
        return len(found) >= wanted

    with (
        running_worker(settings, log) as worker,
        Subscriber(settings, start="earliest") as subscriber,
    ):
        wait_until(all_there, LIMIT_S, f"{wanted} forecasts")
        assert worker.stop() == 0
        found += subscriber.poll(0.5)
    return found


def stopped_words(settings: Settings, log: Path) -> str:
    """The log of a worker that leaves because of the state."""
    with running_worker(settings, log) as worker:
        assert worker.wait(LIMIT_S) == CANNOT_CONTINUE
    return log.read_text()


def state(settings: Settings, *arguments: str) -> tuple[int, str]:
    """Exit code and all output of `tidecast state`, its error included."""
    done = CliRunner().invoke(app, ["state", *arguments], env=settings.as_environment())
    if isinstance(done.exception, TidecastError):
        return done.exception.exit_code, f"{done.output}{done.exception}"
    return done.exit_code, done.output


def inspected(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    """What `tidecast state inspect --json` says."""
    code, out = state(settings, "inspect", "--json", *arguments)
    assert code == 0, out
    return [json.loads(line) for line in out.splitlines()]


def verdicts(settings: Settings) -> set[str]:
    return {report["verdict"] for report in inspected(settings)}


def do(settings: Settings, *arguments: str) -> str:
    """The output of a change that succeeds."""
    code, out = state(settings, *arguments, "--yes")
    assert code == 0, out
    return out


def changed(settings: Settings, **stream: object) -> Settings:
    return settings.model_copy(update={"stream": settings.stream.model_copy(update=stream)})


def kafka_admin(settings: Settings) -> Any:  # noqa: ANN401 - kafka-python has no types
    return KafkaAdminClient(**kafka_python_options(settings.kafka))


def test_events_that_retention_passed(settings: Settings, tmp_path: Path) -> None:
    log, topic = tmp_path / "worker.log", Topics.of(settings.stream.name).events
    answer(settings, log, publish(settings, range(5)))
    publish(settings, range(5, 10))
    held = {report["partition"]: report["log_end"] - 2 for report in inspected(settings)}
    admin = kafka_admin(settings)
    admin.delete_records({kafka.TopicPartition(topic, n): start for n, start in held.items()})
    admin.close()

    assert "tidecast state rebuild --accept-loss" in stopped_words(settings, log)
    assert verdicts(settings) == {"retention passed events"}
    code, out = state(settings, "rebuild", "--yes")
    assert (code, "were never read" in out) == (CANNOT_CONTINUE, True), out
    assert "events are lost" in do(settings, "rebuild", "--accept-loss")

    found = answer(settings, log, 5 * len(SERIES) + 2 * len(held))
    assert len(found) == 5 * len(SERIES) + 2 * len(held)
    late = {(one.source.partition, one.source.offset) for one in found[-2 * len(held) :]}
    assert late == {(n, start + k) for n, start in held.items() for k in range(2)}
    assert verdicts(settings) == {"fine"}


def test_a_topic_created_anew(settings: Settings, tmp_path: Path) -> None:
    log, topic = tmp_path / "worker.log", Topics.of(settings.stream.name).events
    answered = answer(settings, log, publish(settings, range(5)))
    admin = kafka_admin(settings)
    admin.delete_topics([topic])
    wait_until(lambda: topic not in admin.list_topics(), LIMIT_S, "the topic is gone")
    admin.close()
    create_topics(settings)
    published = publish(settings, range(5, 7))

    assert "raise stream.epoch, then `tidecast state rebuild`" in stopped_words(settings, log)
    assert verdicts(settings) == {"log created anew"}
    code, out = state(settings, "rebuild", "--yes")
    assert (code, "raise stream.epoch" in out) == (CANNOT_CONTINUE, True), out
    raised = changed(settings, epoch=1)
    do(raised, "rebuild")

    found = answer(raised, log, len(answered) + published)
    assert len({one.forecast_id for one in found}) == len(answered) + published
    assert verdicts(raised) == {"fine"}


def test_partitions_added(settings: Settings, tmp_path: Path) -> None:
    log, topics = tmp_path / "worker.log", Topics.of(settings.stream.name)
    answered = answer(settings, log, publish(settings, range(3)))
    admin = kafka_admin(settings)
    admin.create_partitions(dict.fromkeys((topics.events, topics.forecasts, topics.rejected), 4))
    admin.close()
    grown = changed(settings, partitions=4)
    published = publish(grown, range(3, 5))

    assert "had 3 partitions when the state was written" in stopped_words(grown, log)
    assert verdicts(grown) == {"partitions changed", "nothing stored"}
    do(grown, "rebuild")
    assert len(answer(grown, log, len(answered) + published)) == len(answered) + published
    assert verdicts(grown) == {"fine"}


def test_a_group_that_kafka_has_forgotten_and_series_that_are_to_begin_afresh(
    settings: Settings, tmp_path: Path
) -> None:
    log, ids = tmp_path / "worker.log", tmp_path / "ids.txt"
    answered = answer(settings, log, publish(settings, range(3)))
    asyncio.run(age(settings))
    admin = kafka_admin(settings)
    admin.delete_groups([group_of(settings)])
    admin.close()
    assert verdicts(settings) == {"group forgotten"}
    do(settings, "move-epoch")
    assert verdicts(settings) == {"fine"}

    ids.write_text(f"{SERIES[1]}\nnobody\n")
    out = do(settings, "drop-series", SERIES[0], "--from-file", str(ids))
    assert "not stored: nobody" in out
    code, out = state(settings, "inspect", "--series", SERIES[0])
    assert (code, "nothing is stored" in out) == (CANNOT_CONTINUE, True), out

    published = publish(settings, range(3, 5))
    found = answer(settings, log, len(answered) + published)
    assert len(found) == len(answered) + published
    series = [inspected(settings, "--series", one)[0] for one in SERIES[:3]]
    assert [one["span"] for one in series] == [2, 2, 5]
    assert series[2]["values"]["value"] == [0, 1, 2, 3, 4]
    code, out = state(settings, "rebuild")
    assert (code, "add --yes" in out) == (2, True), out


async def age(settings: Settings) -> None:
    """As if the group had been through a thousand generations."""
    store = RedisStore(settings.redis, group_of(settings))
    for number in range(settings.stream.partitions):
        place = TopicPartition(Topics.of(settings.stream.name).events, number)
        head = await store.head(place)
        assert head is not None
        older = msgspec.structs.replace(head, generation=1000, writes=head.writes + 1)
        assert await store.swap(place, head, Write(older))
    await store.close()
