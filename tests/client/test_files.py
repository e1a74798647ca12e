"""Files of observations: what is read, and how what is wrong is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tidecast.blocks import BlockWriter
from tidecast.errors import DataError
from tidecast.files import FileOptions, ObservationTable, read_observations
from tidecast.messages import Observation, decode_observation, milliseconds
from tidecast.topics import partition_of

MakeFile = Callable[[str], Path]
Point = tuple[object, dict[str, float | None]]
PARTITIONS = 3
T0 = milliseconds(datetime(2026, 1, 1, tzinfo=UTC))
HOUR = 3_600_000


@pytest.fixture
def csv(tmp_path: Path) -> MakeFile:
    def make(text: str) -> Path:
        path = tmp_path / "load.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def observations(table: ObservationTable) -> list[Observation]:
    """What would be published, partition by partition, in order."""
    found = []
    for block in BlockWriter(table, PARTITIONS).blocks(0, len(table.times)):
        for key, value in zip(block.keys, block.values, strict=True):
            one = decode_observation(value)
            assert one.series_id.encode() == key
            assert partition_of(one.series_id, PARTITIONS) == block.partition
            found.append(one)
    return found


def of_series(
    table: ObservationTable, series_id: str
) -> list[tuple[object, dict[str, float | None]]]:
    found = [one for one in observations(table) if one.series_id == series_id]
    return [(one.timestamp, one.values) for one in found]


def test_a_wide_file_is_a_series_per_column(csv: MakeFile) -> None:
    path = csv("time,a,b\n2026-01-01T00:00:00Z,1.5,2\n2026-01-01T02:00:00+01:00,,-3e2\n")
    table = read_observations(path, FileOptions(prefix="plant/", channel="load"))
    assert (table.series, table.channels, table.events) == (["plant/a", "plant/b"], ["load"], 4)
    assert of_series(table, "plant/a") == [(T0, {"load": 1.5}), (T0 + HOUR, {"load": None})]
    assert of_series(table, "plant/b") == [(T0, {"load": 2.0}), (T0 + HOUR, {"load": -300.0})]


def test_a_long_file_is_a_row_per_observation(csv: MakeFile) -> None:
    path = csv(f"series_id,timestamp,value\na,{T0},1\nb,{T0},2\na,{T0 + HOUR},3\n")
    table = read_observations(path)
    assert of_series(table, "a") == [(T0, {"value": 1.0}), (T0 + HOUR, {"value": 3.0})]
    assert of_series(table, "b") == [(T0, {"value": 2.0})]


def test_a_long_file_may_have_a_column_per_channel(csv: MakeFile) -> None:
    path = csv(f"series_id;timestamp;load;temperature\na;{T0};1;\na;{T0 + HOUR};3;4\n")
    first, second = of_series(read_observations(path), "a")
    assert first == (T0, {"load": 1.0, "temperature": None})
    assert second == (T0 + HOUR, {"load": 3.0, "temperature": 4.0})


def test_a_channel_column_gathers_the_channels_of_one_moment(csv: MakeFile) -> None:
    rows = [f"a,{T0},1,load", f"a,{T0 + HOUR},3,load", f"a,{T0},2,temp", f"b,{T0},5,load"]
    table = read_observations(csv("series_id,timestamp,value,channel\n" + "\n".join(rows)))
    assert table.events == 3
    assert of_series(table, "a")[0] == (T0, {"load": 1.0, "temp": 2.0})
    assert of_series(table, "b") == [(T0, {"load": 5.0, "temp": None})]


def test_rows_leave_in_order_of_time_across_series(csv: MakeFile) -> None:
    rows = [f"{name},{T0 + i * HOUR},{i}" for name in "abc" for i in (1, 0, 2)]
    table = read_observations(csv("series_id,timestamp,value\n" + "\n".join(rows)))
    assert table.times.to_list() == sorted(table.times.to_list())
    assert [time for time, _ in of_series(table, "b")] == [T0, T0 + HOUR, T0 + 2 * HOUR]


def test_one_moment_keeps_the_order_of_the_file(csv: MakeFile) -> None:
    rows = "\n".join(f"a,{T0},{i}" for i in range(50))
    table = read_observations(csv("series_id,timestamp,value\n" + rows))
    assert [values["value"] for _, values in of_series(table, "a")] == list(range(50))


def test_every_spelling_of_missing_becomes_null(csv: MakeFile) -> None:
    cells = ["", "NaN", "nan", "NA", " null ", "None", "n/a"]
    rows = "\n".join(f"{T0 + i},{cell},1" for i, cell in enumerate(cells))
    table = read_observations(csv("timestamp,a,b\n" + rows))
    assert [values["value"] for _, values in of_series(table, "a")] == [None] * len(cells)


def test_numbers_survive_to_the_last_bit(csv: MakeFile) -> None:
    numbers = [0.1, 1e-30, 5.827000141143799, -0.0, 1e30, 123456789.123456789, 3.0]
    rows = "\n".join(f"{T0 + i},{number!r},1" for i, number in enumerate(numbers))
    table = read_observations(csv("timestamp,a,b\n" + rows))
    assert [values["value"] for _, values in of_series(table, "a")] == numbers


def test_a_series_id_may_hold_what_json_must_escape(csv: MakeFile) -> None:
    path = csv(f'series_id,timestamp,value\n"a ""b"" \\ ä",{T0},1\n')
    assert observations(read_observations(path))[0].series_id == 'a "b" \\ ä'


@pytest.mark.parametrize(
    "time", ["2026-01-01 00:00:00", "2026-01-01T00:00", "2026-01-01 00:00:00.000", "2026-01-01"]
)
def test_a_time_without_zone_needs_a_word_from_the_user(csv: MakeFile, time: str) -> None:
    path = csv(f"date,a\n{time},1\n")
    with pytest.raises(DataError, match=r"row 1, column 'date'.* no time zone; .*--assume-utc"):
        read_observations(path)
    assert of_series(read_observations(path, FileOptions(assume_utc=True)), "a")[0][0] == T0


def test_parquet_is_recognised_and_read_alike(tmp_path: Path) -> None:
    times = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in range(3)]
    frame = pl.DataFrame({"timestamp": times, "a": [1.0, float("nan"), None], "b": [1, 2, 3]})
    frame.write_parquet(tmp_path / "no-suffix")
    table = read_observations(tmp_path / "no-suffix")
    assert [values["value"] for _, values in of_series(table, "a")] == [1.0, None, None]
    assert of_series(table, "b")[2] == (T0 + 2 * HOUR, {"value": 3.0})


def test_parquet_times_without_zone_need_a_word_too(tmp_path: Path) -> None:
    path = tmp_path / "load.parquet"
    naive = pl.Series("timestamp", [T0], pl.Int64).cast(pl.Datetime("ms"))
    pl.DataFrame([naive, pl.Series("a", [1])]).write_parquet(path)
    with pytest.raises(DataError, match="--assume-utc"):
        read_observations(path)
    assert of_series(read_observations(path, FileOptions(assume_utc=True)), "a")[0][0] == T0


def test_parquet_of_another_type_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "load.parquet"
    pl.DataFrame({"timestamp": [T0], "a": [[1, 2]]}).write_parquet(path)
    with pytest.raises(DataError, match=r"column 'a': .*type is List"):
        read_observations(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no header"),
        ("just one\n1\n", "no header"),
        ("timestamp,a\n", "a header and no rows"),
        ("timestamp,a,a\n1,2,3\n", "'a' is empty or occurs twice"),
        ("timestamp,a,\n1,2,3\n", "'' is empty or occurs twice"),
        ("a,b\n1,2\n", "no time column"),
        (f"timestamp,a\n{T0},1\n{T0},x\n", "row 2, column 'a': 'x' is no number"),
        (f"timestamp,a\n{T0},inf\n", "row 1, column 'a': 'inf' is infinite"),
        (f"timestamp,a\n{T0},1e39\n", "row 1, column 'a': '1e39' is infinite, or beyond"),
        (f"timestamp,a\n{T0},true\n", "row 1, column 'a': 'true' is no number"),
        ("timestamp,a\n2026-01-01T00:00:00Z,1\nsoon,1\n", "row 2, column 'timestamp': 'soon'"),
        ("timestamp,a\n2026-01-01T00:00:00Z,1\n2026-13-01T00:00:00Z,1\n", "row 2, .*2026-13-01"),
        (f"timestamp,a\n{T0},1\n,1\n", "row 2, column 'timestamp': None is no time"),
        ("timestamp,a\n1767225600,1\n", "row 1, .*looks like seconds"),
        (f"timestamp,a\n{T0},1,2\n", "cannot read"),
        (f"series_id,timestamp\na,{T0}\n", "needs series_id, timestamp and value"),
        (f"series_id,timestamp,value\n,{T0},1\n", "row 1, column 'series_id': None is empty"),
        (f"series_id,timestamp,value\n{'x' * 257},{T0},1\n", "over 256 bytes"),
        (f"series_id,timestamp,x,channel\na,{T0},1,c\n", "needs one column 'value'"),
        (
            f"series_id,timestamp,value,channel\na,{T0},1,c\na,{T0},2,c\n",
            "'a' has channel 'c' twice",
        ),
    ],
)
def test_what_is_wrong_is_named(csv: MakeFile, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        read_observations(csv(text))
    assert "\n" not in str(caught.value)
    assert "load.csv" in str(caught.value)


def test_the_wrong_row_is_named_beyond_the_first_slice(csv: MakeFile) -> None:
    rows = [f"{T0 + i},1" for i in range(120_000)]
    rows[110_000] = f"{T0},oops"
    with pytest.raises(DataError, match="row 110001, column 'a': 'oops'"):
        read_observations(csv("timestamp,a\n" + "\n".join(rows)))


def test_bytes_that_are_no_text_are_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_bytes(b"timestamp,a\xff\n1,2\n")
    with pytest.raises(DataError, match="cannot read"):
        read_observations(path)


def test_a_file_that_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nope\.csv: No such file") as caught:
        read_observations(tmp_path / "nope.csv")
    assert caught.value.exit_code == 65
