"""The store of checkpoints in Redis or Valkey, a single server or a cluster.

Keys, for each partition of each consumer group; the braces keep both in one cluster slot:

    tidecast:<group>:{<topic>/<partition>}:head    string, the Head as JSON
    tidecast:<group>:{<topic>/<partition>}:rows    hash, series id to row
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError as RedisLibraryError

from stream.state.checkpoint import Head, Size, TopicPartition, Write
from tidecast.errors import RedisError
from tidecast.settings import RedisSettings

SWAP: Final = """
local stored = redis.call('GET', KEYS[1]) or ''
if stored ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then redis.call('UNLINK', KEYS[2]) end
local rows = 5 + ARGV[4]
for first = 5, rows - 1, 2000 do
    redis.call('HDEL', KEYS[2], unpack(ARGV, first, math.min(first + 1999, rows - 1)))
end
for first = rows, #ARGV, 2000 do
    redis.call('HSET', KEYS[2], unpack(ARGV, first, math.min(first + 1999, #ARGV)))
end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
"""
"""One script is one transaction: it runs alone, and a server out of memory refuses it whole."""

SCAN_ROWS: Final = 2000
"""Rows asked for at once: some two megabytes, a few milliseconds of the server."""

RETRIES: Final = 3
"""Every call here may be repeated: reads, and a swap that recognises its own write."""


class RedisStore:
    """See `checkpoint.Store`."""

    def __init__(self, settings: RedisSettings, group: str) -> None:
        self._group = group
        options: dict[str, Any] = {
            "protocol": 2,
            "socket_timeout": settings.timeout_s,
            "socket_connect_timeout": settings.timeout_s,
            "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), RETRIES),
        }
        factory = RedisCluster if settings.cluster else Redis
        with _translated():
            self._redis: Any = factory.from_url(settings.url.get_secret_value(), **options)
            self._swap = self._redis.register_script(SWAP)

    async def ping(self) -> None:
        """Raises RedisError when the server does not answer."""
        with _translated():
            await self._redis.ping()

    async def head(self, partition: TopicPartition) -> Head | None:
        """See Store."""
        with _translated():
            stored = await self._redis.get(self._key(partition, "head"))
        return None if stored is None else msgspec.json.decode(stored, type=Head)

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        """See Store."""
        arguments: list[bytes | str] = [
            _encoded(expected),
            _encoded(write.head),
            "1" if write.fresh else "0",
            str(len(write.dropped)),
            *write.dropped,
        ]
        for series_id, row in write.rows.items():
            arguments += (series_id, row)
        keys = [self._key(partition, "head"), self._key(partition, "rows")]
        with _translated():
            return bool(await cast(Awaitable[int], self._swap(keys=keys, args=arguments)))

    async def rows(self, partition: TopicPartition) -> AsyncIterator[dict[str, bytes]]:
        """See Store."""
        cursor = 0
        while True:
            with _translated():
                cursor, part = await self._redis.hscan(
                    self._key(partition, "rows"), cursor, count=SCAN_ROWS
                )
            yield {series_id.decode(): row for series_id, row in part.items()}
            if cursor == 0:
                return

    async def size(self, partition: TopicPartition) -> Size:
        """See InspectableStore. The bytes are the server's estimate."""
        key = self._key(partition, "rows")
        with _translated():
            rows = await self._redis.hlen(key)
            used = await self._redis.memory_usage(key)
        return Size(int(rows), int(used or 0))

    async def find(self, partition: TopicPartition, series_ids: Sequence[str]) -> dict[str, bytes]:
        """See InspectableStore."""
        found: dict[str, bytes] = {}
        for first in range(0, len(series_ids), SCAN_ROWS):
            part = series_ids[first : first + SCAN_ROWS]
            with _translated():
                rows = await self._redis.hmget(self._key(partition, "rows"), part)
            found |= {key: row for key, row in zip(part, rows, strict=True) if row is not None}
        return found

    async def close(self) -> None:
        """Close the connections."""
        with _translated():
            await self._redis.aclose()

    def _key(self, partition: TopicPartition, name: str) -> str:
        return f"tidecast:{self._group}:{{{partition}}}:{name}"


def _encoded(head: Head | None) -> bytes:
    return b"" if head is None else msgspec.json.encode(head)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (RedisLibraryError, OSError) as error:
        raise RedisError(f"Redis does not answer: {error}; check redis.url") from error
    except ValueError as error:
        raise RedisError(f"redis.url is not usable: {error}") from error
