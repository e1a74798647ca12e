"""Kafka going away in all the ways it can."""

from __future__ import annotations

from typing import Final

from bench.faults.fault import Fault, Stage


def restart(stage: Stage) -> None:
    """SIGTERM, and a start on the same data."""
    stage.place.servers.kafka.restart()


KAFKA: Final = (
    Fault(
        name="kafka-restart",
        group="kafka",
        about="clean restart of the broker",
        act=restart,
        outage_bar_s=10,
    ),
)
