"""Names of Faust that the worker overrides or calls, and the defaults that it overrides."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any, Final

import faust
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.tables.manager import TableManager
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import Service
from mode.threads import ServiceThread

from stream.kafka import batch_transport
from stream.kafka.consumer_in_loop import ConsumerInLoop
from stream.state.checkpoint import TopicPartition
from tests.stream.kafka.faust_pins import PLACE, close, plain_app

SIGNATURES: Final[list[tuple[Callable[..., Any], list[str]]]] = [
    # Overridden in batch_transport.Consumer.
    (driver.Consumer._drain_messages, ["self", "fetcher"]),
    (driver.Consumer._filter_committable_offsets, ["self", "tps"]),
    (driver.Consumer.on_partitions_revoked, ["self", "revoked"]),
    (driver.Consumer.on_partitions_assigned, ["self", "assigned", "generation_id"]),
    (driver.Consumer.on_buffer_full, ["self", "tp"]),
    (driver.Consumer.on_buffer_drop, ["self", "tp"]),
    # Called by it.
    (driver.Consumer._wait_next_records, ["self", "timeout"]),
    (driver.Consumer._should_commit, ["self", "tp", "offset"]),
    (driver.Consumer.wait_first, ["self", "coros", "timeout"]),
    (driver.AIOKafkaConsumerThread._ensure_consumer, ["self"]),
    # Overridden in app.NoTables, and called by it.
    (TableManager.on_start, ["self"]),
    (TableManager._update_channels, ["self"]),
    # Called by worker.Worker.
    (driver.Consumer.commit, ["self", "topics", "start_new_transaction"]),
    # Built like Faust's own.
    (driver.Transport.__init__, ["self", "args", "kwargs"]),
]

MESSAGE: Final = [
    "self", "topic", "partition", "offset", "timestamp", "timestamp_type", "headers", "key",
    "value", "checksum", "serialized_key_size", "serialized_value_size", "tp", "time_in",
    "time_out", "time_total", "generation_id",
]  # fmt: skip


@pytest.mark.parametrize(("function", "parameters"), SIGNATURES)
def test_a_method_has_the_parameters_that_we_count_on(
    function: Callable[..., Any], parameters: list[str]
) -> None:
    """A change here is a change of `stream/kafka/batch_transport.py`."""
    assert list(inspect.signature(function).parameters) == parameters


def test_the_table_manager_waits_for_a_second_and_starts_two_things() -> None:
    """`app.NoTables` does the same without the second."""
    source = inspect.getsource(TableManager.on_start)
    calls = [line.strip() for line in source.splitlines() if "await " in line]
    assert calls == [
        "await self.sleep(1.0)",
        "await self._update_channels()",
        "await self.recovery.start()",
    ]


def test_a_message_is_built_from_what_batch_transport_gives() -> None:
    assert list(inspect.signature(ConsumerMessage.__init__).parameters) == MESSAGE


async def test_the_attributes_that_batch_transport_reads() -> None:
    app = plain_app()
    consumer = app.consumer
    assert consumer.flow_active in (True, False)
    assert not consumer.should_stop
    assert consumer.can_resume_flow is not consumer.suspend_flow
    assert consumer._read_offset[PLACE] is None
    assert all(issubclass(kind, Exception) for kind in consumer.consumer_stopped_errors)
    assert callable(consumer.callback)
    assert consumer._thread is not None
    assert app.consumer_generation_id == 0
    assert app.crash_reason is None
    close(app)


async def test_the_group_coordinator_knows_generation_and_member() -> None:
    """`batch_transport._owner` names a partition's owner by them."""
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    coordinator = GroupCoordinator(client, SubscriptionState(), group_id="pins")
    assert coordinator.generation == -1
    assert coordinator.member_id == ""
    await coordinator.close()
    assert "self._coordinator = GroupCoordinator(" in inspect.getsource(AIOKafkaConsumer.start)


def test_every_commit_of_faust_asks_for_the_committable_offsets() -> None:
    """One override decides what is committed, since there is one caller of `_commit_offsets`."""
    calls = [
        name
        for name, function in inspect.getmembers(BaseConsumer, inspect.isfunction)
        if "._commit_offsets(" in inspect.getsource(function)
    ]
    assert calls == ["_commit_tps"]
    assert "_filter_committable_offsets(" in inspect.getsource(BaseConsumer._commit_tps)


class Holder:
    """An assignment with one partition, saved up to 5."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def committable(self) -> dict[TopicPartition, int]:
        return {TopicPartition(*PLACE): 5}

    def assigned(self, places: object, owner: object) -> None:
        self.calls.append("assigned")

    async def release(self, places: object) -> None:
        self.calls.append("release")

    def forget(self, places: object) -> None:
        self.calls.append("forget")


async def nobody_expels() -> None:
    raise AssertionError("a consumer that never joined was expelled")


class Consumer(batch_transport.Consumer):
    """Ours, whose broker only notes what is committed."""

    def assignment(self) -> set[TP]:
        return {PLACE}

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        self.transport.holder.calls.append(f"commit {offsets[PLACE]}")
        return True


class Transport(batch_transport.Transport):
    """Ours, with that consumer."""

    Consumer = Consumer


async def test_our_consumer_commits_checkpoints_before_it_hands_a_partition_on() -> None:
    app, holder = plain_app(), Holder()
    app.transport = Transport(app.conf.broker_consumer, app, holder, nobody_expels)
    await app.consumer.on_partitions_revoked({PLACE})
    assert holder.calls[:3] == ["release", "commit 5", "forget"]


def test_whatever_the_thread_does_in_its_own_way_is_put_back() -> None:
    """A method that Faust's thread comes to override would have to be put back as well."""
    own = {name for name, value in vars(ServiceThread).items() if inspect.isfunction(value)}
    put_back = own & {name for name, _ in inspect.getmembers(Service, inspect.isfunction)}
    kept = {"__init__", "_new_shutdown_event"}
    for name in put_back - kept:
        assert getattr(ConsumerInLoop, name) is getattr(Service, name)
    assert put_back > kept


async def test_what_faust_has_its_thread_do_is_done_in_our_loop() -> None:
    app = plain_app()
    app.transport = Transport(app.conf.broker_consumer, app, Holder(), nobody_expels)

    async def where(number: int, *, plus: int) -> tuple[object, int]:
        return asyncio.get_running_loop(), number + plus

    thread = app.consumer._thread
    assert await thread.call_thread(where, 1, plus=2) == (asyncio.get_running_loop(), 3)
    assert await thread.call_thread(max, 1, 2) == 2
    threads = threading.active_count()
    await thread.stop()
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("setting", "default"),
    [
        ("producer_request_timeout", "1200.0"),
        ("broker_request_timeout", "90.0"),
        ("broker_session_timeout", "60.0"),
        ("web_enabled", "True"),
        ("web_bind", "0.0.0.0"),
        ("topic_allow_declare", "True"),
        ("topic_disable_leader", "False"),
        ("stream_buffer_maxsize", "4096"),
        ("processing_guarantee", "ProcessingGuarantee.AT_LEAST_ONCE"),
    ],
)
def test_a_default_that_app_overrides_is_still_what_it_was(setting: str, default: str) -> None:
    """An entry that changes may make a line of `app.build_app` needless, or dangerous."""
    assert str(getattr(faust.App("pins", autodiscover=False).conf, setting)) == default


async def test_faust_s_own_producer_is_not_idempotent() -> None:
    """Why forecasts leave through `kafka_output`, by a producer of ours."""
    producer = plain_app().producer
    settings = {**producer._settings_default(), **producer._settings_extra()}
    assert "enable_idempotence" not in settings
    assert settings["request_timeout_ms"] == 20 * 60 * 1000
