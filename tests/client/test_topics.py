"""Which partition a series belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2

from tidecast.topics import Topics, partition_of


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_that_of_the_java_clients(key: bytes, expected: int) -> None:
    """The vectors of `UtilsTest.testMurmur2` in Apache Kafka."""
    assert murmur2(key) & 0xFFFFFFFF == expected & 0xFFFFFFFF


def test_a_partition_is_the_positive_hash_modulo_their_number() -> None:
    assert partition_of("21", 10) == (-973932308 & 0x7FFFFFFF) % 10
    assert partition_of("abc", 7) == 479470107 % 7


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(1, 10_000))
def test_every_series_has_a_partition(series_id: str, partitions: int) -> None:
    assert 0 <= partition_of(series_id, partitions) < partitions


def test_topics_are_named_after_their_stream() -> None:
    assert Topics.of("load") == Topics("load.events", "load.forecasts", "load.rejected")
