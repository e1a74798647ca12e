"""Kafka going away in all the ways it can."""

from __future__ import annotations

from typing import Final

from bench.faults.fault import Fault, Stage


def restart(stage: Stage) -> None:
    """SIGTERM, and a start on the same data."""
    stage.place.servers.kafka.stop()
    _start(stage)


def kill(stage: Stage) -> None:
    """SIGKILL, and a start on the same data."""
    stage.place.servers.kafka.kill()
    _start(stage)


def _start(stage: Stage) -> None:
    # While nobody listens connections are refused, which the proxy would accept and close.
    stage.place.kafka_proxy.cut()
    stage.place.servers.kafka.start()
    stage.place.kafka_proxy.heal()


KAFKA: Final = (
    Fault(
        name="kafka-restart",
        group="kafka",
        about="clean restart of the broker",
        act=restart,
        outage_bar_s=10,
    ),
)
