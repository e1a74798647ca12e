"""The promise: each event is applied once and answered once, whatever happens to the workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

import pytest

from stream.encoder import Encoder, Message
from stream.records import LoggedRecord
from stream.testing import NOW_MS
from tests.stream.broken import UnfencedStore
from tests.stream.events import Event, records_of
from tests.stream.partitions import PLACE
from tests.stream.simulation import ENGINE, HastyOutput, World, run_world
from tidecast.errors import StateError
from tidecast.messages import Rejection

TRIALS: Final = 300
EVENTS: Final = 24


def log_of(random: Random) -> list[LoggedRecord]:
    """Observations of three series with gaps, repeats, late values, and poison among them."""
    slots = dict.fromkeys("abc", 0)
    events = []
    for _ in range(EVENTS):
        series_id = random.choice("abc")
        slots[series_id] += random.choice([1, 1, 1, 2, 0, -1, 7])
        events.append(Event(series_id, slots[series_id], float(random.randint(-9, 9))))
    poison = [random.random() < 0.1 for _ in events]
    return [
        LoggedRecord(record.offset, NOW_MS, b"a", b"poison") if bad else record
        for record, bad in zip(records_of(events), poison, strict=True)
    ]


async def damage(world: World) -> list[str]:
    """What a run did to the promise; empty when it was kept."""
    try:
        await run_world(world)
    except StateError as error:
        return [f"stopped: {error}"]
    table = ENGINE.new_table()
    answers = ENGINE.apply(table, world.records)
    encoder = Encoder(ENGINE.manifest, ENGINE.stream, *PLACE)
    right = set(encoder.encode(world.records, answers))
    refused = {world.records[refusal.position].offset for refusal in answers.refusals}
    sent = {one for one in world.topic if isinstance(one, Message)}
    rejected = {one.offset for one in world.topic if isinstance(one, Rejection)}
    head = await world.store.head(PLACE)
    rows = {key: row async for part in world.store.rows(PLACE) for key, row in part.items()}
    checks = {
        "a forecast was lost": right <= sent,
        "a forecast was wrong": sent <= right,
        "a rejection was lost or wrong": rejected == refused,
        "a window is wrong": rows == table.dump(table.rows()),
        "the cursor is wrong": head is not None and head.cursor == len(world.records),
    }
    return [what for what, well in checks.items() if not well]


def trial(seed: int, **broken: Any) -> list[str]:  # noqa: ANN401 - passed on to World
    random = Random(seed)
    records = log_of(random)

    async def run() -> list[str]:
        return await damage(World(random, records, **broken))

    return asyncio.run(run())


def test_nothing_is_lost_or_wrong_whatever_happens() -> None:
    failures = {seed: found for seed in range(TRIALS) if (found := trial(seed))}
    assert failures == {}


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (partial(trial, break_store=UnfencedStore), "a window is wrong"),
        (partial(trial, output_of=HastyOutput), "a forecast was lost"),
        (partial(trial, commits_early=True), "a forecast was lost"),
    ],
    ids=["no fence", "no waiting for deliveries", "commits ahead of checkpoints"],
)
def test_with_a_rule_left_out_the_damage_is_seen(
    run: Callable[[int], list[str]], expected: str
) -> None:
    found = [run(seed) for seed in range(100)]
    assert sum(expected in damages for damages in found) >= 5
