"""Making and checking topics, on a real Kafka."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.client.by_hand import make_by_hand
from tidecast.errors import KafkaError, SettingsError
from tidecast.settings import Settings, StreamSettings
from tidecast.topic_admin import check_topics, create_topics, judge, require_topics
from tidecast.topics import OUTPUT_BYTES

SETTINGS = Settings(stream=StreamSettings(name="s", partitions=3))
GOOD = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(OUTPUT_BYTES),
}


def test_topics_are_made_once_and_then_found_in_order(settings: Settings) -> None:
    first = create_topics(settings)
    assert [(topic.partitions, topic.created) for topic in first] == [(3, True)] * 3
    second = create_topics(settings)
    assert [(topic.partitions, topic.created) for topic in second] == [(3, False)] * 3
    assert not any(topic.errors or topic.warnings for topic in first + second)
    require_topics(settings)


def test_a_topic_that_is_missing_is_an_error_that_names_the_command(settings: Settings) -> None:
    assert [topic.partitions for topic in check_topics(settings)] == [None] * 3
    with pytest.raises(SettingsError, match=r"no topic .*events; `tidecast topics create`"):
        require_topics(settings)


def test_a_compacted_input_is_refused_and_left_as_it_is(settings: Settings) -> None:
    make_by_hand(settings, 3, {"cleanup.policy": "compact"})
    events, forecasts, _ = create_topics(settings)
    assert not events.created
    assert forecasts.created
    assert "compacted" in events.errors[0]
    assert "--add-config cleanup.policy=delete" in events.errors[0]
    with pytest.raises(SettingsError, match="compacted"):
        require_topics(settings)


def test_another_partition_count_is_refused(settings: Settings) -> None:
    make_by_hand(settings, 2, {"message.timestamp.type": "LogAppendTime"})
    with pytest.raises(SettingsError, match=r"has 2 partitions, stream\.partitions is 3"):
        require_topics(settings)


def test_the_publishers_clock_is_a_warning(settings: Settings) -> None:
    make_by_hand(settings, 3, {"message.timestamp.type": "CreateTime"})
    events = create_topics(settings)[0]
    assert not events.errors
    assert "message.timestamp.type=LogAppendTime" in events.warnings[0]
    require_topics(settings)


def test_a_replication_factor_that_cannot_be_had_is_one_clear_line(settings: Settings) -> None:
    with pytest.raises(KafkaError, match=r"did not create .*replication factor of 3") as caught:
        create_topics(settings, replication_factor=3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "configs", "says"),
    [
        ("s.events", {"cleanup.policy": "compact,delete"}, "s.events is compacted"),
        ("s.forecasts", {"max.message.bytes": "1048588"}, "takes messages of 1048588 bytes"),
        ("s.rejected", {"cleanup.policy": "compact"}, "s.rejected is compacted"),
    ],
)
def test_what_would_break_the_promise_is_an_error(
    name: str, configs: Mapping[str, str], says: str
) -> None:
    assert says in judge(name, 3, {**GOOD, **configs}, SETTINGS).errors[0]


def test_series_may_end_by_kafka_s_clock_alone() -> None:
    stream = StreamSettings(name="s", partitions=3, end_after_slots=10)
    settings = Settings(stream=stream)
    found = {**GOOD, "message.timestamp.type": "CreateTime"}
    assert "end every series" in judge("s.events", 3, found, settings).errors[0]
    assert not judge("s.events", 3, GOOD, settings).errors
    assert not judge("s.forecasts", 3, found, settings).errors


def test_a_fit_topic_has_neither_error_nor_warning() -> None:
    for name in ("s.events", "s.forecasts", "s.rejected"):
        check = judge(name, 3, GOOD, SETTINGS)
        assert not check.errors + check.warnings
