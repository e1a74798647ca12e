"""The table beside one plain list per series."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.grid import NEVER
from stream.series.layout import Layout
from stream.series.rows import SeriesRows
from stream.series.table import FIRST_CAPACITY, SeriesTable
from tidecast.errors import StateError, WindowError

LAYOUT: Final = Layout(context=4, channels=2, state_size=3, grace=1)
VALUES: Final = st.floats(width=32, allow_infinity=False)


def shift(table: SeriesTable, series_id: str, slot: int, values: tuple[float, float]) -> None:
    rows = table.rows_of([series_id])
    table.shift_in(rows, np.array([slot]), np.array([values], np.float32), np.array([0]))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.tuples(VALUES, VALUES)), max_size=30))
def test_windows_are_the_last_values_of_each_series(
    events: list[tuple[str, tuple[float, float]]],
) -> None:
    table = SeriesTable(LAYOUT)
    plain: dict[str, deque[tuple[float, float]]] = {}
    slots: dict[str, int] = {}
    for series_id, values in events:
        blank = deque([(np.nan, np.nan)] * LAYOUT.context, LAYOUT.context)
        plain.setdefault(series_id, blank).append(values)
        slots[series_id] = slots.get(series_id, 10) + 1
        shift(table, series_id, slots[series_id], values)
        rows = table.rows_of([series_id])
        np.testing.assert_array_equal(table.windows(rows)[0], np.array(plain[series_id], "f4"))
        assert table.newest(rows).tolist() == [slots[series_id]]
        assert table.spans(rows).tolist() == [min(slots[series_id] - 10, LAYOUT.context)]


def test_several_series_are_shifted_at_once_and_others_left_alone() -> None:
    table = SeriesTable(LAYOUT)
    rows = table.rows_of(["a", "b", "c"])
    values = np.array([[3, 4], [1, 2]], np.float32)
    table.shift_in(rows[[2, 0]], np.array([7, 5]), values, np.array([0, 0]))
    assert table.newest(rows).tolist() == [5, NEVER, 7]
    assert table.windows(rows)[:, -1, 0].tolist()[::2] == [1.0, 3.0]
    assert np.isnan(table.windows(rows)[1]).all()


@pytest.mark.parametrize("slot", [3, 4, 6])
def test_only_the_next_slot_may_be_shifted_in(slot: int) -> None:
    table = SeriesTable(LAYOUT)
    shift(table, "a", 4, (1.0, 1.0))
    with pytest.raises(WindowError):
        shift(table, "a", slot, (2.0, 2.0))
    assert table.newest(table.rows_of(["a"])).tolist() == [4]


def test_the_state_after_a_slot_becomes_the_state_before_the_next() -> None:
    table = SeriesTable(LAYOUT)
    shift(table, "a", 1, (1.0, 1.0))
    rows = table.rows_of(["a"])
    table.set_states(rows, np.array([[1, 2, 3]], np.float32))
    shift(table, "a", 2, (1.0, 1.0))
    assert table.states_before(rows).tolist() == [[1.0, 2.0, 3.0]]
    table.set_states_before(rows, np.array([[4, 5, 6]], np.float32))
    assert table.states_before(rows).tolist() == [[4.0, 5.0, 6.0]]


def test_a_cleared_series_is_as_if_never_seen() -> None:
    table, fresh = SeriesTable(LAYOUT), SeriesTable(LAYOUT)
    fresh.rows_of(["a"])
    shift(table, "a", 1, (1.0, 1.0))
    table.set_states(np.array([0]), np.ones((1, 3), np.float32))
    table.clear(np.array([0]))
    assert table.dump(np.array([0])) == fresh.dump(np.array([0]))


def test_row_numbers_stay_while_the_table_grows() -> None:
    table = SeriesTable(LAYOUT)
    ids = [f"series-{place}" for place in range(5 * FIRST_CAPACITY)]
    for place, series_id in enumerate(ids):
        shift(table, series_id, place, (float(place), 0.0))
    rows = table.rows_of(ids)
    assert rows.tolist() == list(range(len(ids)))
    assert len(table) == len(ids)
    assert table.series_ids == ids
    assert table.newest(rows).tolist() == list(range(len(ids)))
    assert table.windows(rows)[:, -1, 0].tolist() == [float(row) for row in rows]
    assert table.row_of("series-7") == 7
    assert table.row_of("unknown") is None


def test_what_is_read_is_a_copy() -> None:
    table = SeriesTable(LAYOUT)
    shift(table, "a", 1, (1.0, 1.0))
    rows = np.array([0])
    before = table.dump(rows)
    table.windows(rows)[:] = 9
    table.states(rows)[:] = 9
    table.newest(rows)[:] = 9
    assert table.dump(rows) == before


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.tuples(VALUES, VALUES), max_size=20))
def test_dumped_rows_load_as_they_were(series: dict[str, tuple[float, float]]) -> None:
    table, loaded = SeriesTable(LAYOUT), SeriesTable(LAYOUT)
    for slot, (series_id, values) in enumerate(series.items()):
        shift(table, series_id, slot, values)
    dumped = table.dump(np.arange(len(table)))
    loaded.rows_of(["there before"])
    loaded.load(dumped)
    assert loaded.dump(loaded.rows_of(series)) == dumped
    assert list(dumped) == list(series)


def test_a_row_of_another_size_is_refused_and_nothing_loaded() -> None:
    table, narrow = SeriesTable(LAYOUT), SeriesTable(Layout(3, 2, 3, 1))
    shift(table, "a", 1, (1.0, 1.0))
    shift(narrow, "b", 1, (1.0, 1.0))
    mixed = table.dump(np.array([0])) | narrow.dump(np.array([0]))
    target = SeriesTable(LAYOUT)
    with pytest.raises(StateError, match="'b' has"):
        target.load(mixed)
    assert len(target) == 0


def test_layouts_differ_by_every_field_and_by_nothing_else() -> None:
    layouts = [LAYOUT, Layout(5, 2, 3, 1), Layout(4, 3, 3, 1), Layout(4, 2, 2, 1)]
    layouts += [Layout(4, 2, 3, 0), Layout(2, 4, 3, 1), Layout(4, 2, 0, 1)]
    layouts += [Layout(4, 2, 3, 1, averaged=(0,)), Layout(4, 2, 3, 1, averaged=(1,))]
    layouts += [Layout(4, 2, 3, 1, summed=(0,)), Layout(4, 2, 3, 1, remembered=1)]
    layouts += [Layout(4, 2, 3, 1, step_seconds=60)]
    assert len({layout.fingerprint() for layout in layouts}) == len(layouts)
    assert LAYOUT.fingerprint() == Layout(4, 2, 3, 1).fingerprint()
    assert len(LAYOUT.fingerprint()) == 16


def test_a_removed_series_leaves_a_blank_row_that_the_next_one_gets() -> None:
    table, fresh = SeriesTable(LAYOUT), SeriesTable(LAYOUT)
    for series_id in "abc":
        shift(table, series_id, 1, (1.0, 1.0))
    assert table.remove(np.array([1])) == ["b"]
    assert (len(table), table.rows().tolist(), list(table.series_ids)) == (
        2,
        [0, 2],
        ["a", "", "c"],
    )
    assert (table.row_of("b"), table.row_of("c")) == (None, 2)
    assert table.find("abc").tolist() == [0, -1, 2]
    assert list(table.dump(np.arange(3))) == ["a", "c"]
    assert table.rows_of(["d", "e"]).tolist() == [1, 3]
    assert table.dump(np.array([1]))["d"] == fresh.dump(fresh.rows_of(["d"]))["d"]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), max_size=60))
def test_rows_are_one_series_each_whatever_comes_and_goes(moves: list[tuple[bool, str]]) -> None:
    table, slots = SeriesTable(LAYOUT), dict[str, int]()
    for number, (stays, series_id) in enumerate(moves):
        if stays and series_id in slots:
            continue
        if series_id in slots:
            assert table.remove(table.find([series_id])) == [series_id]
            del slots[series_id]
        else:
            shift(table, series_id, number, (1.0, 1.0))
            slots[series_id] = number
    assert {table.series_ids[row] for row in table.rows()} == set(slots)
    assert table.newest(table.find(slots)).tolist() == list(slots.values())
    assert len(table.series_ids) <= len("abcdef")


def test_the_watermark_is_the_newest_slot_of_all_and_comes_back_with_the_rows() -> None:
    table, loaded = SeriesTable(LAYOUT), SeriesTable(LAYOUT)
    assert table.watermark == NEVER
    for series_id, slot in (("a", 5), ("b", 9), ("a", 6)):
        shift(table, series_id, slot, (1.0, 1.0))
    loaded.load(table.dump(table.rows()))
    assert table.watermark == loaded.watermark == 9


def test_rows_of_several_tables_go_side_by_side_and_back() -> None:
    one, other = SeriesTable(LAYOUT), SeriesTable(LAYOUT)
    for series_id, slot in (("a", 1), ("b", 2), ("c", 3)):
        shift(one, series_id, slot, (1.0, 2.0))
        shift(other, series_id, slot + 10, (3.0, 4.0))
    before = [table.dump(table.rows()) for table in (one, other)]
    rows = SeriesRows.gathered([(one, np.array([2, 0])), (other, np.array([1]))])
    assert rows.newest(np.arange(3)).tolist() == [3, 1, 12]
    slots, values = np.array([4, 2, 13]), np.full((3, 2), 9.0, np.float32)
    rows.shift_in(np.arange(3), slots, values, np.zeros(3, np.int64))
    assert [table.dump(table.rows()) for table in (one, other)] == before
    one.put(np.array([2, 0]), rows, 0)
    other.put(np.array([1]), rows, 2)
    assert one.newest(one.rows()).tolist() == [2, 2, 4]
    assert other.newest(other.rows()).tolist() == [11, 13, 13]
    assert other.windows(np.array([1]))[0, -2:, 0].tolist() == [3.0, 9.0]
    assert (one.watermark, other.watermark) == (4, 13)


def test_seconds_are_kept_for_as_long_as_the_series() -> None:
    table = SeriesTable(LAYOUT)
    rows = table.begin(["a", "b", "a"], np.array([7, 2**32 + 5, 9]))
    assert rows.tolist() == [0, 1, 0]
    table.clear(np.array([0, 1]))
    assert table.born(np.array([0, 1])).tolist() == [7, 5]
