from __future__ import annotations

from pathlib import Path

import numpy as np

from examples.arrivals import write_arrivals
from tests.training.evaluate.tables import FIRST, HOUR_S, a_table
from tidecast.files import read_observations
from training.data.table import Split
from training.source import History, Provenance

CUT = Split(validate=30, test=40, slots=60)


def written(folder: Path, channels: int, context: int) -> History:
    table = a_table(channels=channels)
    history = History(table, CUT, Provenance("", "none", HOUR_S, {}))
    write_arrivals(folder / "arrivals.csv", history, context)
    return history


def test_the_windows_before_the_test_part_come_first_and_nothing_is_lost(tmp_path: Path) -> None:
    table = written(tmp_path, channels=2, context=8).table
    found = read_observations(tmp_path / "arrivals.csv")
    assert (found.channels, set(found.series)) == (["c0", "c1"], set(table.names))
    assert found.times.min() == 1000 * (FIRST + 33 * HOUR_S)
    assert found.events == (~np.isnan(table.values[:, 33:]).all(axis=2)).sum()
    first = found.events_of(0, 1).row(0, named=True)
    expected = table.values[table.names.index(found.series[first["series_id"]]), 33]
    np.testing.assert_array_equal(np.array([first["c0"], first["c1"]], np.float32), expected)


def test_records_without_a_past_get_series_of_their_own(tmp_path: Path) -> None:
    written(tmp_path, channels=1, context=1)
    found = read_observations(tmp_path / "arrivals.csv")
    assert len(found.series) == found.events
    assert found.times.min() == 1000 * (FIRST + 40 * HOUR_S)
