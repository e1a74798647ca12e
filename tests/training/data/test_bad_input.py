from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.training.data.writing import read, write
from tidecast.errors import DataError, SettingsError
from training.config import read_recipe
from training.data.columns import FileSource
from training.data.files import read_files

CHANNELS = FileSource("a.csv", "channels")
LONG = FileSource("a.csv", "long")
WIDE = FileSource("a.csv")


@pytest.mark.parametrize(
    ("text", "source", "message"),
    [
        ("", WIDE, "is empty; its first line must name the columns"),
        ("time,a\n", WIDE, "no observations: a header and no rows"),
        ("time\n1\n", WIDE, "no column of numbers besides time"),
        ("time,a,a\n0,1,2\n", WIDE, "'a' is empty or occurs twice; rename it"),
        ("time,a,\n0,1,2\n", WIDE, "'' is empty or occurs twice"),
        (
            "load,heat\n1.5,2\n2.5,3\n",
            WIDE,
            "no time column: none of load, heat is called",
        ),
        ("time,a\nyesterday,1\n", WIDE, "'yesterday' is no time like 2026-11-20T10:00:00Z"),
        ("time,a\n0,1\n,2\n", WIDE, "row 2, column 'time': .* is no time"),
        ("time,a\n0,1\n60,much\n", WIDE, "row 2, column 'a': 'much' is no number; a missing"),
        ("time,a\n0,inf\n60,1\n", WIDE, "row 1, column 'a': 'inf' is infinite"),
        ("time,a\n0,1\n60,1e39\n", WIDE, "row 2, column 'a': '1e39' is infinite, or beyond"),
        ("time,a\n0,1\n60,2,3\n", WIDE, "cannot read .*a.csv"),
        ("time,a\n0,1\n", WIDE, "give step_seconds"),
        ("time,a\n0,\n60,\n", WIDE, "every value is missing"),
        ("time,a\n0,1\n1,2\n9999999999,2\n", WIDE, "give a larger step_seconds"),
        ("series_id,value\na,1\n", LONG, "no time column"),
        ("timestamp,value\n0,1\n", LONG, "has no column 'series_id'; it has timestamp, value"),
        ("series_id,timestamp,value\n,0,1\n", LONG, "row 1, column 'series_id': None is empty"),
        ("time,a\n0,x\n60,y\n", CHANNELS, "no column of numbers besides time"),
        ("time,a\n0,1\n", FileSource("a.csv", time="at"), "has no column 'at'; it has time, a"),
    ],
)
def test_an_unfit_file_is_one_clear_error(
    tmp_path: Path, text: str, source: FileSource, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "a.csv", text), source)


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00"),
        ("2026-01-01 00:00:00", "2026-01-01T01:00:00+02:00"),
    ],
)
def test_times_with_and_without_a_zone_do_not_mix(tmp_path: Path, times: tuple[str, str]) -> None:
    path = write(tmp_path / "a.csv", f"time,a\n{times[0]},1\n{times[1]},2\n")
    with pytest.raises(DataError, match="write all times with a zone, or none of them"):
        read(path)


def test_neither_do_the_times_of_two_files(tmp_path: Path) -> None:
    write(tmp_path / "parts/1.csv", "time,a\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00Z,2\n")
    write(tmp_path / "parts/2.csv", "time,a\n2026-01-01T02:00:00,1\n")
    with pytest.raises(DataError, match=r"2\.csv, row 1.* unlike '2026-01-01T00:00:00Z'"):
        read_files(FileSource("parts"), tmp_path)


def test_wrong_types_in_parquet_are_named(tmp_path: Path) -> None:
    frame = pl.DataFrame({"time": [0, 60], "a": [[1], [2]]})
    frame.write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="cannot be a value: the column's type is List"):
        read_files(FileSource("a.parquet"), tmp_path)
    pl.DataFrame({"time": [0.5, 1.5], "a": [1, 2]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="is no time: the column's type is Float64"):
        read_files(FileSource("a.parquet"), tmp_path)


def test_an_infinite_number_in_parquet_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"time": [0, 60], "a": [1.0, float("-inf")]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="row 2, column 'a': -inf is infinite"):
        read_files(FileSource("a.parquet"), tmp_path)


def test_a_damaged_parquet_file_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"cannot read .*a\.parquet"):
        read_files(FileSource("a.parquet"), tmp_path)


def test_a_label_that_is_no_class_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "time,load,state\n0,1,ok\n60,2,odd\n")
    with pytest.raises(DataError, match=r"row 2, .*'odd' is none of the classes ok, broken"):
        read(path, FileSource("a.csv", "channels", label="state"), ok=0, broken=1)


def test_files_of_different_channels_are_named(tmp_path: Path) -> None:
    write(tmp_path / "parts/1.csv", "time,a\n0,1\n")
    write(tmp_path / "parts/2.csv", "time,b\n0,1\n")
    with pytest.raises(DataError, match=r"2\.csv has the channels b, .* has a; name those to read"):
        read_files(FileSource("parts", "channels"), tmp_path)


@pytest.mark.parametrize(
    ("path", "message"),
    [("none.csv", "no such file"), ("*.csv", "no such file"), ("a.txt", "no .csv or .parquet")],
)
def test_what_is_not_there_says_so(tmp_path: Path, path: str, message: str) -> None:
    write(tmp_path / "a.txt", "time,a\n")
    with pytest.raises(DataError, match=message):
        read_files(FileSource(path), tmp_path)


RECIPE = 'name = "a"\n[model]\nfamily = "streaming-gru"\n[data]\nsource = "file"\npath = "a.csv"\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('colour = "blue"', "colour"),
        ('aggregate = "median"', "median"),
        ('layout = "tall"', "tall"),
        ('layout = "channels"\nlabel = "a"\nchannels = ["a"]', "'a' is named twice"),
        ('label = "a"', "a wide file has no label"),
        ('known = "holiday"', "known"),
        ('split = { by = "shares", validate = 0.6, test = 0.5 }', "must be below 1"),
        ('split = { by = "rows", train_rows = 10 }', "validate_rows"),
    ],
)
def test_an_unknown_option_is_named_with_its_place(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_recipe(write(tmp_path / "recipe.toml", RECIPE + line))
