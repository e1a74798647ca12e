"""All partitions that this worker holds: claimed when they are assigned, saved, released."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import structlog

from stream.encoder import Encoder
from stream.engine import Engine
from stream.event_log import EventLog
from stream.output import Output
from stream.partition import Partition, Saved
from stream.records import Record
from stream.shared_engine import SharedEngine
from stream.state.checkpoint import Checkpoint, Owner, Store, TopicPartition
from stream.state.recovery import recover, terms_of
from stream.state.store_outage import RETRY_S, StoreOutage
from stream.watch.health import AssignmentState, Held, Rebuild
from tidecast.errors import EpochError, FencedError, KafkaError, RedisError, StoreLostError
from tidecast.settings import WorkerSettings

REFUSED_SESSIONS: Final = 3
"""For how many session timeouts Kafka may hold us for the owner of a partition whose state says
otherwise; one that is no member any more learns of it in less than one."""

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


class _Past(NamedTuple):
    """An ownership that is over, since a moment of the monotonic clock, and the reason."""

    owner: Owner
    since_s: float
    refusal: str | None


class Assignment:
    """Routes batches to partitions and keeps their checkpoints.

    A partition is claimed when it is assigned. Once it is released or fenced, batches of that
    owner and of older generations are passed over: they belong to the next owner.
    """

    def __init__(
        self,
        engine: Engine,
        services: Services,
        worker: WorkerSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.outage = StoreOutage(worker.outage_s, clock)
        self._clock = clock
        self._engine = SharedEngine(engine, worker.batch_records)
        self._services = services
        self._worker = worker
        self.held: dict[TopicPartition, Partition] = {}
        """The partitions in hand."""
        self._owners: dict[TopicPartition, Owner] = {}
        self._given: dict[TopicPartition, Owner] = {}
        self._past: dict[TopicPartition, _Past] = {}
        self._kept: dict[TopicPartition, Saved] = {}
        self._assigned: asyncio.Queue[tuple[TopicPartition, Owner]] = asyncio.Queue()
        self._recovering: dict[TopicPartition, Rebuild] = {}
        self._claiming = asyncio.Lock()

    def committable(self) -> dict[TopicPartition, int]:
        """Offsets that may be committed: whatever is before them is in a checkpoint."""
        return {place: partition.saved for place, partition in self.held.items()}

    def state(self) -> AssignmentState:
        """What there is to know of the partitions, for health and watchdogs."""
        held = {
            place: Held(len(partition), partition.cursor, partition.saved)
            for place, partition in self.held.items()
        }
        outage = self.outage
        return AssignmentState(held, dict(self._recovering), outage.seconds, outage.limit_s)

    def assigned(self, places: Iterable[TopicPartition], owner: Owner) -> None:
        """The partitions that are ours from now on; `claim_assigned` takes them over."""
        self._given = dict.fromkeys(sorted(places), owner)
        self._kept = {place: kept for place, kept in self._kept.items() if place in self._given}
        for place in self._given:
            self._assigned.put_nowait((place, owner))

    async def claim_assigned(self) -> None:
        """Claim what is assigned, for ever: a partition is ready before its first event comes.

        Raises StateError or KafkaError when one cannot be taken over.
        """
        while True:
            place, owner = await self._assigned.get()
            await self._partition(place, owner)

    async def handle(self, batch: Batch) -> None:
        """Answer a batch. Blocks while Redis has been away for too long.

        Raises EpochError when the partition is Kafka's gift and the state's refusal for long.
        """
        place, owner, records = batch
        await self.outage.hold()
        partition = await self._partition(place, owner)
        if partition is not None:
            await partition.handle(records)

    async def save(self) -> None:
        """Checkpoint every partition. Raises KafkaError when a forecast was not stored."""
        for place in list(self.held):
            await self._save(place)

    async def forecast_quiet(self, now_ms: int) -> None:
        """Forecast the series that are quiet by `now_ms`, on every partition that has caught up.

        A time when Kafka does not answer passes without them: they answer no event.
        """
        for partition in list(self.held.values()):
            try:
                await partition.forecast_quiet(now_ms)
            except KafkaError as error:
                log.warning("no stale forecasts", action="forecast_quiet", error=str(error))

    async def release(self, places: Iterable[TopicPartition]) -> None:
        """Finish the batches in hand and checkpoint; nothing of these is answered afterwards.

        The partitions stay committable until `forget`.
        """
        places = list(places)
        for place in places:
            self._given.pop(place, None)
        held = {place: self.held[place] for place in places if place in self.held}
        for place, partition in held.items():
            self._end(place, self._owners[place])
            await partition.release()
            await self._save(place)

    def forget(self, places: Iterable[TopicPartition]) -> None:
        """Let go of the given partitions; tables that are saved serve if they come back next."""
        for place in places:
            partition = self.held.pop(place, None)
            if partition is not None and (saved := partition.as_saved()):
                self._kept[place] = saved

    async def _partition(self, place: TopicPartition, owner: Owner) -> Partition | None:
        """The partition as this owner holds it, None when it is not to be held by it any more."""
        async with self._claiming:
            owner = self._latest(place, owner)
            if self._is_past(place, owner):
                return None
            partition = self.held.get(place)
            if partition is not None and self._owners[place] == owner:
                return partition
            if partition is not None:
                # What was ours under another name is trusted no further than the store confirms
                # it, and not before a batch in hand has left its table alone.
                await partition.release()
                self.forget([place])
            return await self._claim(place, owner)

    def _latest(self, place: TopicPartition, owner: Owner) -> Owner:
        """As whom we hold what `owner` was given.

        A fetch that a rebalance overtook bears the old generation, and may bring records of what
        is ours in the new one: passed over, they would not come again.
        """
        given = self._given.get(place)
        return owner if given is None or given.generation < owner.generation else given

    def _is_past(self, place: TopicPartition, owner: Owner) -> bool:
        past = self._past.get(place)
        if past is None or (owner != past.owner and owner.generation >= past.owner.generation):
            return False
        limit_s = REFUSED_SESSIONS * self._worker.session_s
        overdue = self._clock() - past.since_s > limit_s
        if past.refusal and owner == past.owner and overdue:
            raise EpochError(
                f"Kafka has given {place} to this worker in generation {owner.generation}, but "
                f"{past.refusal}: either Kafka has forgotten the group and counts anew, or two "
                "streams share a worker.group; stop the workers, then `tidecast state move-epoch`"
            )
        return True

    def _end(self, place: TopicPartition, owner: Owner, refusal: str | None = None) -> None:
        self._past[place] = _Past(owner, self._clock(), refusal)

    async def _save(self, place: TopicPartition) -> None:
        partition = self.held.get(place)
        if partition is None:
            return
        try:
            if await partition.save():
                self.outage.ends()
        except RedisError as error:
            self.outage.begins(error)
        except FencedError as error:
            # Unless it was claimed anew meanwhile.
            if self.held.get(place) is partition:
                log.warning("partition lost to a newer owner", action="fenced", error=str(error))
                self._end(place, self._owners[place], str(error))
                del self.held[place]

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
                self._end(place, owner, str(error))
                return None
            except RedisError as error:
                self.outage.begins(error)
                await asyncio.sleep(RETRY_S)
            except StoreLostError as error:
                log.warning("claim lost, claiming again", action="store_lost", error=str(error))
            else:
                self.outage.ends()
                self.held[place], self._owners[place] = partition, owner
                return partition

    async def _take(self, place: TopicPartition, owner: Owner) -> Partition:
        engine, services = self._engine.engine, self._services
        started = self._clock()
        terms = terms_of(engine, await services.log.partitions(place.topic))
        checkpoint = await Checkpoint.claim(services.store, place, owner, terms)
        resumed_at = checkpoint.cursor
        kept = self._kept.pop(place, None)
        table = kept.table if kept is not None and kept.head == checkpoint.found else None

        def tell(rebuild: Rebuild) -> None:
            self._recovering[place] = rebuild

        table, cursor = await recover(
            engine, checkpoint, services.log, self._worker.rebuild_records, table, tell
        )
        log.info(
            "partition ready",
            action="claim",
            partition=str(place),
            series=len(table),
            checkpoint=resumed_at,
            cursor=cursor,
            generation=owner.generation,
            seconds=round(self._clock() - started, 3),
        )
        encoder = Encoder(engine.manifest, engine.stream, *place)
        return Partition(
            self._engine, encoder, services.output, services.log, checkpoint, table, cursor
        )
