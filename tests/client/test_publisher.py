"""Publishing one by one, on a real Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer

from tests.client.by_hand import make_by_hand
from tests.client.forecasts import NOON
from tidecast import Observation, Publisher, Reason, Settings
from tidecast import publisher as publisher_module
from tidecast.errors import KafkaError, MessageError, SettingsError
from tidecast.kafka_clients import kafka_python_options
from tidecast.messages import (
    OBSERVATION_SCHEMA,
    SCHEMA_HEADER,
    decode_observation,
)
from tidecast.observation_checks import checked
from tidecast.topics import Topics, partition_of


def read_events(settings: Settings, count: int) -> list[Any]:
    """The first records of the events topic, as Kafka has them."""
    consumer = KafkaConsumer(
        Topics.of(settings.stream.name).events,
        **kafka_python_options(settings.kafka),
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
    )
    records = list(islice(consumer, count))
    consumer.close()
    return records


def test_what_is_published_is_in_kafka_as_the_contract_says(stream: Settings) -> None:
    sent = [Observation(f"series-{i % 7}", NOON, {"load": float(i), "t": None}) for i in range(50)]
    with Publisher(stream) as publisher:
        for observation in sent:
            publisher.publish_observation(observation)
    records = read_events(stream, len(sent))
    for series_id in {one.series_id for one in sent}:
        mine = [record for record in records if record.key == series_id.encode()]
        assert [decode_observation(record.value) for record in mine] == [
            one for one in sent if one.series_id == series_id
        ]
        assert {record.partition for record in mine} == {partition_of(series_id, 3)}
    assert all(record.headers == [(SCHEMA_HEADER, OBSERVATION_SCHEMA)] for record in records)
    assert all(record.timestamp_type == 1 for record in records)


def test_an_observation_waits_for_company_only_where_it_has_some(
    stream: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "LINGER_MS", 20_000)
    monkeypatch.setattr(publisher_module, "ALONE_S", 20.0)
    with Publisher(stream) as publisher:
        publisher.publish("alone", 1.0, timestamp=NOON).wait(10.0)
        second = publisher.publish("soon", 2.0, timestamp=NOON)
        assert not second.done
        publisher.flush()
        assert second.done


def test_a_receipt_tells_where_the_observation_is(stream: Settings) -> None:
    with Publisher(stream, compression="lz4") as publisher:
        receipts = [publisher.publish("a", 1.5, timestamp=NOON) for _ in range(3)]
        places = [receipt.wait(10) for receipt in receipts]
    assert {place.partition for place in places} == {partition_of("a", 3)}
    assert [place.offset for place in places] == [0, 1, 2]
    assert all(receipt.done for receipt in receipts)


def test_an_event_id_travels_with_its_observation(stream: Settings) -> None:
    with Publisher(stream) as publisher:
        publisher.publish("a", 1.5, timestamp=NOON, event_id="reading-17")
    (record,) = read_events(stream, 1)
    assert decode_observation(record.value).event_id == "reading-17"


def test_one_value_goes_to_the_channel_called_value(stream: Settings) -> None:
    with Publisher(stream) as publisher:
        publisher.publish("a", 1.5, timestamp=1_000)
        publisher.publish("a", timestamp=2_000)
        publisher.publish("a", values={"load": 2}, timestamp=3_000)
    values = [decode_observation(record.value).values for record in read_events(stream, 3)]
    assert values == [{"value": 1.5}, {"value": None}, {"load": 2.0}]


@pytest.mark.parametrize(
    ("arguments", "reason", "says"),
    [
        ({"value": float("nan")}, Reason.NON_FINITE, "NaN; a missing value is None"),
        ({"value": float("inf")}, Reason.NON_FINITE, "32-bit"),
        ({"value": 1e39}, Reason.NON_FINITE, "32-bit"),
        ({"value": True}, Reason.SCHEMA, "True is not a number"),
        ({"value": "1"}, Reason.SCHEMA, "'1' is not a number"),
        ({"values": {"c" * 65_536: 1.0}}, Reason.TOO_LARGE, "at most 65536"),
        ({"value": 1.0, "values": {"a": 1.0}}, Reason.SCHEMA, "either value or values"),
        ({"value": 1.0, "series_id": ""}, Reason.SCHEMA, "non-empty"),
        ({"value": 1.0, "series_id": "ä" * 129}, Reason.SCHEMA, "258 bytes"),
        ({"value": 1.0, "series_id": "\ud800"}, Reason.MALFORMED, "not valid text"),
        (
            {"value": 1.0, "timestamp": datetime(2026, 1, 1)},  # noqa: DTZ001
            Reason.TIMESTAMP,
            "no time zone; use datetime.now",
        ),
        ({"value": 1.0, "event_id": "é" * 33}, Reason.SCHEMA, "event_id has 66 bytes, at most 64"),
        ({"value": 1.0, "event_id": ""}, Reason.SCHEMA, "event_id must be a non-empty text"),
        ({"value": 1.0, "event_id": 7}, Reason.SCHEMA, "event_id must be a non-empty text"),
        ({"value": 1.0, "timestamp": 1.5}, Reason.TIMESTAMP, "whole milliseconds"),
        ({"value": 1.0, "timestamp": True}, Reason.TIMESTAMP, "whole milliseconds"),
        ({"value": 1.0, "timestamp": "2026"}, Reason.TIMESTAMP, "not a datetime"),
    ],
)
def test_what_the_worker_would_reject_does_not_leave(
    stream: Settings, arguments: Mapping[str, Any], reason: Reason, says: str
) -> None:
    with Publisher(stream) as publisher:
        with pytest.raises(MessageError, match=says) as caught:
            publisher.publish(**{"series_id": "a", "timestamp": NOON, **arguments})
        assert caught.value.reason is reason
        receipt = publisher.publish("a", 1.0, timestamp=NOON)
        assert receipt.wait(10).offset == 0


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_finite_32_bit_number_is_accepted(number: float) -> None:
    for same in (number, np.float32(number), np.float64(number)):
        assert checked(Observation("a", 1, {"v": cast(float, same)})).values == {"v": number}


def test_an_error_in_the_block_is_not_hidden_by_closing(stream: Settings) -> None:
    with pytest.raises(ZeroDivisionError), Publisher(stream) as publisher:
        publisher.publish("a", 1 / 0, timestamp=datetime.now(UTC))


def test_nothing_can_be_published_after_closing(stream: Settings) -> None:
    publisher = Publisher(stream)
    publisher.close()
    publisher.close()
    with pytest.raises(KafkaError, match="closed"):
        publisher.publish("a", 1.0, timestamp=NOON)


def test_what_kafka_refuses_is_reported_by_flush_and_once(settings: Settings) -> None:
    make_by_hand(settings, 3, {"max.message.bytes": "300"})
    with Publisher(settings) as publisher:
        good = publisher.publish("a", 1.0, timestamp=NOON)
        publisher.flush()
        bad = publisher.publish("a", values={f"c{i}": 1.0 for i in range(100)}, timestamp=NOON)
        with pytest.raises(KafkaError, match=r"cannot deliver 1 observation\(s\).* larger than"):
            publisher.flush()
        with pytest.raises(KafkaError, match="larger than"):
            bad.wait(1)
    assert good.wait(1).offset == 0


def test_a_topic_that_is_missing_is_a_settings_error(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="`tidecast topics create`"):
        Publisher(settings)
