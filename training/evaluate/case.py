"""What a back-test asks: series, the origins to answer from, and what came true after them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tidecast.bundle import Manifest
from tidecast.errors import DataError
from tidecast.messages import VALUE_CHANNEL
from training.data.table import Table
from training.data.waves import Floats, Ints

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
WEEK_S: Final = 7 * DAY_S
YEAR_S: Final = 365.25 * DAY_S


class Case(NamedTuple):
    """One back-test.

    origins: int64 [N], rising slots of the table. history: slots of the training part, by which
    errors are scaled. seasonality: slots of a period, for the baselines.
    """

    name: str
    table: Table
    origins: Ints
    history: int
    seasonality: int


def unnamed_table(values: Floats) -> Table:
    """A table of series that have neither names nor dates: [series, slots], NaN = missing."""
    names = tuple(f"series {number}" for number in range(1, len(values) + 1))
    return Table(names, values[..., None], (VALUE_CHANNEL,), 0, HOUR_S)


def usual_seasonality(step_seconds: int) -> int:
    """Slots of the period that most series of such a step follow, by the calendar.

    Below a minute that is an hour, below a day a day, below a week a week, and else a year.
    """
    if step_seconds < 60:
        period: float = HOUR_S
    elif step_seconds < DAY_S:
        period = DAY_S
    else:
        period = WEEK_S if step_seconds < WEEK_S else YEAR_S
    return max(round(period / step_seconds), 1)


def origins_for(slots: range, lead: int, horizon: int) -> Ints:
    """Every origin whose answer is for these slots and no others, rising; none where too few.

    lead: of the first slot of an answer.
    """
    return np.arange(slots.start - lead, slots.stop - lead - horizon + 1)


def window_values(table: Table, manifest: Manifest) -> Floats:
    """The table's values in the order of the model's channels, [series, slots, channels].

    A single channel needs no name: that of the table is the model's. Raises DataError when a
    channel is lacking.
    """
    if len(table.channels) == len(manifest.channels) == 1:
        return table.values
    return table.values[..., _places(manifest.channel_names, table.channels, "channel")]


def known_ahead(table: Table, manifest: Manifest) -> Floats | None:
    """What is known ahead, in the model's order: [series, slots, covariates]; None where unused.

    Raises DataError when a covariate is lacking.
    """
    if not manifest.future:
        return None
    names = [covariate.name for covariate in manifest.future]
    places = _places(names, table.covariates, "covariate")
    return None if table.known is None else table.known[..., places]


def target_of(table: Table, manifest: Manifest) -> Floats:
    """What the model answers for, slot by slot: [series, slots], NaN where it is not known.

    Raises DataError when the table has neither labels nor a channel of that name.
    """
    if manifest.task != "forecast" and table.labels is not None:
        return table.labels
    if manifest.target in manifest.channel_names:
        place = manifest.channel_names.index(manifest.target)
        return window_values(table, manifest)[..., place]
    place = _places([manifest.target], table.channels, "label")[0]
    return table.values[..., place]


def came_true(target: Floats, origins: Ints, lead: int, horizon: int) -> Floats:
    """What answers are held to: [series, N, horizon], NaN beyond the end.

    target: [series, slots]. lead: of the first slot that is answered for.
    """
    slots = origins[:, None] + lead + np.arange(horizon)
    inside = slots < target.shape[1]
    found = target[:, np.minimum(slots, target.shape[1] - 1)].copy()
    found[:, ~inside] = np.nan
    return found


def _places(wanted: list[str], present: tuple[str, ...], what: str) -> list[int]:
    """Where the wanted names stand. Raises DataError naming the first that does not."""
    for name in wanted:
        if name not in present:
            raise DataError(
                f"the model needs the {what} {name!r}, the data have {', '.join(present) or 'none'}"
            )
    return [present.index(name) for name in wanted]
