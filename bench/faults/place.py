"""The real servers with a proxy in front of each, shared by all repeats of a campaign."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from redis import Redis

from bench.faults.ledger_model import write_ledger
from bench.faults.proxy import TcpProxy
from tidecast.local import Detour, LocalServers, local_servers
from tidecast.local.ports import HOST, free_port
from tidecast.settings import KafkaSettings, RedisSettings, Settings, StreamSettings, WorkerSettings

SERVERS_FOLDER: Final = "servers"
KAFKA_FOLDER: Final = Path(SERVERS_FOLDER) / "kafka"


@dataclass(frozen=True)
class Place:
    """Servers, the proxies by which workers reach them, and the model."""

    servers: LocalServers
    kafka_proxy: TcpProxy
    redis_proxy: TcpProxy
    model: Path
    folder: Path

    def settings(self, stream: StreamSettings) -> Settings:
        """Settings for driver and verifier: straight to Kafka, by the proxy to Redis.

        By the proxy, since after a fail-over it leads to the server that counts.
        """
        return Settings(
            kafka=KafkaSettings(bootstrap_servers=self.servers.bootstrap_servers),
            redis=RedisSettings(url=SecretStr(f"redis://{HOST}:{self.redis_proxy.port}/0")),
            stream=stream,
            worker=WorkerSettings(model=self.model),
        )

    def by_proxy(self, settings: Settings) -> Settings:
        """The same settings for the workers, who reach Kafka by its proxy too."""
        kafka = KafkaSettings(bootstrap_servers=f"{HOST}:{self.kafka_proxy.port}")
        return settings.model_copy(update={"kafka": kafka})

    def heal(self) -> None:
        """Everything as it was at the start, whatever a fault has left behind."""
        for proxy in (self.kafka_proxy, self.redis_proxy):
            proxy.delay(0)
            proxy.heal()
        self.redis_proxy.switch(self.servers.valkey.port)
        with Redis.from_url(self.servers.redis_url) as redis:
            redis.flushall()


@contextlib.contextmanager
def open_place(disk_mib: int = 0) -> Iterator[Place]:
    """Start everything; it goes with the block. disk_mib: see `Fault`."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidecast-faults-")))
        if disk_mib:
            stack.enter_context(small_disk(folder / KAFKA_FOLDER, disk_mib))
        detour = Detour(port=free_port(), advertised=free_port())
        servers = stack.enter_context(local_servers(folder / SERVERS_FOLDER, kafka_detour=detour))
        yield Place(
            servers=servers,
            kafka_proxy=stack.enter_context(TcpProxy(detour.advertised, detour.port)),
            redis_proxy=stack.enter_context(TcpProxy(free_port(), servers.valkey.port)),
            model=write_ledger(folder / "models"),
            folder=folder,
        )


@contextlib.contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[None]:
    """A file system of that size, in memory, for the length of the block. Needs root."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def no_small_disk() -> str:
    """Why no small file system can be mounted here; empty where one can."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder) / "disk", 1):
                return ""
        except (OSError, subprocess.CalledProcessError) as error:
            return f"no small file system can be mounted here ({error})"
