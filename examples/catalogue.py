"""The examples there are, and where their data come from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from examples import cloud_failure, fraud, price_direction, tables, web_load
from tidecast.errors import DataError, SettingsError

HERE: Final = Path(__file__).parent
SHARED: Final = HERE.parents[1] / "shared" / "data"
"""Data sets that are read where they lie, and never copied into the project."""


class Example(NamedTuple):
    """One example; its recipe is the TOML file of its name beside this one.

    needs: a folder of real data, None where none is read. history: makes the table that the recipe
    reads, None where it reads the data as they are.
    """

    name: str
    what: str
    needs: Path | None
    history: Callable[[], pl.DataFrame] | None

    @property
    def recipe(self) -> Path:
        """The recipe's file."""
        return HERE / f"{self.name}.toml"


def _all() -> tuple[Example, ...]:
    ett, nab, m4 = (SHARED / name for name in ("ett", "nab", "m4"))
    return (
        Example("power-load", "load of a power transformer, a day ahead", ett, None),
        Example(
            "cloud-failure",
            "is a cloud server about to fail?",
            nab,
            partial(cloud_failure.history, nab),
        ),
        Example(
            "web-load", "414 load-like series, two days ahead", m4, partial(web_load.history, m4)
        ),
        Example("tumour", "malignant or benign, from a biopsy's measures", None, tables.tumour),
        Example("diabetes", "how far the illness is on in a year", None, tables.diabetes),
        Example("fraud", "one payment in 160 is a thief's", None, fraud.history),
        Example("price-direction", "down, flat or up next", None, price_direction.history),
    )


EXAMPLES: Final = {example.name: example for example in _all()}


def example_of(name: str) -> Example:
    """The example of that name. Raises SettingsError when there is none."""
    if name not in EXAMPLES:
        raise SettingsError(f"no example is called {name!r}; there are {', '.join(EXAMPLES)}")
    return EXAMPLES[name]


def require_data(example: Example) -> None:
    """Raise DataError when the real data that the example needs are not there."""
    if example.needs is not None and not example.needs.exists():
        raise DataError(
            f"{example.name} needs real data in {example.needs}, which is not there; "
            "docs/examples.md says what belongs there and where it comes from"
        )
