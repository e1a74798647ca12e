"""Every kind of bad record: its reason, its bytes untouched, and the records around it unharmed."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.decoder import EARLIEST_MS, LATEST_MS, Decoder
from stream.records import LoggedRecord
from stream.testing import NOW_MS, InMemoryOutput
from tests.stream.partitions import partition_of
from tidecast.errors import Reason
from tidecast.messages import RECORD_BYTES, read_rejection, rejection_headers

AHEAD_S: Final = 300
SECOND: Final = 1000


class Bad(NamedTuple):
    """A record that must be refused."""

    name: str
    reason: Reason
    value: bytes | None
    key: bytes | None = b"a"


def written(
    value: str = "1", timestamp: str = str(NOW_MS), series_id: str = '"a"', extra: str = ""
) -> bytes:
    """An observation with the given pieces of JSON."""
    values = value if value.startswith(("{", "[")) else f'{{"value": {value}}}'
    start = f'"series_id": {series_id}, "timestamp": {timestamp}'
    return f'{{{start}, "values": {values}{extra}}}'.encode()


BAD: Final = [
    Bad("empty value", Reason.EMPTY, b""),
    Bad("null value", Reason.EMPTY, None),
    Bad("neither key nor value", Reason.EMPTY, None, None),
    Bad("one byte too many", Reason.TOO_LARGE, written().ljust(RECORD_BYTES + 1)),
    Bad("not JSON", Reason.MALFORMED, b"value=1"),
    Bad("spaces", Reason.MALFORMED, b"   "),
    Bad("cut off", Reason.MALFORMED, written()[:-1]),
    Bad("two observations", Reason.MALFORMED, written() * 2),
    Bad("bad UTF-8", Reason.MALFORMED, written(series_id='"X"').replace(b"X", b"\xff\xfe")),
    Bad("a surrogate in UTF-8", Reason.MALFORMED, written().replace(b'"a"', b'"\xed\xa0\x80"')),
    Bad("UTF-16", Reason.MALFORMED, written().decode().encode("utf-16")),
    Bad("byte order mark", Reason.MALFORMED, b"\xef\xbb\xbf" + written()),
    Bad("nested arrays", Reason.MALFORMED, b"[" * 60_000),
    Bad("nested values", Reason.MALFORMED, b'{"values":' + b"[" * 60_000),
    Bad("nested future", Reason.MALFORMED, written(extra=', "future": ' + "[" * 30_000)),
    Bad("array instead of object", Reason.SCHEMA, b"[]"),
    Bad("null instead of object", Reason.SCHEMA, b"null"),
    Bad("no field at all", Reason.SCHEMA, b"{}"),
    Bad("extra field", Reason.SCHEMA, written(extra=', "unit": "kW"')),
    Bad("values as array", Reason.SCHEMA, written("[1]")),
    Bad("boolean for a number", Reason.SCHEMA, written("true")),
    Bad("string for a number", Reason.SCHEMA, written('"1"')),
    Bad("NaN as a string", Reason.SCHEMA, written('"NaN"')),
    Bad("empty series id", Reason.SCHEMA, written(series_id='""'), b""),
    Bad("number for a series id", Reason.SCHEMA, written(series_id="7"), b"7"),
    Bad("long series id", Reason.SCHEMA, written(series_id=f'"{"a" * 257}"'), b"a" * 257),
    Bad("long in bytes", Reason.SCHEMA, written(series_id=f'"{"é" * 129}"'), ("é" * 129).encode()),
    Bad("long event id", Reason.SCHEMA, written(extra=f', "event_id": "{"é" * 33}"')),
    Bad("empty event id", Reason.SCHEMA, written(extra=', "event_id": ""')),
    Bad("number for an event id", Reason.SCHEMA, written(extra=', "event_id": 7')),
    Bad("lone surrogate", Reason.SCHEMA, written(series_id=r'"\ud800"')),
    Bad("no key", Reason.NO_KEY, written(), None),
    Bad("another key", Reason.KEY_MISMATCH, written(), b"b"),
    Bad("empty key", Reason.KEY_MISMATCH, written(), b""),
    Bad("key that is not UTF-8", Reason.KEY_MISMATCH, written(), b"\xff"),
    Bad("second id wins", Reason.KEY_MISMATCH, written(extra=', "series_id": "b"')),
    Bad("unknown channel", Reason.UNKNOWN_CHANNEL, written('{"value": 1, "load": 2}')),
    Bad("channel of a surrogate", Reason.UNKNOWN_CHANNEL, written(r'{"value": 1, "\ud800": 2}')),
    Bad("missing channel", Reason.MISSING_CHANNEL, written("{}")),
    Bad("NaN", Reason.NON_FINITE, written("NaN")),
    Bad("Infinity", Reason.NON_FINITE, written("Infinity")),
    Bad("-Infinity", Reason.NON_FINITE, written("-Infinity")),
    Bad("1e999", Reason.NON_FINITE, written("1e999")),
    Bad("-1e999", Reason.NON_FINITE, written("-1e999")),
    Bad("1e39", Reason.NON_FINITE, written("1e39")),
    Bad("-3.5e38", Reason.NON_FINITE, written("-3.5e38")),
    Bad("integer of 400 digits", Reason.NON_FINITE, written("1" * 400)),
    Bad("integer of 5000 digits", Reason.NON_FINITE, written("1" * 5000)),
    Bad("no zone", Reason.TIMESTAMP, written(timestamp='"2026-01-01T00:00:00"')),
    Bad("not a time", Reason.TIMESTAMP, written(timestamp='"noon"')),
    Bad("boolean time", Reason.TIMESTAMP, written(timestamp="true")),
    Bad("null time", Reason.TIMESTAMP, written(timestamp="null")),
    Bad("fraction of a millisecond", Reason.TIMESTAMP, written(timestamp="1.5")),
    Bad("30 digits", Reason.TIMESTAMP, written(timestamp="9" * 30)),
    Bad("2^63", Reason.TIMESTAMP, written(timestamp=str(2**63))),
    Bad("-2^63 - 1", Reason.TIMESTAMP, written(timestamp=str(-(2**63) - 1))),
    Bad("before any calendar", Reason.TIMESTAMP, written(timestamp="-99999999999999999")),
    Bad("year one", Reason.TIMESTAMP, written(timestamp='"0001-01-01T00:00:00+23:59"')),
    Bad("after year 9999", Reason.TIMESTAMP, written(timestamp='"9999-12-31T23:59:59-23:59"')),
    Bad("far future", Reason.FUTURE, written(timestamp='"9000-01-01T00:00:00Z"')),
    Bad("too far ahead", Reason.FUTURE, written(timestamp=str(NOW_MS + AHEAD_S * SECOND + 1))),
    Bad("too late", Reason.LATE, written(timestamp=str(NOW_MS - SECOND)), b"a"),
]


def good(offset: int, series_id: str, value: float, slot: int) -> LoggedRecord:
    text = written(str(value), str(NOW_MS + slot * SECOND), json.dumps(series_id))
    return LoggedRecord(offset, NOW_MS, series_id.encode(), text)


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
async def test_a_bad_record_is_rejected_whole_and_harms_no_other(bad: Bad) -> None:
    around = [good(0, "a", 1.0, 0), good(1, "good", 2.0, 0), good(3, "good", 3.0, 1)]
    records = [*around[:2], LoggedRecord(2, NOW_MS, bad.key, bad.value), around[2]]
    output, expected = InMemoryOutput(), InMemoryOutput()
    await (await partition_of(expected)).handle(around)
    await (await partition_of(output)).handle(records)
    assert output.messages == expected.messages
    ((number, rejection),) = output.rejected
    assert (rejection.reason, rejection.key, rejection.value) == (bad.reason, bad.key, bad.value)
    assert (number, rejection.offset) == (rejection.partition, 2)
    assert rejection.stage == ("grid" if bad.reason is Reason.LATE else "decode")
    headers = dict(rejection_headers(rejection))
    assert read_rejection(bad.key, bad.value, headers) == rejection


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (written("1"), 1.0),
        (written("-0"), 0.0),
        (written("1e-400"), 0.0),
        (written("3.4028234e38"), 3.4028234e38),
        (written(str(2**70)), 2.0**70),
        (written("null"), np.nan),
        (written('{"value": 1, "value": 2}'), 2.0),
        (written(extra=', "values": {"value": 3}'), 3.0),
        (written(extra=', "future": {"holiday": [0, null, 1]}'), 1.0),
        (written(series_id=r'"\u0061"'), 1.0),
        (written(timestamp=str(NOW_MS + AHEAD_S * SECOND)), 1.0),
        (written(timestamp="-1"), 1.0),
        (written(timestamp='"2026-01-01T00:00:00.123456+05:30"'), 1.0),
        (written().ljust(RECORD_BYTES), 1.0),
    ],
)
def test_what_is_unusual_and_allowed(value: bytes, read: float) -> None:
    columns = Decoder(["value"], AHEAD_S).decode([LoggedRecord(0, NOW_MS, b"a", value)])
    assert columns.refusals == []
    np.testing.assert_array_equal(columns.values, np.array([[read]], np.float32))


@pytest.mark.parametrize("recorded_ms", [-1, EARLIEST_MS - 1, LATEST_MS + 1, -(2**63), 2**63 - 1])
def test_a_record_whose_own_time_means_nothing_is_refused(recorded_ms: int) -> None:
    record = LoggedRecord(0, recorded_ms, b"a", written())
    (refusal,) = Decoder(["value"], AHEAD_S).decode([record]).refusals
    assert refusal.reason is Reason.TIMESTAMP
    assert f"the record's own time, {recorded_ms} ms" in refusal.detail


@pytest.mark.parametrize("recorded_ms", [EARLIEST_MS, -2, 0, LATEST_MS])
def test_a_record_of_any_day_of_the_calendar_is_read(recorded_ms: int) -> None:
    record = LoggedRecord(0, recorded_ms, b"a", written(timestamp=str(recorded_ms)))
    assert Decoder(["value"], AHEAD_S).decode([record]).refusals == []


def test_channels_come_in_the_model_s_order_whatever_their_names() -> None:
    names = ["load", "class", "µ/s", "channel_0"]
    value = written('{"channel_0": 4, "µ/s": 3, "load": 1, "class": null}')
    columns = Decoder(names, AHEAD_S).decode([LoggedRecord(0, NOW_MS, b"a", value)])
    np.testing.assert_array_equal(columns.values, [[1, np.nan, 3, 4]])


@given(st.lists(st.tuples(st.none() | st.binary(), st.none() | st.binary())))
def test_no_bytes_make_it_raise(pairs: list[tuple[bytes | None, bytes | None]]) -> None:
    records = [LoggedRecord(offset, NOW_MS, *pair) for offset, pair in enumerate(pairs)]
    columns = Decoder(["value"], AHEAD_S).decode(records)
    positions = [refusal.position for refusal in columns.refusals]
    assert sorted([*columns.positions.tolist(), *positions]) == list(range(len(pairs)))
    assert positions == sorted(positions)


@given(st.data())
def test_no_damage_to_an_observation_makes_it_raise(data: st.DataObject) -> None:
    value = bytearray(written('{"value": 1.5}', extra=', "future": {"x": [1, null]}'))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(value) - 1))
        value[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not value:
            break
    columns = Decoder(["value"], AHEAD_S).decode([LoggedRecord(0, NOW_MS, b"a", bytes(value))])
    assert len(columns.refusals) + len(columns.positions) == 1
    assert np.all(np.abs(np.nan_to_num(columns.values)) <= np.finfo(np.float32).max)
