"""All partitions that this worker holds: claimed on their first batch, saved, released."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import structlog

from stream.checkpoint import Checkpoint, Owner, Store, TopicPartition
from stream.encoder import Encoder
from stream.engine import Engine
from stream.event_log import EventLog
from stream.health import AssignmentState, Held, Rebuild
from stream.output import Output
from stream.partition import Partition
from stream.records import Record
from stream.recovery import recover
from tidecast.errors import FencedError, RedisError, StateError, StoreLostError
from tidecast.settings import WorkerSettings

RETRY_S: Final = 0.5
"""Pause between two tries while Redis does not answer."""

log = structlog.get_logger("tidecast.assignment")


class Batch(NamedTuple):
    """Records of one partition, fetched while `owner` held it."""

    partition: TopicPartition
    owner: Owner
    records: Sequence[Record]


class Services(NamedTuple):
    """The outside world of an assignment."""

    store: Store
    log: EventLog
    output: Output
    partitions: Callable[[str], int]
    """How many partitions a topic has."""


class Assignment:
    """Routes batches to partitions and keeps their checkpoints.

    A partition is claimed with the first batch of a generation. Once it is released or fenced,
    batches of that generation and older ones are passed over: they belong to the next owner.
    """

    def __init__(self, engine: Engine, services: Services, worker: WorkerSettings) -> None:
        self._engine = engine
        self._services = services
        self._worker = worker
        self._held: dict[TopicPartition, Partition] = {}
        self._owners: dict[TopicPartition, Owner] = {}
        self._past: dict[TopicPartition, int] = {}
        self._recovering: dict[TopicPartition, Rebuild] = {}
        self._claiming = asyncio.Lock()
        self._store_failed_at: float | None = None

    def committable(self) -> dict[TopicPartition, int]:
        """Offsets that may be committed: whatever is before them is in a checkpoint."""
        return {place: partition.saved for place, partition in self._held.items()}

    def state(self) -> AssignmentState:
        """What there is to know of the partitions, for health and watchdogs."""
        held = {
            place: Held(len(partition), partition.cursor, partition.saved)
            for place, partition in self._held.items()
        }
        failed_at = self._store_failed_at
        store_down_s = 0.0 if failed_at is None else time.monotonic() - failed_at
        return AssignmentState(held, dict(self._recovering), store_down_s, self._worker.outage_s)

    async def handle(self, batch: Batch) -> None:
        """Answer a batch. Blocks while Redis has been away for too long."""
        place, owner, records = batch
        if owner.generation <= self._past.get(place, -1):
            return
        await self._hold_while_store_is_down()
        async with self._claiming:
            partition = await self._partition(place, owner)
        if partition is not None:
            await partition.handle(records)

    async def save(self) -> None:
        """Checkpoint every partition. Raises KafkaError when a forecast was not stored."""
        for place in list(self._held):
            await self._save(place)

    async def release(self, places: Iterable[TopicPartition]) -> None:
        """Finish the batches in hand and checkpoint; nothing of these is answered afterwards.

        The partitions stay committable until `forget`.
        """
        held = {place: self._held[place] for place in places if place in self._held}
        for place, partition in held.items():
            self._past[place] = self._owners[place].generation
            await partition.release()
            await self._save(place)

    def forget(self, places: Iterable[TopicPartition]) -> None:
        """Drop what is held of the given partitions."""
        for place in places:
            self._held.pop(place, None)

    async def _partition(self, place: TopicPartition, owner: Owner) -> Partition | None:
        """The partition as this owner holds it; what another generation left is not trusted."""
        partition = self._held.get(place)
        if partition is not None and self._owners[place] == owner:
            return partition
        self.forget([place])
        return await self._claim(place, owner)

    async def _save(self, place: TopicPartition) -> None:
        partition = self._held.get(place)
        if partition is None:
            return
        try:
            if await partition.save():
                self._store_answers(True)
        except RedisError as error:
            self._store_answers(False, str(error))
        except (FencedError, StoreLostError) as error:
            self._drop(place, partition, error)

    def _drop(self, place: TopicPartition, partition: Partition, error: StateError) -> None:
        """Forget a partition whose checkpoint was refused, unless it was claimed anew meanwhile."""
        if self._held.get(place) is not partition:
            return
        if isinstance(error, FencedError):
            log.warning("partition lost to a newer owner", action="fenced", error=str(error))
            self._past[place] = self._owners[place].generation
        else:
            log.warning("checkpoint lost, recovering", action="store_lost", error=str(error))
        self.forget([place])

    async def _claim(self, place: TopicPartition, owner: Owner) -> Partition | None:
        """Take a partition over; None when a newer owner has it."""
        self._recovering[place] = Rebuild()
        try:
            return await self._claim_patiently(place, owner)
        finally:
            del self._recovering[place]

    async def _claim_patiently(self, place: TopicPartition, owner: Owner) -> Partition | None:
        while True:
            try:
                partition = await self._take(place, owner)
            except FencedError as error:
                log.warning("not ours any more", action="fenced", error=str(error))
                self._past[place] = owner.generation
                return None
            except RedisError as error:
                self._store_answers(False, str(error))
                await asyncio.sleep(RETRY_S)
            else:
                self._store_answers(True)
                self._held[place], self._owners[place] = partition, owner
                return partition

    async def _take(self, place: TopicPartition, owner: Owner) -> Partition:
        engine, services = self._engine, self._services
        started = time.monotonic()
        checkpoint = await Checkpoint.claim(
            services.store,
            place,
            owner,
            engine.layout.fingerprint(),
            engine.manifest.graph_sha256,
            services.partitions(place.topic),
        )
        resumed_at = checkpoint.cursor

        def tell(rebuild: Rebuild) -> None:
            self._recovering[place] = rebuild

        table, cursor = await recover(
            engine, checkpoint, services.log, self._worker.rebuild_records, tell
        )
        log.info(
            "partition ready",
            action="claim",
            partition=str(place),
            series=len(table),
            checkpoint=resumed_at,
            cursor=cursor,
            generation=owner.generation,
            seconds=round(time.monotonic() - started, 3),
        )
        encoder = Encoder(engine.manifest, engine.stream, *place)
        return Partition(engine, encoder, services.output, services.log, checkpoint, table, cursor)

    def _store_answers(self, well: bool, error: str = "") -> None:
        if not well and self._store_failed_at is None:
            self._store_failed_at = time.monotonic()
            log.error(
                "checkpoints have stopped",
                action="store_down",
                error=error,
                forecasts_go_on_s=self._worker.outage_s,
            )
        if well and self._store_failed_at is not None:
            away = time.monotonic() - self._store_failed_at
            log.info("checkpoints go on", action="store_up", seconds=round(away, 1))
            self._store_failed_at = None

    async def _hold_while_store_is_down(self) -> None:
        while (
            self._store_failed_at is not None
            and time.monotonic() - self._store_failed_at > self._worker.outage_s
        ):
            await asyncio.sleep(RETRY_S)
