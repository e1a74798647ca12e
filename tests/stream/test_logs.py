"""What a library says again and again is heard now and then."""

from __future__ import annotations

import logging

from stream.logs import SPARED_S, SpareRepeats


def said(name: str, at_s: float, node: int = 1) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "file", 1, "no node %d", (node,), None)
    made.created = at_s
    return made


def heard(spare: SpareRepeats, record: logging.LogRecord) -> str | None:
    return record.getMessage() if spare.filter(record) else None


def test_the_same_matter_is_heard_once_in_a_while_with_its_number() -> None:
    spare = SpareRepeats()
    assert heard(spare, said("aiokafka", 100.0)) == "no node 1"
    assert [heard(spare, said("aiokafka", 100 + n / 100, n)) for n in range(1, 9)] == [None] * 8
    late = said("aiokafka", 100 + SPARED_S)
    assert heard(spare, late) == "no node 1 [and 8 times before]"
    assert heard(spare, said("aiokafka", 101 + SPARED_S)) is None


def test_another_logger_is_another_matter() -> None:
    spare = SpareRepeats()
    assert heard(spare, said("aiokafka", 100.0)) == "no node 1"
    assert heard(spare, said("faust", 100.0)) == "no node 1"


def test_what_we_say_ourselves_is_always_heard() -> None:
    spare = SpareRepeats()
    found = [heard(spare, said("tidecast.worker", 100.0)) for _ in range(3)]
    assert found == ["no node 1"] * 3
