"""Produce requests, against those that aiokafka writes by itself."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from aiokafka.producer import sender
from aiokafka.protocol import produce

from tidecast.produce_request import ProduceRequest, join_once

BATCH = bytearray(range(256)) * 40
TOPICS: list[tuple[str, list[tuple[int, bytearray]]]] = [
    ("tidecast.forecasts", [(0, BATCH), (3, BATCH[:1])]),
    ("tidecast.rejécted", [(1, bytearray())]),
]
VERSIONS = range(len(produce.ProduceRequest._CLASSES))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("topics", [TOPICS, TOPICS[:1], []])
def test_the_bytes_are_those_that_aiokafka_writes(version: int, topics: list[Any]) -> None:
    name = "forecaster" if version >= 3 else None
    ours, theirs = (
        request(name, -1, 30_000, topics).prepare({0: (version, version)})
        for request in (ProduceRequest, produce.ProduceRequest)
    )
    assert version == ours.API_VERSION
    assert ours.encode() == theirs.encode()
    assert (ours.RESPONSE_TYPE, repr(ours)) == (theirs.RESPONSE_TYPE, repr(theirs))


def test_a_request_without_a_name_is_the_same_as_well() -> None:
    ours, theirs = (
        request(None, -1, 30_000, TOPICS).prepare({0: (0, 7)})
        for request in (ProduceRequest, produce.ProduceRequest)
    )
    assert ours.encode() == theirs.encode()


def test_it_takes_the_place_of_aiokafkas() -> None:
    join_once()
    assert sender.ProduceRequest is ProduceRequest


def test_what_was_sent_is_gone_without_a_search_for_garbage() -> None:
    gc.disable()
    try:
        request = ProduceRequest(None, -1, 30_000, TOPICS).prepare({0: (0, 7)})
        assert request.encode()
        left = weakref.ref(request)
        del request
        assert left() is None
    finally:
        gc.enable()
