from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from examples import tables, web_load
from examples.catalogue import SHARED

M4 = SHARED / "m4"


@pytest.mark.parametrize(
    ("table", "label", "expected"),
    [
        (tables.tumour(), "diagnosis", load_breast_cancer().data),
        (tables.diabetes(), "progression", load_diabetes(scaled=False).data),
    ],
    ids=["tumour", "diabetes"],
)
def test_every_record_is_an_event_of_its_own_minute(
    table: pl.DataFrame, label: str, expected: np.ndarray
) -> None:
    measures = table.drop("timestamp", label).to_numpy()
    np.testing.assert_array_equal(np.sort(measures, axis=0), np.sort(expected, axis=0))
    assert not np.array_equal(measures, expected)
    assert (table["timestamp"].diff().drop_nulls().dt.total_minutes() == 1).all()


def test_labels_stay_with_their_records() -> None:
    found, table = load_breast_cancer(), tables.tumour()
    areas = dict(zip(found.data[:, 23].tolist(), found.target.tolist(), strict=True))
    unique = table.filter(pl.col("worst_area").is_unique())
    expected = [found.target_names[areas[area]] for area in unique["worst_area"]]
    assert unique["diagnosis"].to_list() == expected


def test_both_diagnoses_come_all_the_time() -> None:
    malignant = tables.tumour()["diagnosis"] == "malignant"
    shares = [malignant[begin : begin + 100].mean() for begin in range(0, 500, 100)]
    assert all(0.25 < share < 0.5 for share in shares if isinstance(share, float))


@pytest.mark.skipif(not M4.exists(), reason="../shared/data is not there")
def test_every_series_ends_with_the_table_and_begins_with_its_first_value() -> None:
    table = web_load.history(M4)
    assert table.shape == (960, 415)
    raw = pl.read_csv(M4 / "Hourly-train.csv", n_rows=1, infer_schema_length=1)
    first = [value for value in raw.row(0)[1:] if value is not None]
    column = table[raw.row(0)[0]]
    np.testing.assert_allclose(column.drop_nulls(), first, rtol=1e-6)
    assert column.null_count() == 960 - len(first)
    assert table["timestamp"].diff().drop_nulls().n_unique() == 1
