from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tidecast.errors import DataError
from training.batches import TableBatches
from training.config import FitConfig
from training.data.csv_file import read_csv
from training.data.table import Table, split

WIDE = "time,a,b\n2026-01-01 00:00,1,2\n2026-01-01 01:00,,4\n2026-01-01 03:00,5,6\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "history.csv"
    path.write_text(text)
    return path


def test_a_wide_file_has_a_series_a_column_and_missing_rows_are_gaps(tmp_path: Path) -> None:
    table = read_csv(write(tmp_path, WIDE), "wide", None)
    assert table.names == ("a", "b")
    assert (table.first, table.step_seconds) == (1767225600, 3600)
    nan = np.nan
    np.testing.assert_array_equal(table.values[..., 0], [[1, nan, nan, 5], [2, 4, nan, 6]])


def test_a_long_file_gives_the_same_table_in_any_order(tmp_path: Path) -> None:
    rows = [
        "a,1767225600,1",
        "b,1767236400,6",
        "a,1767236400,5",
        "b,1767225600,2",
        "b,1767229200,4",
    ]
    text = "\n".join(["series_id,timestamp,value", *rows])
    table = read_csv(write(tmp_path, text), "long", 3600)
    wide = read_csv(write(tmp_path, WIDE), "wide", None)
    np.testing.assert_array_equal(table.values, wide.values)


def test_the_last_of_several_values_in_a_slot_stays(tmp_path: Path) -> None:
    table = read_csv(write(tmp_path, "time,a\n0,1\n10,2\n25,3\n61,4\n"), "wide", 60)
    np.testing.assert_array_equal(table.values[..., 0], [[3, 4]])


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        ("time\n1\n", "wide", "at least one series"),
        ("time,a\n", "wide", "no observations"),
        ("time,a\nyesterday,1\n", "wide", "ISO 8601"),
        ("series_id,value\na,1\n", "long", "timestamp"),
        ("time,a\n0,1\n", "wide", "give step_seconds"),
    ],
)
def test_an_unfit_file_is_one_clear_error(
    tmp_path: Path, text: str, layout: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(write(tmp_path, text), "wide" if layout == "wide" else "long", None)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_csv(tmp_path / "none.csv", "wide", None)


def table(slots: int) -> Table:
    """Two series whose values are their own slot numbers."""
    values = np.tile(np.arange(slots, dtype=np.float32)[:, None], (2, 1, 1))
    return Table(("a", "b"), values, ("value",), 0, 60)


def test_the_split_is_by_time_and_batches_come_from_the_first_part() -> None:
    history = table(1000)
    cut = split(history, 0.2, 0.1, horizon=24)
    assert cut == (700, 900, 1000)
    fit = FitConfig(batch=16, length=100)
    batches = TableBatches(history, cut, fit, seed=1)
    pieces = [batches.train(step) for step in range(40)]
    assert max(piece.values.max().item() for piece in pieces) < 700
    assert pieces[0].values.shape == (16, 100)
    assert (pieces[0].times == pieces[0].values * 60).all()
    assert (pieces[3].values == TableBatches(history, cut, fit, seed=1).train(3).values).all()
    assert batches.validation.values[0, batches.first].item() == 700
    assert batches.validation.values[0, -1].item() == 899


def test_too_little_history_is_an_error() -> None:
    with pytest.raises(DataError, match="more than the horizon"):
        split(table(100), 0.2, 0.2, horizon=24)
