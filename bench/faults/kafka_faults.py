"""Kafka going away in all the ways it can."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Final

from bench.faults.fault import Fault, Stage
from bench.faults.place import KAFKA_FOLDER, no_small_disk

LOST_REPLIES_S: Final = 3.0
CUT_S: Final = 5.0
DELAY_S: Final = 0.3
DELAYED_S: Final = 8.0
RESETS: Final = 5
FULL_S: Final = 5.0
FILLED_AT_ONCE: Final = 64 * 1024


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


def unreachable(seconds: float) -> Callable[[Stage], None]:
    """Nothing moves between workers and broker for so long; then all goes on."""

    def act(stage: Stage) -> None:
        stage.place.kafka_proxy.hold()
        time.sleep(seconds)
        stage.place.kafka_proxy.heal()

    return act


def lose_replies(stage: Stage) -> None:
    """What the workers send arrives, and they never hear of it."""
    stage.place.kafka_proxy.drop_replies()
    time.sleep(LOST_REPLIES_S)
    stage.place.kafka_proxy.heal()


def delay(stage: Stage) -> None:
    """A slow network."""
    stage.place.kafka_proxy.delay(DELAY_S)
    time.sleep(DELAYED_S)
    stage.place.kafka_proxy.delay(0)


def half_open(stage: Stage) -> None:
    """The connections of this moment are dead and nobody says so."""
    stage.place.kafka_proxy.half_open()


def reset(stage: Stage) -> None:
    """RST on every connection, again and again."""
    for _ in range(RESETS):
        stage.place.kafka_proxy.reset()
        time.sleep(stage.random.uniform(0.2, 1.5))


def cut(stage: Stage) -> None:
    """Connections are closed, and refused for a while."""
    stage.place.kafka_proxy.cut()
    time.sleep(CUT_S)
    stage.place.kafka_proxy.heal()


def fill_disk(stage: Stage) -> None:
    """Not a byte is left, which ends the broker; then there is room, and it is started again."""
    filler = stage.place.folder / KAFKA_FOLDER / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(FILLED_AT_ONCE))
    time.sleep(FULL_S)
    filler.unlink()
    stage.place.servers.kafka.stop()
    _start(stage)


KAFKA_FAULTS: Final = (
    Fault(
        name="kafka-restart",
        group="kafka",
        about="clean restart of the broker",
        act=restart,
        outage_bar_s=10,
    ),
    Fault(
        name="kafka-kill",
        group="kafka",
        about="SIGKILL of the broker, and a start",
        act=kill,
        outage_bar_s=10,
    ),
    *(
        Fault(
            name=f"kafka-unreachable-{seconds}",
            group="kafka",
            about=f"unreachable for {seconds} s",
            act=unreachable(seconds),
        )
        for seconds in (5, 30, 120)
    ),
    Fault(
        name="kafka-lost-replies",
        group="kafka",
        about=f"requests arrive, replies are lost for {LOST_REPLIES_S:g} s",
        act=lose_replies,
    ),
    Fault(
        name="kafka-delay",
        group="kafka",
        about=f"{DELAY_S:g} s of delay in each direction for {DELAYED_S:g} s",
        act=delay,
    ),
    Fault(
        name="kafka-half-open",
        group="kafka",
        about="connections half open: dead, and nobody says so",
        act=half_open,
    ),
    Fault(name="kafka-reset", group="kafka", about=f"{RESETS} resets (RST)", act=reset),
    Fault(
        name="kafka-disk-full",
        group="kafka",
        about=f"its disk full for {FULL_S:g} s, and a start when there is room",
        act=fill_disk,
        disk_mib=300,
        impossible=no_small_disk,
    ),
    Fault(name="kafka-cut", group="kafka", about=f"refused for {CUT_S:g} s", act=cut),
)
