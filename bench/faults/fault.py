"""A fault, and what it may lay hands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Literal

from bench.faults.driver import Driver
from bench.faults.fleet import Fleet
from bench.faults.place import Place
from bench.faults.points import Load, Shape, as_they_are
from bench.processes import WORKER
from tidecast.settings import Settings

Group = Literal["none", "worker", "kafka", "redis", "input", "mix", "stop", "control"]


@dataclass(frozen=True)
class Stage:
    """One repeat while it runs.

    settings: straight to Kafka; Redis by its proxy, which may lead elsewhere by now. epilogue:
    publishes the last slot of every series, when the fault is over and `driver` done. logs: a
    folder for this repeat. random: of the seed. cleanup: what is to be ended with the repeat.
    """

    place: Place
    settings: Settings
    fleet: Fleet
    driver: Driver
    epilogue: Driver
    load: Load
    logs: Path
    random: Random
    cleanup: ExitStack


def nothing(_: Stage) -> None:
    """A fault that lies in the input or in the workers themselves."""


def possible() -> str:
    """Nothing stands in the way."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault by name.

    about: in half a line, for the table. act: commits it while events flow, and returns when it
    is over. shape: what it does to the input. workers: how many there are. members: whether each
    keeps its place in the group while it is away (`worker.instance`). module: what they run;
    first: what the first start of worker 0 runs in its place. stream: settings of the stream.
    ruin: what becomes of the log when all is over; a worker that is started then must refuse.
    slots: how many events each series has, 0 for as many as usual: the fewer, the more series.
    disk_mib: the size of Kafka's disk, which is then its own; 0 for what there is.
    lasts_s: how long it lasts where that is long: events then flow for longer.
    outage_bar_s: the longest outage that is allowed, None where there is no such bar.
    impossible: why this machine cannot run it; empty where it can.
    """

    name: str
    group: Group
    about: str
    act: Callable[[Stage], None] = nothing
    shape: Shape = as_they_are
    workers: int = 2
    members: bool = True
    module: Sequence[str] = WORKER
    first: Callable[[Random], Sequence[str]] | None = None
    stream: Mapping[str, Any] = field(default_factory=dict)
    ruin: Callable[[Stage], None] | None = None
    slots: int = 0
    disk_mib: int = 0
    compression: str | None = None
    lasts_s: float = 0.0
    outage_bar_s: float | None = None
    impossible: Callable[[], str] = possible

    def loaded(self, load: Load) -> Load:
        """The load, over as many series as the fault needs."""
        return replace(load, series=load.events // self.slots) if self.slots else load

    @property
    def control(self) -> bool:
        """Whether this is a negative control, which the verifier must find guilty."""
        return self.group == "control"
