"""Fakes for tests of streams, ours and our users': no server, no model file."""

from stream.testing.group import InMemoryGroup
from stream.testing.predictors import (
    CountingPredictor,
    FailingPredictor,
    NaivePredictor,
    manifest_of,
)
from stream.testing.records import NOW_MS, record
from stream.testing.services import InMemoryLog, InMemoryOffsets, InMemoryOutput, Message
from stream.testing.stores import Fault, FaultyStore, InMemoryStore

__all__ = [
    "NOW_MS",
    "CountingPredictor",
    "FailingPredictor",
    "Fault",
    "FaultyStore",
    "InMemoryGroup",
    "InMemoryLog",
    "InMemoryOffsets",
    "InMemoryOutput",
    "InMemoryStore",
    "Message",
    "NaivePredictor",
    "manifest_of",
    "record",
]
