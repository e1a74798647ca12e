"""Both servers together, started in parallel and stopped with the block."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tidecast.errors import LocalServerError
from tidecast.local.kafka import Detour, kafka_recipe
from tidecast.local.ports import HOST, TAKEN
from tidecast.local.server import Recipe, Server
from tidecast.local.valkey import valkey_recipe

PORT_TRIES: Final = 5


MakeRecipe = Callable[[Path, int | None], Recipe]
"""From a folder and the wanted port, if any, to the way to start the server."""


@dataclass(frozen=True)
class LocalServers:
    """A running Kafka and a running Valkey, and what a client needs to reach them."""

    kafka: Server
    valkey: Server

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address, as `kafka.bootstrap_servers` wants it."""
        return f"{HOST}:{self.kafka.port}"

    @property
    def redis_url(self) -> str:
        """Valkey's address, as `redis.url` wants it."""
        return f"redis://{HOST}:{self.valkey.port}/0"


@contextmanager
def local_servers(
    folder: Path | None = None,
    *,
    kafka_port: int | None = None,
    redis_port: int | None = None,
    kafka_detour: Detour | None = None,
) -> Iterator[LocalServers]:
    """A real Kafka and Valkey for the length of the block.

    folder: where data and logs go and stay; a temporary folder that goes away when not given.
    Ports: any free one when not given. kafka_detour: a second door of Kafka, for a proxy.
    Raises LocalServerError when either does not start.
    """
    with ExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidecast-")))
        home = home.absolute()
        # On the stack, so that leaving early waits for a start under way, and then stops it too.
        make_kafka = partial(kafka_recipe, detour=kafka_detour)
        kafka = _thread(stack).submit(_start, stack, make_kafka, home / "kafka", kafka_port)
        valkey = _thread(stack).submit(_start, stack, valkey_recipe, home / "valkey", redis_port)
        yield LocalServers(kafka.result(), valkey.result())


def _thread(stack: ExitStack) -> ThreadPoolExecutor:
    """A thread that is up: with an interrupt while it begins, nobody would wait for its work."""
    pool = stack.enter_context(ThreadPoolExecutor(1))
    pool.submit(int).result()
    return pool


def _start(stack: ExitStack, recipe: MakeRecipe, folder: Path, wanted_port: int | None) -> Server:
    """Start on the wanted port, or on free ones until nobody else is faster at taking them."""
    for tries_left in reversed(range(PORT_TRIES)):
        try:
            server = Server(recipe(folder, wanted_port))
        except OSError as cause:
            raise LocalServerError(f"{folder} cannot hold a server's data: {cause}") from cause
        except LocalServerError as failure:
            if wanted_port is not None or not tries_left or TAKEN not in str(failure):
                raise
        else:
            stack.callback(server.stop)
            break
    return server
