"""Publishing a file, on a real Kafka."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaConsumer

from tidecast.errors import DataError, SettingsError
from tidecast.file_publisher import publish_file
from tidecast.kafka_clients import kafka_python_options
from tidecast.messages import OBSERVATION_SCHEMA, SCHEMA_HEADER, decode_observation, milliseconds
from tidecast.settings import Settings
from tidecast.topics import Topics, partition_of

ROWS, SERIES = 3000, 7
START = 1_767_225_600_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A wide file of one row a second."""
    lines = ["timestamp," + ",".join(f"s{number}" for number in range(SERIES))]
    for row in range(ROWS):
        cells = [str(START + row * 1000), *(str(row + number / 10) for number in range(SERIES))]
        lines.append(",".join(cells))
    path = tmp_path / "load.csv"
    path.write_text("\n".join(lines))
    return path


def test_every_cell_becomes_an_event_in_order(stream: Settings, file: Path) -> None:
    told: list[int] = []
    done = publish_file(stream, file, progress=lambda table: told.append)
    assert (done.events, done.series) == (ROWS * SERIES, SERIES)
    assert told[-1] == done.events
    assert told == sorted(told)

    consumer = KafkaConsumer(
        Topics.of(stream.stream.name).events,
        **kafka_python_options(stream.kafka),
        auto_offset_reset="earliest",
        max_poll_records=10_000,
        consumer_timeout_ms=3_000,
        check_crcs=False,
    )
    values: dict[str, list[float | None]] = {f"s{number}": [] for number in range(SERIES)}
    newest = dict.fromkeys(range(3), 0)
    for record in islice(consumer, done.events):
        observation = decode_observation(record.value)
        assert record.headers == [(SCHEMA_HEADER, OBSERVATION_SCHEMA)]
        assert record.key == observation.series_id.encode()
        assert record.partition == partition_of(observation.series_id, 3)
        assert milliseconds(observation.timestamp) >= newest[record.partition]
        newest[record.partition] = milliseconds(observation.timestamp)
        values[observation.series_id].append(observation.values["value"])
    consumer.close()
    for number, (_, found) in enumerate(sorted(values.items())):
        assert found == [row + number / 10 for row in range(ROWS)]


def test_a_replay_keeps_the_recorded_pace_at_the_given_speed(stream: Settings, file: Path) -> None:
    assert 1.4 <= publish_file(stream, file, speed=2000).seconds <= 4


def test_a_speed_of_nothing_is_refused(stream: Settings, file: Path) -> None:
    with pytest.raises(DataError, match="above 0"):
        publish_file(stream, file, speed=0)


def test_a_topic_that_is_missing_is_a_settings_error(settings: Settings, file: Path) -> None:
    with pytest.raises(SettingsError, match="`tidecast topics create`"):
        publish_file(settings, file)
