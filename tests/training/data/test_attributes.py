from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.training.data.writing import read, write
from tidecast.errors import DataError
from training.data.cleaning.regrid import Regrid
from training.data.columns import FileSource
from training.data.table import Split
from training.data.waves import Floats

LONG = """series_id,timestamp,load,capacity,region,plan
a,0,1,40,north,0
a,60,2,40.0,north,1
b,0,3,60,,0
b,60,4,,south,1
c,0,5,,north,0
"""
NAN = np.nan


def source(*static: str) -> FileSource:
    return FileSource("a.csv", "long", channels=("load",), known=("plan",), static=static)


def read_known(path: Path, *static: str) -> tuple[tuple[str, ...], Floats]:
    table = read(path, source(*static)).table
    assert table.known is not None
    assert table.static == table.covariates[1:]
    return table.covariates, table.known


def test_numbers_are_themselves_and_names_become_a_covariate_each(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", LONG)
    names, known = read_known(path, "capacity", "region")
    assert names == ("plan", "capacity", "region=north", "region=south")
    every = [[40, 1, 0], [60, 0, 1], [NAN, 1, 0]]
    for slot in (0, 1):
        np.testing.assert_array_equal(known[:, slot, 1:], every)
    np.testing.assert_array_equal(known[..., 0], [[0, 1], [0, 1], [0, NAN]])


def test_one_name_is_read_as_a_bundle_names_it(tmp_path: Path) -> None:
    """So a bundle is tried on a file whose other names it has never met."""
    names, known = read_known(write(tmp_path / "a.csv", LONG), "region=south", "region=east")
    assert names == ("plan", "region=south", "region=east")
    np.testing.assert_array_equal(known[:, 0, 1:], [[0, 0], [1, 0], [0, 0]])


def test_each_file_is_a_series_with_attributes_of_its_own(tmp_path: Path) -> None:
    for name, outdoors in (("1", True), ("2", False)):
        frame = pl.DataFrame({"time": [0, 60], "load": [1.0, 2.0], "outdoors": [outdoors] * 2})
        (tmp_path / "pumps").mkdir(exist_ok=True)
        frame.write_parquet(tmp_path / "pumps" / f"{name}.parquet")
    wanted = FileSource("pumps", "channels", channels=("load",), static=("outdoors",))
    table = read(tmp_path / "pumps", wanted).table
    assert table.known is not None
    np.testing.assert_array_equal(table.known[..., 0], [[1, 1], [0, 0]])


@pytest.mark.parametrize("changed", ["41", "much"])
def test_an_attribute_that_changes_is_named(tmp_path: Path, changed: str) -> None:
    path = write(tmp_path / "a.csv", LONG.replace("40.0", changed))
    message = f"row 2, column 'capacity': '{changed}' was '40' before, .* in known"
    with pytest.raises(DataError, match=message):
        read(path, source("capacity"))


def test_an_id_is_no_attribute(tmp_path: Path) -> None:
    rows = "".join(f"{n},{t},1,id-{n},0\n" for n in range(51) for t in (0, 60))
    path = write(tmp_path / "a.csv", "series_id,timestamp,load,name,plan\n" + rows)
    with pytest.raises(DataError, match="'name' has 51 names, at most 50"):
        read(path, source("name"))


def test_a_wide_file_has_no_place_for_them() -> None:
    with pytest.raises(ValueError, match=r"no static attributes .* use layout"):
        FileSource("a.csv", static=("capacity",))


def test_a_coarser_grid_adds_up_a_plan_but_no_capacity(tmp_path: Path) -> None:
    table = read(write(tmp_path / "a.csv", LONG), source("capacity")).table
    coarser = Regrid(120, "sum").apply(table, Split(1, 1, 1)).table
    assert coarser.known is not None
    np.testing.assert_array_equal(coarser.known[:, 0], [[1, 40], [1, 60], [0, NAN]])
