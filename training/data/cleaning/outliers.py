"""What cannot be true, and what stands out of its neighbourhood."""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from training.data.cleaning.step import ChannelStep, Cleaned, within_parts
from training.data.table import Split, Table
from training.data.waves import Floats

GAUSSIAN: Final = 1.4826
"""Standard deviation of Gaussian noise over its median absolute deviation."""

Width = Annotated[int, Meta(ge=3)]


class OutOfRange(ChannelStep, frozen=True, tag="out_of_range"):
    """Values below `low` or above `high`, in the channel's unit, become missing."""

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a range that is none."""
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        if not low < high or (self.low is None and self.high is None):
            raise ValueError(f"low = {self.low}, high = {self.high} is no range")

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""
        del cut
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high

        def change(values: Floats) -> Floats:
            return np.where((values < low) | (values > high), np.float32(np.nan), values)

        return self.on_chosen(table, change)


class _Centred(ChannelStep, frozen=True):
    """The base of what looks at the neighbours on both sides, hence within the parts."""

    width: Width = 7
    """Slots of the neighbourhood, the slot itself in the middle: an odd number."""

    def __post_init__(self) -> None:
        """Raise ValueError for a neighbourhood without a middle."""
        if self.width % 2 == 0:
            raise ValueError(f"width is {self.width}; an odd number has a middle")


class Hampel(_Centred, frozen=True, tag="hampel"):
    """Spikes become missing, or the median of their neighbourhood.

    A spike is further from that median than `deviations` times 1.4826 median absolute deviations
    (Hampel, 1974). Where more than half of the neighbours are equal nothing is a spike: the rare
    values of an intermittent series are what it is about.
    """

    deviations: Annotated[float, Meta(gt=0)] = 3.0
    median: bool = False
    """Whether the median takes the place of a spike."""

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""

        def change(values: Floats) -> Floats:
            middle, spread = _neighbourhood(values, self.width)
            limit = self.deviations * GAUSSIAN * spread
            spike = (spread > 0) & (np.abs(values - middle) > limit)
            return np.where(spike, middle if self.median else np.float32(np.nan), values)

        return self.on_chosen(table, within_parts(cut, change))


class MovingMedian(_Centred, frozen=True, tag="moving_median"):
    """Every value becomes the median of its neighbourhood; what is missing stays missing."""

    def apply(self, table: Table, cut: Split) -> Cleaned:
        """See `Step.apply`."""

        def change(values: Floats) -> Floats:
            middle, _ = _neighbourhood(values, self.width)
            return np.where(np.isnan(values), values, middle)

        return self.on_chosen(table, within_parts(cut, change))


def median(values: Floats) -> Floats:
    """Median of the known values along the last axis; NaN where there is none."""
    ordered = np.sort(values, axis=-1)  # what is missing goes to the end
    known = np.count_nonzero(~np.isnan(values), axis=-1)[..., None]
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(known // 2, values.shape[-1] - 1), axis=-1)
    half = np.float32(0.5)
    return low[..., 0] * half + high[..., 0] * half


def _neighbourhood(values: Floats, width: int) -> tuple[Floats, Floats]:
    """Median around every slot, and median absolute deviation from it: shaped as `values`."""
    middle, spread = np.empty_like(values), np.empty_like(values)
    half = ((width // 2, width // 2), (0, 0))
    for row, series in enumerate(values):  # one at a time: the windows take width times the memory
        padded = np.pad(series, half, constant_values=np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)
        middle[row] = median(windows)
        spread[row] = median(np.abs(windows - middle[row][..., None]))
    return middle, spread
