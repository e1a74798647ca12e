"""All faults by name."""

from __future__ import annotations

from typing import Final

from bench.faults.controls import CONTROLS
from bench.faults.fault import Fault
from bench.faults.input_faults import INPUT_FAULTS
from bench.faults.kafka_faults import KAFKA_FAULTS
from bench.faults.mixes import MIXES
from bench.faults.redis_faults import REDIS_FAULTS
from bench.faults.ruins import RUINS
from bench.faults.worker_faults import WORKER_FAULTS

FAULTS: Final[dict[str, Fault]] = {
    fault.name: fault
    for fault in (
        Fault(name="none", group="none", about="no fault"),
        *WORKER_FAULTS,
        *KAFKA_FAULTS,
        *REDIS_FAULTS,
        *INPUT_FAULTS,
        *MIXES,
        *RUINS,
        *CONTROLS,
    )
}
