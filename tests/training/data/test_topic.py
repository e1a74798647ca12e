"""A range of a real events topic, read as its workers saw it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from stream.records import LoggedRecord
from tests.training.data.writing import write
from tidecast.errors import DataError, Reason, SettingsError
from tidecast.local import LocalServers
from tidecast.messages import Observation, encode_observation
from tidecast.publisher import Publisher
from tidecast.settings import KafkaSettings, Settings, StreamSettings
from tidecast.topic_admin import create_topics
from training.data.events import Events
from training.data.topic import KafkaSource, read_topic

STEP = 60
START = 1_767_225_600
NAN = np.nan


def record(
    offset: int, series: str, second: int, load: float | None, event_id: str | None = None
) -> LoggedRecord:
    """A record that arrived when its observation was made, or later."""
    observation = Observation(
        series, (START + second) * 1000, {"load": load, "heat": 1.0}, event_id=event_id
    )
    value = encode_observation(observation)
    return LoggedRecord(offset, (START + 3600) * 1000, series.encode(), value)


def gathered(records: Sequence[LoggedRecord], **rules: object) -> Events:
    events = Events(["load", "heat"], StreamSettings(step_seconds=STEP, **rules))  # type: ignore[arg-type]
    for begin in range(0, len(records), 3):
        events.add(0, records[begin : begin + 3])
    return events


def test_values_of_a_slot_combine_as_the_stream_says() -> None:
    records = [record(0, "a", 0, 1), record(1, "a", 130, 5), record(2, "a", 150, 7)]
    events = gathered(records, aggregate={"load": "sum"})
    table, combined = events.table()
    assert (table.names, table.channels, table.first, table.step_seconds) == (
        ("a",),
        ("load", "heat"),
        START,
        STEP,
    )
    np.testing.assert_array_equal(table.values[0], [[1, 1], [NAN, NAN], [12, 1]])
    assert combined == 2


def test_what_a_worker_refuses_is_left_out_and_counted() -> None:
    records = [
        record(0, "a", 300, 5),
        record(1, "a", 240, 4),  # within the grace
        record(2, "a", 0, 1),  # older
        record(3, "a", 360, 6, "one"),
        record(4, "a", 420, 7, "one"),  # a repeat
        record(5, "a", 9000, 9),  # ahead of its record
        LoggedRecord(6, (START + 3600) * 1000, b"a", b"no json"),
        record(7, "b", 300, 2),  # one series too many
    ]
    events = gathered(records, grace_slots=1, remembered_ids=4, max_series=1)
    table, _ = events.table()
    np.testing.assert_array_equal(table.values[0, :, 0], [4, 5, 6])
    assert events.refused == {
        Reason.LATE: 1,
        Reason.DUPLICATE: 1,
        Reason.FUTURE: 1,
        Reason.MALFORMED: 1,
        Reason.QUOTA: 1,
    }


def test_nothing_accepted_says_why() -> None:
    events = Events(["power"], StreamSettings())
    events.add(0, [record(0, "a", 0, 1), record(1, "a", 60, 1)])
    with pytest.raises(DataError, match=r"no record .* \(2 unknown_channel\); look at"):
        events.table()


@pytest.fixture
def settings(servers: LocalServers, stream_name: str) -> Settings:
    """A stream of one-minute steps in two partitions, its topics made."""
    made = Settings(
        kafka=KafkaSettings(bootstrap_servers=servers.bootstrap_servers),
        stream=StreamSettings(name=stream_name, partitions=2, step_seconds=STEP),
    )
    create_topics(made)
    return made


def publish(settings: Settings, slots: range) -> None:
    """An observation of each of four series in each slot, its value the slot's number."""
    with Publisher(settings) as publisher:
        for slot in slots:
            at = datetime.fromtimestamp(START + slot * STEP, UTC)
            for series in "abcd":
                publisher.publish(f"pump-{series}", float(slot), timestamp=at)


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A recipe's folder with the stream's settings."""
    stream = settings.stream
    write(
        tmp_path / "stream.toml",
        f'[kafka]\nbootstrap_servers = "{settings.kafka.bootstrap_servers}"\n'
        f'[stream]\nname = "{stream.name}"\npartitions = 2\nstep_seconds = {STEP}\n',
    )
    return tmp_path


def source(**more: object) -> KafkaSource:
    return KafkaSource(("value",), "stream.toml", **more)  # type: ignore[arg-type]


def test_a_range_by_time_or_by_offsets_becomes_a_table(settings: Settings, folder: Path) -> None:
    publish(settings, range(30))
    between = datetime.now(UTC)
    publish(settings, range(30, 50))
    told: list[tuple[int, int]] = []
    whole = read_topic(source(), folder, lambda done, total: told.append((done, total)))
    assert told[-1] == (200, 200)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert sorted(whole.table.names) == [f"pump-{series}" for series in "abcd"]
    expected = np.tile(np.arange(50, dtype=np.float32), (4, 1))
    np.testing.assert_array_equal(whole.table.values[..., 0], expected)
    assert (whole.table.first, whole.table.step_seconds) == (START, STEP)
    assert whole.counts["rows"] == 200
    early = read_topic(source(end=between), folder, lambda *_: None)
    late = read_topic(source(start=between), folder, lambda *_: None)
    np.testing.assert_array_equal(early.table.values, whole.table.values[:, :30])
    np.testing.assert_array_equal(late.table.values, whole.table.values[:, 30:])
    assert len({whole.sha256, early.sha256, late.sha256}) == 3
    some = read_topic(source(start={"0": 10}, end={"0": 14, "1": 0}), folder, lambda *_: None)
    assert some.counts["rows"] == 4


def test_unfit_ranges_are_errors_of_ours(settings: Settings, folder: Path) -> None:
    with pytest.raises(DataError, match="there is none"):
        read_topic(source(), folder, lambda *_: None)
    publish(settings, range(3))
    with pytest.raises(SettingsError, match=r"names partition '7'; .* has 0, 1"):
        read_topic(source(start={"7": 0}), folder, lambda *_: None)
    with pytest.raises(DataError, match="has 12 records, at most 5 are read; give a later start"):
        read_topic(source(most_records=5), folder, lambda *_: None)
    text = (folder / "stream.toml").read_text().replace(settings.stream.name, "nobody")
    write(folder / "stream.toml", text)
    with pytest.raises(SettingsError, match="tidecast topics create"):
        read_topic(source(), folder, lambda *_: None)
