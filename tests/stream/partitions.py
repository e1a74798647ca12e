"""A partition, or what it stands on, held by a member of a group, without servers."""

from __future__ import annotations

from typing import Final

from stream.encoder import Encoder
from stream.engine import Engine
from stream.event_log import EventLog
from stream.output import Output
from stream.partition import Partition
from stream.shared_engine import SharedEngine
from stream.state.checkpoint import Checkpoint, Owner, Store, TopicPartition
from stream.state.recovery import recover, terms_of
from stream.testing import CountingPredictor, InMemoryLog, InMemoryStore
from tidecast.settings import StreamSettings

PLACE: Final = TopicPartition("tidecast.events", 2)
PARTITIONS: Final = 4
FIRST: Final = Owner(1, "worker-1", 2)
SECOND: Final = Owner(2, "worker-2", 2)


def engine_of(
    context: int = 8, step_seconds: int = 1, name: str = "counting", **rules: object
) -> Engine:
    """rules: further settings of the stream."""
    fields = {"partitions": PARTITIONS, "step_seconds": step_seconds, **rules}
    stream = StreamSettings.model_validate(fields)
    return Engine(CountingPredictor(context, name=name), stream)


async def claim(store: Store, owner: Owner = FIRST, engine: Engine | None = None) -> Checkpoint:
    engine = engine or engine_of()
    return await Checkpoint.claim(store, PLACE, owner, terms_of(engine, PARTITIONS))


async def partition_of(
    output: Output,
    store: Store | None = None,
    log: EventLog | None = None,
    owner: Owner = FIRST,
    engine: Engine | None = None,
) -> Partition:
    """The partition as `owner` takes it over."""
    engine, log = engine or engine_of(), log or InMemoryLog()
    checkpoint = await claim(store or InMemoryStore(), owner, engine)
    table, cursor = await recover(engine, checkpoint, log, rebuild_records=1000)
    encoder = Encoder(engine.manifest, engine.stream, *PLACE)
    return Partition(SharedEngine(engine), encoder, output, log, checkpoint, table, cursor)
