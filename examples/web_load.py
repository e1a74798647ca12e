"""Hourly load of many kinds: the 414 Hourly series of the M4 competition.

Traffic, demand and the like: all have a day's rhythm, most a week's. The competition tells neither
what they are nor when they were measured (https://github.com/Mcompetitions/M4-methods).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from training.data.series_rows import read_rows

END: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a file names no zone, and means UTC
"""Made up: the series have no dates. All end here, so that they share one grid."""


def history(m4: Path) -> pl.DataFrame:
    """A wide table: timestamp, then a column a series; shorter series begin later.

    m4: the folder with Hourly-train.csv, a row a series.
    """
    names, values = read_rows(m4 / "Hourly-train.csv")
    hours = values.shape[1]
    begin = END - timedelta(hours=hours)
    times = pl.Series("timestamp", [begin + timedelta(hours=hour) for hour in range(hours)])
    columns = (
        pl.Series(name, row, nan_to_null=True) for name, row in zip(names, values, strict=True)
    )
    return pl.DataFrame([times, *columns])
