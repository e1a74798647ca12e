"""How long a partition takes to come back: from the log where Redis is empty, and from Redis."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from bench.backlog import publish_backlog
from bench.machine import conditions
from bench.processes import expect
from bench.report import Figure, Result
from bench.streams import event_partitions, fresh_stream
from stream.engine import Engine
from stream.kafka.admin import KafkaAdmin
from stream.kafka.log import KafkaEventLog
from stream.kafka.records import bound_batches
from stream.series.table import SeriesTable
from stream.state.checkpoint import Checkpoint, Owner
from stream.state.recovery import recover, terms_of
from stream.state.redis_store import RedisStore
from stream.worker import load_engine
from tidecast.kafka_clients import aiokafka_options
from tidecast.local import LocalServers
from tidecast.settings import Settings

QUESTION: Final = "How long does a worker take until its partitions are ready?"


@dataclass(frozen=True)
class Load:
    """events of `series` for the rebuild from the log; `stored` series for the load from Redis."""

    events: int = 400_000
    series: int = 2_000
    stored: int = 100_000
    repeats: int = 3


def measure(servers: LocalServers, load: Load) -> Result:
    """Recover all partitions of a stream, one after the other as a worker does.

    Raises BenchError when a table does not hold every series.
    """
    found = conditions()
    bound_batches()  # as a worker does
    with fresh_stream(servers) as settings:
        publish_backlog(settings, load.events, load.series)
        seconds = [_rebuild(settings, f"{n}", load.series) for n in range(load.repeats)]
    with fresh_stream(servers) as settings:
        publish_backlog(settings, load.stored, load.stored)
        _rebuild(settings, "", load.stored)
        loads = [_recover(settings, "", n + 2, load.stored) for n in range(load.repeats)]
    return Result(
        bench="recovery",
        question=QUESTION,
        parameters={
            "events in the log": load.events,
            "of series": load.series,
            "series in Redis": load.stored,
        },
        figures=_figures([load.events / taken for taken in seconds], loads),
        checked={"events": load.events, "series": load.stored},
        conditions=found,
    )


def _figures(rates: list[float], loads: list[float]) -> list[Figure]:
    return [
        Figure("rebuild_events_per_s", "events per second, rebuild with Redis empty", rates),
        Figure("ready_s", "seconds until all series in Redis are ready", loads, 2),
    ]


def _rebuild(settings: Settings, suffix: str, series: int) -> float:
    """Seconds for a group that has answered everything and finds nothing in Redis."""
    asyncio.run(_commit_ends(settings, _group(settings, suffix)))
    return _recover(settings, suffix, 1, series)


def _recover(settings: Settings, suffix: str, generation: int, series: int) -> float:
    engine = load_engine(settings)
    taken_s, found = asyncio.run(_recover_all(settings, engine, suffix, generation))
    expect("series", found, series)
    return taken_s


async def _recover_all(
    settings: Settings, engine: Engine, suffix: str, generation: int
) -> tuple[float, int]:
    """Seconds, and how many series there were."""
    client, group = aiokafka_options(settings.kafka), _group(settings, suffix)
    store = RedisStore(settings.redis, group)
    tables: list[SeriesTable] = []
    async with (
        aclosing(KafkaAdmin(client, group)) as admin,
        aclosing(KafkaEventLog(client, admin)) as log,
    ):
        began_s = time.perf_counter()
        for place in event_partitions(settings):
            terms = terms_of(engine, await log.partitions(place.topic))
            owner = Owner(generation, "bench")
            checkpoint = await Checkpoint.claim(store, place, owner, terms)
            table, _ = await recover(engine, checkpoint, log, settings.worker.rebuild_records)
            tables.append(table)
        taken_s = time.perf_counter() - began_s
    await store.close()
    return taken_s, sum(map(len, tables))


async def _commit_ends(settings: Settings, group: str) -> None:
    client = aiokafka_options(settings.kafka)
    async with (
        aclosing(KafkaAdmin(client, group)) as admin,
        aclosing(KafkaEventLog(client, admin)) as log,
    ):
        await admin.commit(
            {place: (await log.bounds(place)).end for place in event_partitions(settings)}
        )


def _group(settings: Settings, suffix: str) -> str:
    return f"{settings.stream.name}-{suffix}"
