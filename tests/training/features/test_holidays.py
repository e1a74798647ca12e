from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import torch

from tests.training.data.writing import table_of
from tidecast.errors import SettingsError
from training.data.table import Table
from training.features.calendar import Calendar
from training.features.holidays import Holidays, holidays_for


def a_table(year: int, days: int = 30) -> Table:
    """Days from the beginning of a year on."""
    table = table_of(np.zeros((1, days)), step_seconds=86_400)
    return table._replace(first=int(datetime(year, 1, 1, tzinfo=UTC).timestamp()))


def is_holiday(country: str, moment: str, table: Table) -> bool:
    """What the graph's own part says of a time."""
    calendar = Calendar((), holidays_for(country, table).days)
    time = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return bool(calendar(torch.tensor([int(time.timestamp())]))[0, 0])


@pytest.mark.parametrize(
    ("country", "moment", "holiday"),
    [
        ("DE", "2026-01-01T00:00", True),
        ("DE", "2026-01-01T23:59:59", True),
        ("DE", "2026-01-02T00:00", False),
        ("DE", "2026-04-03T12:00", True),  # Good Friday
        ("US", "2026-04-03T12:00", False),
        ("US", "2026-11-26T12:00", True),  # Thanksgiving: the fourth Thursday of November
        ("US", "2026-11-19T12:00", False),
        ("US", "2026-07-03T12:00", True),  # the Friday that stands in for a Saturday
        ("DE", "2028-10-03T00:00", True),  # after the data
        ("DE", "2031-12-26T00:00", True),
        ("DE", "2032-01-01T00:00", False),  # beyond what the graph is told
    ],
)
def test_a_known_date_is_what_it_is(country: str, moment: str, holiday: bool) -> None:
    assert is_holiday(country, moment, a_table(2026)) == holiday


def test_the_days_begin_with_the_data_and_the_record_says_where_they_end() -> None:
    found = holidays_for("DE", a_table(2024, days=400))
    first = datetime(2024, 1, 1, tzinfo=UTC).timestamp() // 86_400
    assert found.days[0] == first
    assert list(found.days) == sorted(set(found.days))
    assert found.record == {"holidays": {"days": len(found.days), "until": "2030-12-31"}}


def test_without_a_country_there_is_nothing_to_say() -> None:
    assert holidays_for(None, a_table(2026)) == Holidays()
    assert Holidays().record == {}


@pytest.mark.parametrize("country", ["XX", "de", "Germany", "date", ""])
def test_an_unknown_country_is_named_beside_known_ones(country: str) -> None:
    with pytest.raises(SettingsError, match=rf"'{country}' is no country's code .* DE, FR, GB"):
        holidays_for(country, a_table(2026))


def test_years_without_a_holiday_say_so() -> None:
    with pytest.raises(SettingsError, match="none of DE from 1900 to 1905; leave"):
        holidays_for("DE", a_table(1900, days=3))
