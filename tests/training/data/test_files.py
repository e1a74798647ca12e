from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.training.data.writing import read, write
from training.data.columns import FileSource, Layout
from training.data.files import read_files

WIDE = "time,a,b\n2026-01-01 00:00,1,2\n2026-01-01 01:00,,4\n2026-01-01 03:00,5,6\n"
NAN = np.nan
WIDE_VALUES = [[1, NAN, NAN, 5], [2, 4, NAN, 6]]
SENSORS = "at,load,heat,state,holiday,note\n0,1,10,ok,0,x\n60,2,20,broken,1,y\n120,3,,ok,0,z\n"
DATA = Path("../shared/data")


def test_a_wide_file_has_a_series_a_column_and_missing_rows_are_gaps(tmp_path: Path) -> None:
    loaded = read(write(tmp_path / "a.csv", WIDE))
    assert loaded.table.names == ("a", "b")
    assert (loaded.table.first, loaded.table.step_seconds) == (1767225600, 3600)
    np.testing.assert_array_equal(loaded.table.values[..., 0], WIDE_VALUES)
    assert loaded.counts == {"files": 1, "rows": 3, "combined": 0}
    assert loaded.irregular == 0.5


def test_a_long_file_gives_the_same_table_in_any_order(tmp_path: Path) -> None:
    rows = ["a,1767225600,1", "b,1767236400,6", "a,1767236400,5", "b,1767225600,2"]
    text = "\n".join(["series_id,timestamp,value", *rows, "b,1767229200,4"])
    source = FileSource("a.csv", "long", step_seconds=3600)
    table = read(write(tmp_path / "a.csv", text), source).table
    assert table.channels == ("value",)
    np.testing.assert_array_equal(table.values[..., 0], WIDE_VALUES)


def test_channels_label_and_what_is_known_ahead_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "pump-1.csv", SENSORS)
    source = FileSource(path.name, "channels", "at", label="state", known=("holiday",))
    table = read(path, source, ok=0, broken=1).table
    assert (table.names, table.channels) == (("pump-1",), ("load", "heat"))
    np.testing.assert_array_equal(table.values, [[[1, 10], [2, 20], [3, NAN]]])
    assert table.labels is not None
    assert table.known is not None
    assert table.covariates == ("holiday",)
    np.testing.assert_array_equal(table.labels, [[0, 1, 0]])
    np.testing.assert_array_equal(table.known, [[[0], [1], [0]]])


def test_what_is_known_ahead_in_a_wide_file_goes_for_every_series(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "time,a,b,holiday\n0,1,2,0\n60,3,4,1\n120,,,1\n")
    table = read(path, FileSource("a.csv", known=("holiday",))).table
    assert table.known is not None
    np.testing.assert_array_equal(table.known[..., 0], [[0, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(table.values[..., 0], [[1, 3, NAN], [2, 4, NAN]])


@pytest.mark.parametrize("layout", ["wide", "long", "channels"])
def test_parquet_gives_the_table_that_csv_gives(tmp_path: Path, layout: Layout) -> None:
    frame = pl.DataFrame(
        {
            "series_id": ["a", "a", "b"] if layout == "long" else None,
            "timestamp": pl.datetime_range(
                pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1, 2), "1h", eager=True
            ),
            "load": [1.5, None, 3.0],
            "heat": [1, 2, 3],
        }
    )
    frame = frame if layout == "long" else frame.drop("series_id")
    frame.write_parquet(tmp_path / "x.parquet")
    frame.write_csv(tmp_path / "x.csv")
    first, second = (
        read_files(FileSource(f"x.{suffix}", layout), tmp_path).table
        for suffix in ("parquet", "csv")
    )
    assert first.names == second.names
    assert first.channels == second.channels
    np.testing.assert_array_equal(first.values, second.values)


def test_a_folder_of_files_is_one_table_a_series_each(tmp_path: Path) -> None:
    write(tmp_path / "pumps" / "north" / "1.csv", "time,load\n0,1\n60,2\n")
    write(tmp_path / "pumps" / "south" / "1.csv", "time,load\n60,3\n120,4\n")
    write(tmp_path / "pumps" / "readme.txt", "no data")
    table = read_files(FileSource("pumps", "channels"), tmp_path).table
    assert table.names == ("north/1", "south/1")
    np.testing.assert_array_equal(table.values[..., 0], [[1, 2, NAN], [NAN, 3, 4]])
    globbed = read_files(FileSource("pumps/n*/*.csv", "channels"), tmp_path).table
    assert globbed.names == ("north/1",)


def test_wide_files_of_one_folder_go_on_and_may_begin_new_series(tmp_path: Path) -> None:
    write(tmp_path / "parts" / "1.csv", "time,a\n0,1\n60,2\n")
    write(tmp_path / "parts" / "2.csv", "time,b,a\n120,9,3\n")
    loaded = read_files(FileSource("parts"), tmp_path)
    assert loaded.table.names == ("a", "b")
    np.testing.assert_array_equal(loaded.table.values[..., 0], [[1, 2, 3], [NAN, NAN, 9]])


def test_the_hash_names_the_bytes_of_all_files(tmp_path: Path) -> None:
    write(tmp_path / "parts" / "1.csv", "time,a\n0,1\n60,2\n")
    second = write(tmp_path / "parts" / "2.csv", "time,a\n120,3\n")
    before = read_files(FileSource("parts"), tmp_path).sha256
    assert read_files(FileSource("parts"), tmp_path).sha256 == before
    write(second, "time,a\n120,4\n")
    assert read_files(FileSource("parts"), tmp_path).sha256 != before


def test_rows_come_in_any_order_and_as_seconds_or_milliseconds(tmp_path: Path) -> None:
    text = "time,a\n1767225720,3\n1767225600000,1\n2026-01-01T00:01:00Z,2\n"
    table = read(write(tmp_path / "a.csv", text)).table
    np.testing.assert_array_equal(table.values[..., 0], [[1, 2, 3]])


def test_zones_are_made_one(tmp_path: Path) -> None:
    text = "time,a\n2026-01-01T01:00:00+01:00,1\n2026-01-01T01:00:00Z,2\n"
    table = read(write(tmp_path / "a.csv", text)).table
    assert (table.first, table.step_seconds) == (1767225600, 3600)


def test_a_file_larger_than_a_batch_of_rows_is_read_to_its_end(tmp_path: Path) -> None:
    count = 120_001
    frame = pl.DataFrame({"time": np.arange(count) * 10, "a": np.arange(count) % 1000})
    frame.write_csv(tmp_path / "a.csv")
    loaded = read_files(FileSource("a.csv"), tmp_path)
    assert loaded.counts["rows"] == count
    np.testing.assert_array_equal(loaded.table.values[0, :, 0], np.arange(count) % 1000)
    with_hours = read_files(FileSource("a.csv", step_seconds=3600, aggregate="sum"), tmp_path)
    assert with_hours.table.values.sum() == frame["a"].sum()
    assert with_hours.counts["combined"] == count - with_hours.table.values.size


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
def test_published_files_are_read_as_they_are() -> None:
    etth1 = read_files(FileSource("ett/ETTh1.csv", "channels"), DATA).table
    assert etth1.values.shape == (1, 17420, 7)
    assert not np.isnan(etth1.values).any()
    cloud = read_files(FileSource("nab/data/realAWSCloudwatch", "channels"), DATA)
    assert len(cloud.table.names) == cloud.counts["files"] == 17
    assert cloud.table.step_seconds == 300
