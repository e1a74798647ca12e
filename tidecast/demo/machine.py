"""The metrics of this very machine, read once a second through psutil."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import psutil

Readings = dict[str, float | None]
"""A value for each series id, None where there is none this time."""

CORES_SHOWN: Final = 4
"""A row for every core of a large machine would push the rest off the screen."""

UNITS: Final = {
    "cpu": "%",
    "load": "tasks",
    "memory": "%",
    "swap": "%",
    "disk": "B/s",
    "network": "B/s",
    "switches": "/s",
}


class Rate:
    """How fast a counter grows, from one reading to the next."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def update(self, count: float | None, now_s: float) -> float | None:
        """Growth per second since the last reading.

        None at the first, after a missing one, and when the counter went back.
        """
        before, self._last = self._last, None if count is None else (count, now_s)
        if before is None or count is None or now_s <= before[1] or count < before[0]:
            return None
        return (count - before[0]) / (now_s - before[1])


class Machine:
    """The metrics that this machine can give. `units` names its series, in order."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a first reading, which later rates and percentages refer to."""
        self._clock = clock
        self._rates = {name: Rate() for name, count in _counters().items() if count is not None}
        self.units = {name: UNITS[name.split("/")[1]] for name in self.read()}

    def read(self) -> Readings:
        """All series now. Percentages and rates are means since the last reading."""
        counts, now_s = _counters(), self._clock()
        rates = {name: rate.update(counts[name], now_s) for name, rate in self._rates.items()}
        return _gauges() | rates


def _gauges() -> Readings:
    cores = psutil.cpu_percent(percpu=True)
    readings: Readings = {"machine/cpu": sum(cores) / len(cores)}
    if len(cores) > 1:
        readings |= {f"machine/cpu/{n}": core for n, core in enumerate(cores[:CORES_SHOWN])}
    readings["machine/load"] = psutil.getloadavg()[0]
    readings["machine/memory"] = psutil.virtual_memory().percent
    swap = psutil.swap_memory()
    if swap.total:
        readings["machine/swap"] = swap.percent
    return readings


def _counters() -> Readings:
    """Counts since the machine started; None for what it does not count, as in some containers."""
    disk = psutil.disk_io_counters()
    cards = psutil.net_io_counters(pernic=True)
    # The demo's own servers talk over the loopback; that is no traffic of the network.
    network = [counts for name, counts in cards.items() if not name.lower().startswith("lo")]
    return {
        "machine/disk/read": disk.read_bytes if disk else None,
        "machine/disk/write": disk.write_bytes if disk else None,
        "machine/network/in": sum(card.bytes_recv for card in network) if network else None,
        "machine/network/out": sum(card.bytes_sent for card in network) if network else None,
        "machine/switches": psutil.cpu_stats().ctx_switches,
    }
