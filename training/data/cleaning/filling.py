"""Missing values from their neighbours in time."""

from __future__ import annotations

import numpy as np

from tidecast.bundle import Positive
from training.data.cleaning.step import ChannelStep, Cleaned, within_parts
from training.data.table import Split, Table
from training.data.waves import Floats, Ints


class _Fill(ChannelStep, frozen=True):
    longest: Positive | None = None
    """Limit in slots, see each step; without it, any gap is filled."""

    def reach(self, slots: int) -> int:
        """The limit as a number of slots."""
        return slots if self.longest is None else self.longest


class LinearFill(_Fill, frozen=True, tag="linear"):
    """A straight line from the last known value to the next one, in gaps of at most `longest`.

    Looks ahead, so it works within the parts: a gap across a boundary stays.
    """

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""

        def change(values: Floats) -> Floats:
            slots = values.shape[1]
            before, after = last_known(values), next_known(values)
            gap = after - before
            inside = (before >= 0) & (after < slots) & (gap > 1) & (gap <= self.reach(slots) + 1)
            low = np.take_along_axis(values, np.maximum(before, 0), axis=1)
            high = np.take_along_axis(values, np.minimum(after, slots - 1), axis=1)
            share = np.clip((_clock(values) - before) / np.maximum(gap, 1), 0, 1).astype(np.float32)
            # Two products: the difference of two large values may overflow.
            return np.where(inside, low * (1 - share) + high * share, values)

        return self.on_chosen(table, within_parts(cut, change))


class ForwardFill(_Fill, frozen=True, tag="forward"):
    """The last known value, for at most `longest` slots after it."""

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""
        del cut
        return self.on_chosen(table, lambda values: carried(values, self.reach(values.shape[1])))


class BackwardFill(_Fill, frozen=True, tag="backward"):
    """The next known value, for at most `longest` slots before it, within the parts."""

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""

        def change(values: Floats) -> Floats:
            return carried(values[:, ::-1], self.reach(values.shape[1]))[:, ::-1]

        return self.on_chosen(table, within_parts(cut, change))


class SeasonalFill(ChannelStep, frozen=True, tag="seasonal"):
    """The last known value of the same phase, at most `seasons` periods back."""

    period: Positive = 24
    """In slots."""
    seasons: Positive | None = None

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""
        del cut

        def change(values: Floats) -> Floats:
            series, slots, channels = values.shape
            seasons = -(-slots // self.period)
            end = ((0, 0), (0, seasons * self.period - slots), (0, 0))
            padded = np.pad(values, end, constant_values=np.nan)
            # A phase of a channel is a column of its own, one row a season.
            phases = padded.reshape(series, seasons, self.period * channels)
            filled = carried(phases, self.seasons or seasons)
            return filled.reshape(series, -1, channels)[:, :slots]

        return self.on_chosen(table, change)


def last_known(values: Floats) -> Ints:
    """The newest slot up to each one that is known: [series, slots, channels], -1 for none."""
    places = np.where(np.isnan(values), -1, _clock(values))
    newest: Ints = np.maximum.accumulate(places, axis=1)
    return newest


def next_known(values: Floats) -> Ints:
    """The oldest slot from each one on that is known, the number of slots for none."""
    oldest: Ints = values.shape[1] - 1 - last_known(values[:, ::-1])[:, ::-1]
    return oldest


def carried(values: Floats, reach: int) -> Floats:
    """The last known value in place of what is missing at most `reach` slots after it."""
    before = last_known(values)
    held = np.take_along_axis(values, np.maximum(before, 0), axis=1)
    return np.where((before >= 0) & (_clock(values) - before <= reach), held, values)


def _clock(values: Floats) -> Ints:
    """Slot numbers [1, slots, 1]."""
    slots: Ints = np.arange(values.shape[1])[None, :, None]
    return slots
