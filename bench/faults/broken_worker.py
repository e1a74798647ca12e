"""Negative controls: a worker that leaves one rule of the checkpoint protocol out.

python -m bench.faults.broken_worker fence
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

import msgspec

from bench.faults.fleet import DOOM
from stream.assignment import Services
from stream.event_log import EventLog
from stream.logs import configure_logs
from stream.state.checkpoint import Head, Store, TopicPartition, Write
from stream.worker import load_engine, run_engine
from tests.stream.broken import UnfencedStore
from tidecast.settings import load_settings


class CursorlessStore:
    """A store whose rows are believed to be where Kafka's commit is, whatever cursor they have."""

    def __init__(self, store: Store, log: EventLog) -> None:
        self.rows = store.rows
        self._store = store
        self._log = log

    async def head(self, partition: TopicPartition) -> Head | None:
        """See Store."""
        held = await self._store.head(partition)
        if held is None or held.cursor is None:
            return held
        committed = (await self._log.bounds(partition)).committed
        return msgspec.structs.replace(held, cursor=committed or 0)

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        """See Store."""
        held = await self._store.head(partition)
        if _but_cursor(held) != _but_cursor(expected):
            return False
        return await self._store.swap(partition, held, write)


class DoomedStore:
    """A store whose process, told to, is struck by a signal right before or after each checkpoint.

    Stopped before one, it writes that when it wakes, and hears only then that others have its
    partitions. Killed after one, it leaves rows that are further than Kafka's commit.
    """

    def __init__(
        self,
        store: Store,
        before: signal.Signals | None = None,
        after: signal.Signals | None = None,
    ) -> None:
        self.head = store.head
        self.rows = store.rows
        self._store = store
        self._fate = before, after
        self._doomed = False
        signal.signal(DOOM, self._doom)

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        """See Store."""
        before, after = self._fate if self._doomed and write.rows else (None, None)
        _strike(before)
        done = await self._store.swap(partition, expected, write)
        _strike(after)
        return done

    def _doom(self, *_: object) -> None:
        self._doomed = True


def _strike(number: signal.Signals | None) -> None:
    if number is not None:
        os.kill(os.getpid(), number)


def _but_cursor(head: Head | None) -> Head | None:
    return None if head is None else msgspec.structs.replace(head, cursor=None)


def without_fence(services: Services) -> Services:
    """A worker that has lost a partition goes on writing it."""
    store = DoomedStore(UnfencedStore(services.store), before=signal.SIGSTOP)
    return services._replace(store=store)


def without_cursor(services: Services) -> Services:
    """A worker goes on where Kafka says, with rows that may be further."""
    store = CursorlessStore(services.store, services.log)
    return services._replace(store=DoomedStore(store, after=signal.SIGKILL))


BROKEN: Final = {"fence": without_fence, "cursor": without_cursor}

SPARSE: Final = {"batch_records": 100, "checkpoint_interval_s": 0.02}
"""Checkpoints of few series: rows of different ages meet."""


def main(rule: str) -> int:
    """Run the worker that the environment describes, without the named rule."""
    settings = load_settings()
    settings = settings.model_copy(update={"worker": settings.worker.model_copy(update=SPARSE)})
    configure_logs(settings.log)
    return run_engine(settings, load_engine(settings), BROKEN[rule])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
