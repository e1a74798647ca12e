"""Redis going away, going back, or refusing."""

from __future__ import annotations

from typing import Final

from redis import Redis

from bench.faults.fault import Fault, Stage


def flush(stage: Stage) -> None:
    """FLUSHALL: every checkpoint is gone."""
    with Redis.from_url(stage.place.servers.redis_url) as redis:
        redis.flushall()


REDIS: Final = (Fault(name="redis-flush", group="redis", about="FLUSHALL", act=flush),)
