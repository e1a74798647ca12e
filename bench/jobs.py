"""Two jobs of the same shape: what the worker is for, and the small one that peers are measured by.

All programs are given the same bundle and answer with every number that it has, so that worker and
peers do the same work in both.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from bench.small_gru import small_gru
from tidecast.bundle import write_bundle

SHIPPED: Final = Path("onnx_models/general-gru/1")


class Job(StrEnum):
    """What is to be answered to each event, by the name of its bench."""

    THROUGHPUT = "throughput"
    """The shipped general GRU with all its quantile levels: 24 x 3 numbers."""
    PEERS = "peers"
    """One step of a small GRU: 24 numbers. Little work in the model leaves more to the systems."""


def bundle_of(job: Job, folder: Path) -> Path:
    """The bundle of a job; one that is not shipped is written into the folder."""
    if job is Job.THROUGHPUT:
        return SHIPPED
    return write_bundle(folder, small_gru(), report_html="")
