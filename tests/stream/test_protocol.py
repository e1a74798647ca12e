"""The promise: each event is applied once and answered once, whatever happens to the workers.

`--trials N` runs so many seeds, `--seed N` that one alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

import pytest

from stream.encoder import Encoder
from stream.engine import Engine
from stream.records import LoggedRecord
from stream.state.checkpoint import TopicPartition
from stream.testing import NOW_MS, CountingPredictor, Message
from tests.stream.broken import UnfencedStore
from tests.stream.events import Event, records_of
from tests.stream.simulation import HastyOutput, MemoryVault, RedisVault, World, run_world
from tests.stream.simulation.world import ENGINE, Records
from tidecast.local import LocalServers
from tidecast.messages import Rejection, decode_forecast
from tidecast.repeats import ForecastIdentity, SeenForecasts

EVENTS: Final = 30
PLACES: Final = [TopicPartition("tidecast.events", number) for number in range(3)]
REAL_TRIALS: Final = 10
"""One trial in so many is also run on the real server."""
LATEST_TRIALS: Final = 4
"""One in so many also with workers that answer the newest event of a series alone."""
LATEST_ENGINE: Final = Engine(
    CountingPredictor(ENGINE.manifest.context), ENGINE.stream.model_copy(update={"emit": "latest"})
)


def records_of_all(random: Random) -> Records:
    """The log: series with gaps, repeats, late values, poison among them, and gaps of offsets."""
    places = PLACES[: random.randint(1, len(PLACES))]
    return {place: records_of_one(random, EVENTS // len(places)) for place in places}


def records_of_one(random: Random, count: int) -> list[LoggedRecord]:
    slots, events, offset = dict.fromkeys("abc", 0), [], 0
    for _ in range(count):
        series_id = random.choice("abc")
        slots[series_id] += random.choice([1, 1, 1, 2, 0, -1, 7])
        events.append(Event(series_id, slots[series_id], float(random.randint(-9, 9))))
    records = []
    for record in records_of(events):
        offset += random.choice([1, 1, 1, 1, 3])
        bad = random.random() < 0.1
        records.append(
            LoggedRecord(offset, NOW_MS, b"a", b"poison") if bad else record._replace(offset=offset)
        )
    return records


async def damage(world: World, grows: bool) -> list[str]:
    """What a run did to the promise; empty when it was kept."""
    try:
        await run_world(world, grows)
    except Exception as error:
        return [f"stopped: {error!r}"]
    found: list[str] = []
    content = await world.vault.content()
    for place, records in world.records.items():
        table = ENGINE.new_table()
        answers = ENGINE.apply(table, records)
        encoder = Encoder(ENGINE.manifest, ENGINE.stream, *place)
        encoded = encoder.encode(records, answers)
        right = list(map(Message, encoded.keys, encoded.values))
        newest = {message.key: message for message in right}.values()
        refused = {records[refusal.position].offset for refusal in answers.refusals}
        sent = {one for one in messages(world) if source_of(one).partition == place.partition}
        rejected = {
            one.offset
            for one in world.topic
            if isinstance(one, Rejection) and one.partition == place.partition
        }
        checks = {
            "a forecast was lost": sent.issuperset(newest if latest_alone(world) else right),
            "a forecast was wrong": sent.issubset(right),
            "a rejection was lost or wrong": rejected == refused,
            "a window is wrong": content[place].rows == table.dump(table.rows()),
            "the cursor is wrong": content[place].head.cursor == records[-1].offset + 1,
        }
        found += [what for what, well in checks.items() if not well]
    return found + reading_twice(world)


def latest_alone(world: World) -> bool:
    return world.engine.stream.emit == "latest"


def messages(world: World) -> list[Message]:
    return [one for one in world.topic if isinstance(one, Message)]


def source_of(message: Message) -> Any:  # noqa: ANN401 - messages.Source
    return decode_forecast(message.value).source


def reading_twice(world: World) -> list[str]:
    """A subscriber drops repeats and nothing else."""
    seen = SeenForecasts(remembered=2 * EVENTS * 3)
    identities = [
        ForecastIdentity(one.forecast_id, one.model, one.model_version, one.source)
        for one in (decode_forecast(message.value) for message in messages(world))
    ]
    new = [identity.forecast_id for identity in identities if seen.is_new(identity)]
    well = len(new) == len(set(new)) == len({one.forecast_id for one in identities})
    return [] if well else ["a reader saw a forecast twice, or one too few"]


def trial(seed: int, **broken: Any) -> list[str]:  # noqa: ANN401 - passed on to World
    """One course of events on a store in memory."""
    random = Random(seed)
    records = records_of_all(random)

    async def run() -> list[str]:
        world = World(random, records, MemoryVault(PLACES), **broken)
        return await damage(world, grows=random.random() < 0.2)

    return asyncio.run(run())


def real_trial(seed: int, url: str, group: str) -> list[str]:
    """One course of events on the real server."""
    random = Random(seed)
    records = records_of_all(random)

    async def run() -> list[str]:
        vault = RedisVault(url, group, PLACES)
        try:
            return await damage(World(random, records, vault), grows=random.random() < 0.2)
        finally:
            await vault.aclose()

    return asyncio.run(run())


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> list[int]:
    seed = request.config.getoption("--seed")
    return list(range(request.config.getoption("--trials"))) if seed is None else [seed]


def test_nothing_is_lost_or_wrong_whatever_happens(seeds: list[int]) -> None:
    failures = {seed: found for seed in seeds if (found := trial(seed))}
    assert failures == {}, "run one of these again with --seed"


def test_the_newest_forecasts_are_not_lost_where_they_alone_are_asked_for(seeds: list[int]) -> None:
    chosen = seeds if len(seeds) == 1 else seeds[::LATEST_TRIALS]
    failures = {seed: found for seed in chosen if (found := trial(seed, engine=LATEST_ENGINE))}
    assert failures == {}, "run one of these again with --seed"


@pytest.mark.servers
def test_nor_on_the_real_server(seeds: list[int], servers: LocalServers, stream_name: str) -> None:
    chosen = seeds if len(seeds) == 1 else seeds[::REAL_TRIALS]
    run = partial(real_trial, url=servers.redis_url, group=stream_name)
    failures = {seed: found for seed in chosen if (found := run(seed))}
    assert failures == {}, "run one of these again with --seed"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (partial(trial, break_store=UnfencedStore), "a window is wrong"),
        (partial(trial, output_of=HastyOutput), "a forecast was lost"),
        (partial(trial, commits_early=True), "a forecast was lost"),
        (partial(trial, ignores_cursor=True), "a window is wrong"),
    ],
    ids=["no fence", "no waiting for deliveries", "commits ahead of checkpoints", "no cursor test"],
)
def test_with_a_rule_left_out_the_damage_is_seen(
    run: Callable[[int], list[str]], expected: str
) -> None:
    found = [run(seed) for seed in range(100)]
    assert sum(expected in damages for damages in found) >= 5
