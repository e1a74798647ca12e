"""Reading forecasts, on a real Kafka."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

import pytest

from tests.client.avro import avro_of
from tests.client.conftest import Produce
from tests.client.forecasts import forecast
from tests.waiting import wait_until
from tidecast import Forecast, Publisher, Settings, Subscriber
from tidecast.errors import SettingsError
from tidecast.messages import FORECAST_AVRO_SCHEMA, decode_forecast

T = TypeVar("T")
NAMES = [f"series-{i}" for i in range(6)]


def answers(offsets: Iterable[int]) -> list[Forecast]:
    return [forecast(NAMES[offset % len(NAMES)], offset) for offset in offsets]


def gather(poll: Callable[[float], list[T]], count: int) -> list[T]:
    """Poll until `count` have come."""
    found: list[T] = []

    def enough() -> bool:
        found.extend(poll(0.1))
        return len(found) >= count

    wait_until(enough, 15, f"{count} forecasts")
    return found


def by_id(forecasts: Iterable[Forecast]) -> dict[str, Forecast]:
    return {one.forecast_id: one for one in forecasts}


def test_every_forecast_comes_once_however_often_it_was_sent(
    stream: Settings, produce: Produce
) -> None:
    sent = answers(range(60))
    produce(sent[:40])
    produce(sent[20:])
    produce(sent[5:50])
    with Subscriber(stream, start="earliest") as subscriber:
        found = gather(subscriber.poll, 60)
        assert subscriber.poll(0.3) == []
        assert subscriber.repeats == 20 + 45
    assert len(found) == 60
    assert by_id(found) == by_id(sent)


def test_forecasts_of_a_series_come_in_order(stream: Settings, produce: Produce) -> None:
    produce(answers(range(60)))
    with Subscriber(stream, start="earliest", series=[NAMES[2]]) as subscriber:
        found = gather(subscriber.poll, 10)
    assert [one.source.offset for one in found] == list(range(2, 60, 6))
    assert {one.series_id for one in found} == {NAMES[2]}


def test_latest_begins_at_the_moment_of_connecting(stream: Settings, produce: Produce) -> None:
    produce(answers(range(6)))
    with Subscriber(stream) as subscriber:
        produce(answers(range(6, 12)))
        found = gather(subscriber.poll, 6)
    assert {one.source.offset for one in found} == set(range(6, 12))


def test_the_messages_themselves_come_once_too(stream: Settings, produce: Produce) -> None:
    produce(answers(range(12)) + answers(range(12)))
    with Subscriber(stream, start="earliest") as subscriber:
        messages = gather(subscriber.poll_json, 12)
        assert subscriber.poll_json(0.3) == []
    assert by_id(map(decode_forecast, messages)) == by_id(answers(range(12)))


def test_a_topic_may_hold_both_encodings(stream: Settings, produce: Produce) -> None:
    sent = answers(range(12))
    produce(sent[:6])
    produce(sent[3:], avro_of, FORECAST_AVRO_SCHEMA)
    with Subscriber(stream, start="earliest") as subscriber:
        assert by_id(gather(subscriber.poll, 12)) == by_id(sent)
    with Subscriber(stream, start="earliest") as subscriber:
        messages = gather(subscriber.poll_json, 12)
        wait_until(lambda: subscriber.poll(0.1) == [] and subscriber.repeats == 3, 5, "3 repeats")
    assert by_id(map(decode_forecast, messages)) == by_id(sent)


@pytest.mark.parametrize("noise", [b"", b"{}", avro_of(answers([5])[0])[:-1]])
def test_what_is_no_avro_is_skipped_and_counted(
    stream: Settings, produce: Produce, noise: bytes
) -> None:
    produce([noise, *answers([1])], avro_of, FORECAST_AVRO_SCHEMA)
    with Subscriber(stream, start="earliest") as subscriber:
        assert by_id(gather(subscriber.poll, 1)) == by_id(answers([1]))
        wait_until(lambda: subscriber.poll(0.1) == [] and subscriber.undecodable == 1, 5, "1 skip")


def test_what_is_no_forecast_is_skipped_and_counted(
    stream: Settings, produce: Produce, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = answers([1, 2])
    produce([b"\xff", b"{}", one, b"null", b"[1]", two])
    with Subscriber(stream, start="earliest") as subscriber:
        assert by_id(gather(subscriber.poll, 2)) == by_id([one, two])
        wait_until(lambda: subscriber.poll(0.1) == [] and subscriber.undecodable == 4, 5, "4 skips")
    assert "skipped a record that is no forecast (4 so far)" in caplog.text


def test_a_loop_may_be_left_and_taken_up_again(stream: Settings, produce: Produce) -> None:
    produce([forecast("one", offset) for offset in range(30)])
    with Subscriber(stream, start="earliest") as subscriber:
        first = list(islice(subscriber, 10))
        rest = list(islice(subscriber, 20))
    assert [one.source.offset for one in first + rest] == list(range(30))


def test_a_group_goes_on_where_it_was(stream: Settings, produce: Produce) -> None:
    produce(answers(range(12)))
    group = f"{stream.stream.name}-readers"
    with Subscriber(stream, group=group, start="earliest") as subscriber:
        gather(subscriber.poll, 12)
    produce(answers(range(12, 18)))
    with Subscriber(stream, group=group, start="earliest") as subscriber:
        found = gather(subscriber.poll, 6)
        assert subscriber.poll(0.3) == []
    assert {one.source.offset for one in found} == set(range(12, 18))


def test_a_group_sees_again_what_a_loop_left_undone(stream: Settings, produce: Produce) -> None:
    produce([forecast("one", offset) for offset in range(10)])
    group = f"{stream.stream.name}-readers"
    with Subscriber(stream, group=group, start="earliest") as subscriber:
        list(islice(subscriber, 4))
    with Subscriber(stream, group=group, start="earliest") as subscriber:
        found = list(islice(subscriber, 10))
    assert [one.source.offset for one in found] == list(range(10))


def test_only_a_group_needs_a_thread(stream: Settings) -> None:
    def threads() -> int:
        return sum(thread.name.startswith("kafka-io") for thread in threading.enumerate())

    before = threads()
    with Subscriber(stream):
        assert threads() == before
    with Subscriber(stream, group=f"{stream.stream.name}-readers"):
        assert threads() == before + 1


def test_publisher_and_subscriber_serve_an_asyncio_program(
    stream: Settings, produce: Produce
) -> None:
    """The example of docs/client.md."""

    async def forecasts_of(subscriber: Subscriber, count: int) -> list[Forecast]:
        found: list[Forecast] = []
        while len(found) < count:
            found += await asyncio.to_thread(subscriber.poll, 1.0)
        return found

    async def main() -> list[Forecast]:
        subscriber = await asyncio.to_thread(Subscriber, stream)
        publisher = await asyncio.to_thread(Publisher, stream)
        reading = asyncio.create_task(forecasts_of(subscriber, 6))
        receipt = publisher.publish("plant-7/load", 41.2, timestamp=datetime.now(UTC))
        await asyncio.to_thread(receipt.wait)
        await asyncio.to_thread(produce, answers(range(6)))
        found = await asyncio.wait_for(reading, 15)
        await asyncio.to_thread(publisher.close)
        await asyncio.to_thread(subscriber.close)
        return found

    assert by_id(asyncio.run(main())) == by_id(answers(range(6)))


def test_a_topic_that_is_missing_is_a_settings_error(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="`tidecast topics create`"):
        Subscriber(settings)
