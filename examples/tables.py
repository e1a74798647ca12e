"""Tables without time, from scikit-learn: each record is an event, answered from itself alone.

A stream has times, so the records get some: shuffled by a seed, since a file's order may tell the
answer, then one a minute. A model with a context of 1 sees the newest record and nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.utils import Bunch

SEED: Final = 6
BEGIN: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a file names no zone, and means UTC


def tumour() -> pl.DataFrame:
    """Thirty measures of the cell nuclei of 569 biopsies, and the `diagnosis`.

    Wolberg, Mangasarian, Street and Street (1995), https://doi.org/10.24432/C5DW2B, CC BY 4.0.
    """
    found = load_breast_cancer()
    return _events(found, pl.Series("diagnosis", found.target_names[found.target]))


def diabetes() -> pl.DataFrame:
    """Age, sex, body mass, blood pressure and six blood values of 442 patients, in their own units.

    `progression` is a doctor's measure of the illness a year later: Efron, Hastie, Johnstone and
    Tibshirani (2004), https://doi.org/10.1214/009053604000000067.
    """
    found = load_diabetes(scaled=False)
    return _events(found, pl.Series("progression", found.target))


def _events(found: Bunch, label: pl.Series) -> pl.DataFrame:
    """A row a record: timestamp, a column a measure, the label."""
    names = [str(name).replace(" ", "_") for name in found.feature_names]
    records = pl.DataFrame(found.data, schema=names).with_columns(label)
    order = np.random.default_rng(SEED).permutation(records.height)
    times = [BEGIN + timedelta(minutes=minute) for minute in range(records.height)]
    return records[order].insert_column(0, pl.Series("timestamp", times))
