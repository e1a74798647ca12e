"""The programs under test: each a child process of its own, as a user would start it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from tidecast.local import LocalServers
from tidecast.local.child import Child
from tidecast.local.server import last_words
from tidecast.settings import ENVIRONMENT_PREFIX, Settings

WORKER: Final = ("tidecast", "worker")
"""What `python -m` runs to start a worker."""


class BenchError(RuntimeError):
    """A run that gives no figure: a program ended, a limit passed, or a count is wrong."""


class Usage(NamedTuple):
    """What a process has used so far: seconds of processor time, bytes of memory now."""

    cpu_s: float
    memory_bytes: int


class Program:
    """A running program, by its process id. Its output goes to `log`."""

    def __init__(self, pid: int, log: Path) -> None:
        """Raises BenchError when the program has ended."""
        self._log = log
        with self._running():
            self._process = psutil.Process(pid)

    def usage(self) -> Usage:
        """Raises BenchError when the program has ended."""
        with self._running():
            times = self._process.cpu_times()
            memory = self._process.memory_info().rss
        return Usage(times.user + times.system, memory)

    def pause(self) -> None:
        """SIGSTOP: it stands still until `resume`."""
        self._process.suspend()

    def resume(self) -> None:
        """SIGCONT."""
        self._process.resume()

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        try:
            yield
        except psutil.Error as error:
            words = last_words(self._log)
            raise BenchError(f"the program under test ended: {words} (log: {self._log})") from error


def python(*module: str) -> tuple[str, ...]:
    """The command of `python -m module…`."""
    return (sys.executable, "-m", *module)


@contextlib.contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Program]:
    """The command for the length of the block; it dies with us."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    child = Child(["/usr/bin/env", *variables, *command], log)
    try:
        yield Program(child.pid, log)
    finally:
        child.stop()


def server_programs(servers: LocalServers) -> dict[str, Program]:
    """Kafka and Valkey by their names, to see what they use."""
    return {
        server.name: Program(server.pid, server.log) for server in (servers.kafka, servers.valkey)
    }


def worker_environment(settings: Settings) -> dict[str, str]:
    """What tells a worker of this stream and model: all the rest stays at its default."""
    return {
        f"{ENVIRONMENT_PREFIX}KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        f"{ENVIRONMENT_PREFIX}REDIS__URL": settings.redis.url.get_secret_value(),
        f"{ENVIRONMENT_PREFIX}STREAM__NAME": settings.stream.name,
        f"{ENVIRONMENT_PREFIX}WORKER__MODEL": str(settings.worker.model),
    }


def expect(what: str, found: int, wanted: int) -> None:
    """Raise BenchError when a count is not as it must be."""
    if found != wanted:
        raise BenchError(f"{what}: found {found:,}, expected {wanted:,}")
