"""What the worker is built around: how the installed Faust acknowledges and commits.

A test that fails here after an upgrade is no defect of Faust. It says that a reason has gone, or
a danger has come, for the code that the test names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import faust
import pytest
from faust.types import TP

from tests.stream.kafka.faust_pins import PLACE, acknowledge, close, plain_app, stream_of


@pytest.fixture
def app() -> Iterator[faust.App]:
    app = plain_app()
    yield app
    close(app)


def acked(consumer: Any) -> list[int]:  # noqa: ANN401 - Faust is untyped
    return sorted(consumer._acked[PLACE])


async def settled() -> None:
    """Let the loop close what a broken-off `async for` has left open."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_the_version_is_the_one_that_was_studied() -> None:
    """DESIGN section 7, `stream/kafka/batch_transport.py` and these tests were written for it."""
    assert version("faust-streaming") == "0.15.3"


async def test_an_exception_acknowledges_the_message_and_skips_it(app: faust.App) -> None:
    """Why `app.answer` lets nothing escape, but ends the process."""
    stream = await stream_of(app, range(3))

    async def agent() -> None:
        async for value in stream:
            if value == b"1":
                raise ValueError(value)

    with pytest.raises(ValueError, match="1"):
        await agent()
    await settled()
    assert acked(app.consumer) == [0, 1]
    assert app.consumer._new_offset(PLACE) == 2


async def test_a_cancelled_agent_acknowledges_the_message_in_hand(app: faust.App) -> None:
    """Why a batch is a task of its own, and only what is in a checkpoint is committed."""
    stream = await stream_of(app, range(3))
    begun = asyncio.Event()

    async def agent() -> None:
        async for _ in stream:
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(agent())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    await settled()
    assert acked(app.consumer) == [0]


@pytest.mark.parametrize("how", ["exception", "cancel"])
async def test_take_acknowledges_its_whole_batch_whatever_happens(app: faust.App, how: str) -> None:
    """Why batches come from a transport of our own and not from `take()`."""
    stream = await stream_of(app, range(3))
    begun = asyncio.Event()

    async def agent() -> None:
        async for batch in stream.take(3, within=60):
            assert batch == [b"0", b"1", b"2"]
            begun.set()
            if how == "exception":
                raise ValueError(how)
            await asyncio.Event().wait()

    task = asyncio.create_task(agent())
    await begun.wait()
    if how == "cancel":
        task.cancel()
    await asyncio.wait([task])
    await settled()
    assert acked(app.consumer) == [0, 1, 2]


async def test_a_message_of_another_generation_is_never_delivered(app: faust.App) -> None:
    """Why a hole before a batch is read from the log: `Partition.handle`.

    (Faust in Python acknowledges what it passes over, Faust in Cython does not.)
    """
    stream = await stream_of(app, range(2), generation=7)
    assert app.consumer_generation_id != 7
    first = asyncio.create_task(anext(aiter(stream)))
    await settled()
    assert stream.channel.empty()
    assert not first.done()
    first.cancel()


async def test_a_commit_passes_over_a_hole(app: faust.App) -> None:
    """Why `batch_transport._filter_committable_offsets` commits checkpoints, not acks."""
    acknowledge(app, [0, 1, 5, 6])
    await app.consumer._add_gap(PLACE, 2, 4)
    assert await app.consumer.commit()
    assert app.consumer.commits == [{PLACE: 7}]


async def test_without_a_noted_hole_a_commit_stops_before_it(app: faust.App) -> None:
    """The other half: after a rebalance nothing is noted, and commits would stand still."""
    acknowledge(app, [0, 1, 5, 6])
    for _ in range(3):
        await app.consumer.commit()
    assert app.consumer.commits == [{PLACE: 2}]


async def test_acknowledged_offsets_are_kept_until_a_commit_of_faust_s_own(app: faust.App) -> None:
    """Why `batch_transport._filter_committable_offsets`, which takes its place, forgets them."""
    acknowledge(app, range(100))
    assert len(acked(app.consumer)) == len(app.consumer._acked_index[PLACE]) == 100
    await app.consumer.commit()
    assert acked(app.consumer) == []


async def test_a_rebalance_drops_the_acks_of_a_revoked_partition(app: faust.App) -> None:
    """Why `batch_transport.on_partitions_revoked` commits before it hands on."""
    acknowledge(app, [0, 1])
    await app.consumer.on_partitions_revoked({PLACE})
    assert acked(app.consumer) == []
    await app.consumer.commit()
    assert app.consumer.commits == []


async def test_a_commit_for_a_partition_that_is_gone_is_discarded(app: faust.App) -> None:
    """Why `Partition.saved` is read before a partition is forgotten, and no error is awaited."""
    gone = TP(PLACE.topic, 1)
    assert not await app.consumer._commit_offsets({gone: 3})
    assert app.consumer.commits == []
