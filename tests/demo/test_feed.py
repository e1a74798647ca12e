"""Feeds deliver on time: every full second, or at a multiple of a file's own pace."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tidecast.demo.feed import FileFeed, LiveFeed, step_of
from tidecast.errors import DataError
from tidecast.messages import milliseconds

WIDE = """\
timestamp,load,temperature
2026-11-20T10:00:00Z,1.5,20
2026-11-20T11:00:00Z,,21
2026-11-20T12:00:00Z,2.5,22
"""


class Waits:
    """Waits for nothing, and remembers for how long it was asked to; ends after `limit` calls."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.asked: list[float] = []
        self._limit = limit

    def __call__(self, seconds: float) -> bool:
        self.asked.append(seconds)
        return len(self.asked) > self._limit


def late(seconds: float) -> bool:
    """Waits a moment longer than it was asked to."""
    time.sleep(seconds + 0.001)
    return False


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "load.csv"
    file.write_text(text)
    return file


def test_the_live_feed_waits_for_the_full_second() -> None:
    waits = Waits(limit=2)
    feed = LiveFeed("value", clock=lambda: 1000.25)
    batches = list(feed.batches(waits))
    assert waits.asked == [0.75] * 3
    assert len(batches) == 2
    first = batches[0][0]
    assert first.series_id == next(iter(feed.units))
    assert milliseconds(first.timestamp) == 1_000_250
    assert list(first.values) == ["value"]


def test_a_file_is_replayed_row_by_row_at_one_step_a_second(tmp_path: Path) -> None:
    feed = FileFeed(written(tmp_path, WIDE), "value", None)
    waits = Waits()
    batches = list(feed.batches(waits))
    assert feed.step_seconds == 3600
    assert list(feed.units) == ["load", "temperature"]
    assert [[(o.series_id, o.values["value"]) for o in batch] for batch in batches] == [
        [("load", 1.5), ("temperature", 20.0)],
        [("load", None), ("temperature", 21.0)],
        [("load", 2.5), ("temperature", 22.0)],
    ]
    assert waits.asked == pytest.approx([0, 1, 2], abs=0.5)


def test_what_is_due_together_goes_together(tmp_path: Path) -> None:
    feed = FileFeed(written(tmp_path, WIDE), "value", 1e12)
    assert [len(batch) for batch in feed.batches(late)] == [6]


def test_a_replay_ends_when_told(tmp_path: Path) -> None:
    feed = FileFeed(written(tmp_path, WIDE), "value", 1.0)
    assert len(list(feed.batches(Waits(limit=1)))) == 1


def test_the_step_is_the_commonest_distance() -> None:
    assert step_of([0, 60_000, 60_000, 120_000, 600_000, 660_000]) == 60
    assert step_of([0, 100, 200]) == 1


@pytest.mark.parametrize("times", [[], [5000], [5000, 5000]])
def test_one_time_has_no_step(times: list[int]) -> None:
    with pytest.raises(DataError, match="two different times"):
        step_of(times)


def test_a_file_of_several_channels_is_refused(tmp_path: Path) -> None:
    text = "series_id,timestamp,load,wind\na,2026-11-20T10:00:00Z,1,2\n"
    with pytest.raises(DataError, match="channels load, wind"):
        FileFeed(written(tmp_path, text), "value", None)


def test_a_speed_that_gets_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="above 0, not -1"):
        FileFeed(written(tmp_path, WIDE), "value", -1)
