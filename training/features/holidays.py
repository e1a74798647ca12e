"""Public holidays from a country's code, as the days that a graph carries.

A graph knows the days it was built with and no others: it is given those of some years to come.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

import holidays
from holidays.registry import EntityLoader

from tidecast.errors import SettingsError
from training.data.table import Table

YEARS_AHEAD: Final = 5
"""Whole years after the data's last one. A model is fitted anew sooner than that; each year makes
the graph compare every slot with about a dozen days more; and the further off, the more dates are
estimates (those that follow the moon) or not yet law."""
EXAMPLES: Final = ("BR", "CN", "DE", "FR", "GB", "IN", "JP", "US")
EPOCH: Final = date(1970, 1, 1)


class Holidays(NamedTuple):
    """days: since 1970, rising; in a country's own dates, which the graph takes as days in UTC.
    until: the last day that is judged at all; None without a country.
    """

    days: tuple[int, ...] = ()
    until: date | None = None

    @property
    def record(self) -> dict[str, Any]:
        """What a manifest says of them; nothing without a country."""
        if self.until is None:
            return {}
        return {"holidays": {"days": len(self.days), "until": self.until.isoformat()}}


def holidays_for(country: str | None, table: Table) -> Holidays:
    """A country's holidays from the table's first year on; none without a country.

    country: `FeaturesConfig.holidays`. National public holidays, with the weekdays that stand in
    for those on a weekend. Raises SettingsError for a code that the library does not know, or a
    country without a holiday in these years.
    """
    if country is None:
        return Holidays()
    if country not in EntityLoader.get_country_codes():
        raise SettingsError(
            f"features.holidays {country!r} is no country's code that the holidays library knows; "
            f"give two capital letters by ISO 3166, such as {', '.join(EXAMPLES)}"
        )
    last = table.first + table.values.shape[1] * table.step_seconds
    final = min(_year(last) + YEARS_AHEAD, date.max.year)
    found = holidays.country_holidays(country, years=range(_year(table.first), final + 1))
    if not found:
        raise SettingsError(
            f"features.holidays: the holidays library has none of {country} from "
            f"{_year(table.first)} to {final}; leave the setting out"
        )
    return Holidays(tuple(sorted((day - EPOCH).days for day in found)), date(final, 12, 31))


def _year(time: int) -> int:
    """time: seconds since 1970."""
    return datetime.fromtimestamp(time, UTC).year
