"""What a search varies: values for dotted paths into a recipe, such as `model.hidden`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

import msgspec
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from tidecast.errors import SettingsError
from training.config import recipe_of

Value = Any
"""Whatever TOML can hold."""
Document = dict[str, Value]
"""A recipe as TOML has it."""
Settings = Mapping[str, Value]
"""A value for each path."""

VARIED: Final = ("model", "features", "augment", "fit", "seed")
"""Parts of a recipe that a search may vary. The others say what is asked for, and of which data:
figures of recipes that differ there are not to be compared.
"""


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The values of one path: one of `choices`, or from `low` to `high`, both included.

    Whole numbers where `low` is one. step: values are so far apart. log: even in the logarithm.
    """

    choices: tuple[Value, ...] = ()
    low: int | float | None = None
    high: int | float | None = None
    step: int | float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError on what gives no values, or two kinds of them."""
        low, high = self.low, self.high
        if low is None or high is None:
            if not self.choices or (low, high, self.step, self.log) != (None, None, None, False):
                raise ValueError("give either choices, or low and high with step or log")
            return
        if self.choices or low >= high:
            raise ValueError(f"give either choices, or a low below the high; got {low} and {high}")
        if self.log and (low <= 0 or self.step is not None):
            raise ValueError("log wants a low above 0 and no step")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step must be above 0, is {self.step}")
        if isinstance(low, int) and not all(isinstance(n, int | None) for n in (high, self.step)):
            raise ValueError(f"write low as {low}.0, or high and step as whole numbers")

    @property
    def distribution(self) -> BaseDistribution:
        """As Optuna draws it; lists and tables are JSON there."""
        low, high = self.low, self.high
        if low is None or high is None:
            return CategoricalDistribution([_plain(choice) for choice in self.choices])
        if self.step is not None:
            # Optuna warns of a high that no step reaches.
            high = low + int((high - low) / self.step + 1e-9) * self.step
        if isinstance(low, int):
            return IntDistribution(low, int(high), self.log, int(self.step or 1))
        return FloatDistribution(low, high, self.log, self.step)

    def value(self, drawn: str | float | None) -> Value:
        """What goes into the recipe for what Optuna drew."""
        return next((choice for choice in self.choices if _plain(choice) == drawn), drawn)

    @property
    def all(self) -> list[Value]:
        """Every value as Optuna holds it. Raises SettingsError where they are without number."""
        found = self.distribution
        if isinstance(found, CategoricalDistribution):
            return list(found.choices)
        if isinstance(found, IntDistribution):
            return list(range(found.low, found.high + 1, found.step))
        if not isinstance(found, FloatDistribution) or found.step is None:
            raise SettingsError("values without number; give it choices or a step")
        count = round((found.high - found.low) / found.step) + 1
        return [found.low + place * found.step for place in range(count)]


Space = Mapping[str, Dimension]


def grid(space: Space) -> Iterator[dict[str, Value]]:
    """Every combination, as Optuna holds them; the last path varies fastest.

    Raises SettingsError when a dimension is not finite.
    """
    values = []
    for path, dimension in space.items():
        try:
            values.append(dimension.all)
        except SettingsError as error:
            raise SettingsError(f"a grid over {path} has {error}, or another method") from error
    return (dict(zip(space, point, strict=True)) for point in itertools.product(*values))


def chosen(space: Space, drawn: Settings) -> dict[str, Value]:
    """What Optuna drew, as it goes into a recipe."""
    return {path: space[path].value(value) for path, value in drawn.items()}


def varied(document: Document, settings: Settings) -> Document:
    """A copy of a recipe with the settings at their paths.

    A table that the recipe leaves to its defaults is filled in with them. Raises SettingsError when
    a path leads nowhere.
    """
    defaults = msgspec.to_builtins(recipe_of(document, "recipe"))
    changed = deepcopy(document)
    for path in sorted(settings):  # A table goes in before what is set within it.
        _put(changed, defaults, path, settings[path])
    return changed


def check_paths(document: Document, space: Space) -> None:
    """Raise SettingsError when a path is none of the recipe's, nor of any that is searched."""
    known = [msgspec.to_builtins(recipe) for recipe in _recipes(document, space)]
    for path in space:
        part, *within = path.split(".")
        if part not in VARIED:
            raise SettingsError(
                f"a search varies {', '.join(VARIED)}; {path} would change what is asked for"
            )
        if not any(_leads_somewhere(recipe, (part, *within)) for recipe in known):
            raise SettingsError(
                f"the recipe has no {path}; training/config.py lists every key, and those of a "
                "family are in its file"
            )


def _recipes(document: Document, space: Space) -> Iterator[Any]:
    """The recipe, and those that differ by one choice, such as of another family."""
    yield recipe_of(document, "recipe")
    for path, dimension in space.items():
        for choice in dimension.choices:
            try:
                yield recipe_of(varied(document, {path: choice}), "recipe")
            except SettingsError:
                continue  # It may need another setting beside it; if not, its trials will tell.


def _leads_somewhere(node: Value, names: tuple[str, ...]) -> bool:
    for name in names:
        if isinstance(node, list | tuple) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        elif isinstance(node, dict) and name in node:
            node = node[name]
        else:
            return False
    return True


def _put(node: Value, default: Value, path: str, value: Value) -> None:
    *tables, last = path.split(".")
    for name in tables:
        default = _within(default, name, {})
        if isinstance(node, dict) and name not in node:
            node[name] = deepcopy(default)
        node = _within(node, name, None)
    if isinstance(node, dict):
        node[last] = value
    elif isinstance(node, list) and last.isdigit() and int(last) < len(node):
        node[int(last)] = value
    else:
        raise SettingsError(f"{path} leads nowhere in the recipe")


def _within(node: Value, name: str, otherwise: Value) -> Value:
    if isinstance(node, dict):
        return node.get(name, otherwise)
    if isinstance(node, list | tuple) and name.isdigit() and int(name) < len(node):
        return node[int(name)]
    return otherwise


def _plain(choice: Value) -> str | int | float | bool | None:
    """A choice as Optuna can store it."""
    return choice if isinstance(choice, str | int | float | bool) else json.dumps(choice)
