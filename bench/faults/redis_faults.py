"""Redis going away, going back, or refusing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from redis import Redis

from bench.faults.fault import Fault, Stage
from tidecast.local import Server
from tidecast.local.ports import HOST, free_port
from tidecast.local.valkey import valkey_recipe

REFUSED_S: Final = 4.0
SLOW_S: Final = 0.5
SLOW_FOR_S: Final = 8.0
LOST_REPLIES_S: Final = 3.0
FORGOTTEN_S: Final = 1.5
"""How many seconds of writes an older snapshot, or a replica that lags, does not have."""
SYNC_LIMIT_S: Final = 20.0
SERVED_S: Final = 28
"""An outage that memory bridges: `worker.outage_s` is 30 s."""
HELD_S: Final = 40
"""An outage beyond it."""


def restart(stage: Stage) -> None:
    """SIGTERM, and a start on the same data."""
    stage.place.servers.valkey.stop()
    _start(stage)


def kill(stage: Stage) -> None:
    """SIGKILL, and a start on the append-only file."""
    stage.place.servers.valkey.kill()
    _start(stage)


def _start(stage: Stage) -> None:
    stage.place.redis_proxy.cut()
    stage.place.servers.valkey.start()
    stage.place.redis_proxy.heal()


def flush(stage: Stage) -> None:
    """Every checkpoint is gone."""
    with _client(stage) as redis:
        redis.flushall()


def restore_older(stage: Stage) -> None:
    """All keys go back to what they were a moment ago, at once."""
    with _client(stage) as redis:
        dumped = {key: redis.dump(key) for key in redis.scan_iter(count=1000)}
        time.sleep(FORGOTTEN_S)
        with redis.pipeline(transaction=True) as transaction:
            transaction.flushall()
            for key, value in dumped.items():
                transaction.restore(key, 0, value)
            transaction.execute()


def fail_over(stage: Stage) -> None:
    """A replica takes over that does not have the last writes."""
    valkey = stage.place.servers.valkey
    replica = Server(valkey_recipe(stage.logs / "replica"))
    stage.cleanup.callback(replica.stop)
    with Redis(host=HOST, port=replica.port) as redis:
        redis.replicaof(HOST, valkey.port)
        _await_sync(redis)
        redis.replicaof("NO", "ONE")
    time.sleep(FORGOTTEN_S)
    stage.place.redis_proxy.switch(replica.port)


def _await_sync(replica: Any) -> None:  # noqa: ANN401 - the library's types are of two minds
    deadline = time.monotonic() + SYNC_LIMIT_S
    while replica.info("replication")["master_link_status"] != "up":
        if time.monotonic() > deadline:
            raise TimeoutError("the replica did not come up")
        time.sleep(0.05)


def lose_replies(stage: Stage) -> None:
    """Writes are done, and the workers never hear of it."""
    stage.place.redis_proxy.drop_replies()
    time.sleep(LOST_REPLIES_S)
    stage.place.redis_proxy.heal()


def run_out_of_memory(stage: Stage) -> None:
    """Every write is refused: `maxmemory` is reached and nothing may be evicted."""
    with _client(stage) as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("maxmemory", "1")
        time.sleep(REFUSED_S)
        redis.config_set("maxmemory", "0")


def turn_read_only(stage: Stage) -> None:
    """Every write is refused: the server is a replica of one that is not there."""
    with _client(stage) as redis:
        redis.replicaof(HOST, free_port())
        time.sleep(REFUSED_S)
        redis.replicaof("NO", "ONE")


def slow_down(stage: Stage) -> None:
    """Every call takes a second."""
    stage.place.redis_proxy.delay(SLOW_S)
    time.sleep(SLOW_FOR_S)
    stage.place.redis_proxy.delay(0)


def away(seconds: float) -> Callable[[Stage], None]:
    """Connections are closed and refused for so long."""

    def act(stage: Stage) -> None:
        stage.place.redis_proxy.cut()
        time.sleep(seconds)
        stage.place.redis_proxy.heal()

    return act


@contextlib.contextmanager
def _client(stage: Stage) -> Iterator[Any]:
    """A client past the proxy."""
    with Redis.from_url(stage.place.servers.redis_url) as redis:
        yield redis


REDIS_FAULTS: Final = (
    Fault(name="redis-restart", group="redis", about="clean restart", act=restart, outage_bar_s=0),
    Fault(
        name="redis-kill",
        group="redis",
        about="SIGKILL, and a start on the append-only file",
        act=kill,
        outage_bar_s=0,
    ),
    Fault(name="redis-flush", group="redis", about="FLUSHALL", act=flush, outage_bar_s=0),
    Fault(
        name="redis-older-snapshot",
        group="redis",
        about=f"a snapshot of {FORGOTTEN_S:g} s ago is restored",
        act=restore_older,
        outage_bar_s=0,
    ),
    Fault(
        name="redis-fail-over",
        group="redis",
        about=f"fail-over to a replica that misses {FORGOTTEN_S:g} s of writes",
        act=fail_over,
        outage_bar_s=0,
    ),
    Fault(
        name="redis-lost-replies",
        group="redis",
        about=f"writes are done, replies are lost for {LOST_REPLIES_S:g} s",
        act=lose_replies,
        outage_bar_s=0,
    ),
    Fault(
        name="redis-out-of-memory",
        group="redis",
        about=f"out of memory for {REFUSED_S:g} s",
        act=run_out_of_memory,
        outage_bar_s=0,
    ),
    Fault(
        name="redis-read-only",
        group="redis",
        about=f"read-only for {REFUSED_S:g} s",
        act=turn_read_only,
        outage_bar_s=0,
    ),
    Fault(
        name="redis-slow",
        group="redis",
        about=f"{SLOW_S:g} s of delay in each direction for {SLOW_FOR_S:g} s",
        act=slow_down,
        outage_bar_s=0,
    ),
    Fault(
        name="redis-away",
        group="redis",
        about=f"away for {SERVED_S} s: served from memory",
        act=away(SERVED_S),
        lasts_s=SERVED_S,
        outage_bar_s=0,
    ),
    Fault(
        name="redis-away-long",
        group="redis",
        about=f"away for {HELD_S} s: held after 30 s",
        act=away(HELD_S),
        lasts_s=HELD_S,
        outage_bar_s=HELD_S - 30 + 5,
    ),
)
