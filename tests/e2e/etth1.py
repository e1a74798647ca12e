"""ETTh1 as a stream: 7 series of 17,420 hourly observations, in order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from stream.records import LoggedRecord
from tidecast.messages import Observation, encode_observation
from tidecast.topics import partition_of

FILE: Final = Path(__file__).parents[3] / "shared" / "data" / "ett" / "ETTh1.csv"
STEP_SECONDS: Final = 3600

needs_etth1 = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is not here")


def load() -> tuple[list[int], dict[str, NDArray[np.float64]]]:
    """Timestamps in milliseconds, and the values of each series."""
    frame = pl.read_csv(FILE, try_parse_dates=True)
    times = frame["date"].dt.replace_time_zone("UTC").dt.epoch("ms").to_list()
    return times, {name: frame[name].to_numpy() for name in frame.columns if name != "date"}


def observations(rows: int | None = None) -> Iterator[Observation]:
    """The first `rows` rows, or all: each row's series one after the other."""
    times, columns = load()
    values = {name: column.tolist() for name, column in columns.items()}
    for row, time_ms in enumerate(times[:rows]):
        for name, column in values.items():
            yield Observation(name, time_ms, {"value": column[row]})


def as_log(stream: Iterator[Observation], partitions: int) -> dict[int, list[LoggedRecord]]:
    """The records that each partition holds once the observations are published in order."""
    log: dict[int, list[LoggedRecord]] = defaultdict(list)
    for observation in stream:
        partition = log[partition_of(observation.series_id, partitions)]
        key = observation.series_id.encode()
        offset = len(partition)
        partition.append(LoggedRecord(offset, 1 << 41, key, encode_observation(observation)))
    return log
