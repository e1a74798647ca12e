"""What people would use instead, in the order of the tables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from bench.peers.environments import (
    ImpossibleError,
    jvm_command,
    jvm_version,
    locked_version,
    python_interpreter,
)

PROGRAMS: Final = "bench.peers.python"

BYTEWAX_UP_TO: Final = (3, 12)
"""The newest Python that the last release of Bytewax has wheels for."""

OPENED: Final = ("java.lang", "java.util", "java.time")
"""Packages that Flink's own scripts open for its serialisers, as far as this job needs them."""


@dataclass(frozen=True)
class Peer:
    """A system that does the worker's job.

    name: for options and JSON. guarantees: its own, those that are on.
    prepare: makes what it runs in, once, and returns the command that starts it; raises
    ImpossibleError. low_latency: in words, what is set where a job asks for answers soon; empty
    where nothing is to be set. pace: how many times the slowest peer's events it is timed on, so
    that all take about as long. threads: whether one process uses several cores, or several are
    started.
    """

    name: str
    title: str
    version: str
    language: str
    guarantees: str
    prepare: Callable[[], tuple[str, ...]]
    low_latency: str = ""
    pace: int = 1
    threads: bool = False


def _ours(module: str, *arguments: str) -> tuple[str, ...]:
    """A program in the environment of the product, which has Faust."""
    return (sys.executable, "-m", f"{PROGRAMS}.{module}", *arguments)


def _theirs(module: str) -> tuple[str, ...]:
    """A program in the environment of the peers."""
    return (str(python_interpreter()), "-m", f"{PROGRAMS}.{module}")


def _bytewax() -> tuple[str, ...]:
    if sys.version_info[:2] > BYTEWAX_UP_TO:
        raise ImpossibleError("Bytewax has no wheel for this Python: use 3.11 or 3.12")
    return _theirs("bytewax_flow")


PEERS: Final = {
    peer.name: peer
    for peer in (
        Peer(
            name="stock-faust",
            title="stock Faust",
            version=version("faust-streaming"),
            language="Python",
            guarantees="at least once, table in memory with a changelog",
            prepare=lambda: _ours("stock_faust", "worker", "--without-web", "-l", "warn"),
        ),
        Peer(
            name="quix-streams",
            title="Quix Streams",
            version=locked_version("quixstreams"),
            language="Python",
            guarantees="at least once, RocksDB with a changelog",
            prepare=lambda: _theirs("quix_streams"),
            low_latency="linger 0",
            pace=5,
        ),
        Peer(
            name="bytewax",
            title="Bytewax",
            version=locked_version("bytewax"),
            language="Python, Rust",
            guarantees="at least once, recovery partitions in SQLite",
            prepare=_bytewax,
            pace=5,
            threads=True,
        ),
        Peer(
            name="confluent-loop",
            title="bare confluent-kafka loop",
            version=locked_version("confluent-kafka"),
            language="Python, C",
            guarantees="no guarantees",
            prepare=lambda: _theirs("confluent_loop"),
            low_latency="no waiting for a batch, linger 0",
            pace=25,
        ),
        Peer(
            name="kafka-streams",
            title="Kafka Streams",
            version=jvm_version("kafka"),
            language="Java",
            guarantees="at least once, RocksDB with a changelog",
            prepare=lambda: jvm_command("kafka_streams", "tidecast.peers.KafkaStreamsForecaster"),
            low_latency="linger 0",
            pace=25,
            threads=True,
        ),
        Peer(
            name="flink",
            title="Flink",
            version=jvm_version("flink"),
            language="Java",
            guarantees="at least once, heap state with checkpoints in files",
            prepare=lambda: jvm_command(
                "flink",
                "tidecast.peers.FlinkForecaster",
                *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
            ),
            low_latency="buffer timeout 5 ms, linger 0",
            pace=25,
            threads=True,
        ),
    )
}
