"""Cloud servers that fail: the AWS series of the Numenta Anomaly Benchmark, and their incidents.

NAB (https://github.com/numenta/NAB, MIT) gives for each series the moments at which an incident was
seen to begin, and windows within which they last.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import polars as pl

from training.data.waves import Ints

STEP_S: Final = 300
AHEAD_SLOTS: Final = 36
"""Three hours: long enough to act, short enough that something might show. The recipe's lead."""
FAMILY: Final = "realAWSCloudwatch"
CALM, FAILURE = "calm", "failure"


def history(nab: Path) -> pl.DataFrame:
    """A row an observation: series_id, timestamp, value, and the label `incident`.

    nab: the benchmark's folder. The label of a slot tells of the past alone: whether an incident
    began within the AHEAD_SLOTS up to it. A model with as many slots of lead is therefore asked
    what is to come, and no label of the training part knows of what comes after that part.
    """
    moments = msgspec.json.decode((nab / "labels" / "combined_labels.json").read_bytes())
    windows = msgspec.json.decode((nab / "labels" / "combined_windows.json").read_bytes())
    series = []
    for file in sorted((nab / "data" / FAMILY).glob("*.csv")):
        key = f"{FAMILY}/{file.name}"
        begun = np.array([_slot(text) for text in moments[key]], np.int64)
        spans = np.array([[_slot(text) for text in pair] for pair in windows[key]], np.int64)
        frame = pl.read_csv(file, try_parse_dates=True)
        slots = frame["timestamp"].dt.epoch("s").to_numpy() // STEP_S
        names = pl.Series("incident", labels(slots, begun, spans.reshape(-1, 2)), pl.String)
        series.append(
            frame.select(pl.lit(file.stem).alias("series_id"), "timestamp", "value", names)
        )
    return pl.concat(series)


def labels(slots: Ints, begun: Ints, spans: Ints) -> list[str | None]:
    """CALM or FAILURE for each slot [N], None where nobody is to be asked.

    begun: slots in which incidents began. spans: [W, 2] first and last slots of their windows.
    Nobody is asked before the series has begun, nor while an incident lasts: from its beginning to
    the end of its window, where it has one.
    """
    asked_at = slots - AHEAD_SLOTS
    ahead = ((asked_at[:, None] < begun) & (begun <= slots[:, None])).any(axis=1)
    within = (spans[:, 0] <= begun[:, None]) & (begun[:, None] <= spans[:, 1])
    until = np.where(within, spans[:, 1], begun[:, None]).max(axis=1, initial=0)
    lasting = ((begun <= asked_at[:, None]) & (asked_at[:, None] <= until)).any(axis=1)
    unasked = lasting | (asked_at < slots[0])
    told = np.where(ahead, FAILURE, CALM)
    return [None if skip else str(name) for skip, name in zip(unasked, told, strict=True)]


def _slot(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // STEP_S
