"""What a search file says: one TOML file, every key checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tidecast.bundle import Positive
from tidecast.errors import SettingsError
from training.config import read_toml
from training.data.folds import FoldRule
from training.tuning.objective import ORIGINS
from training.tuning.space import Dimension

Method = Literal["bayesian", "random", "grid"]


class SearchConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A search over the values of `space`, a dimension for each dotted path into the recipe.

    method: `bayesian` learns from the trials so far where to look next (tree-structured Parzen
    estimators; Bergstra et al., 2011); `random` draws; `grid` tries every combination. trials: at
    most so many. prune: stop a fit by steps whose best validation loss is above the median of other
    fits of its family at the same step (Golovin et al., 2017). folds: the figure is their mean.
    origins: of each validation part, at most.
    """

    space: Annotated[dict[str, Dimension], Meta(min_length=1)]
    method: Method = "bayesian"
    trials: Positive = 50
    prune: bool = True
    folds: FoldRule | None = None
    origins: Positive = ORIGINS
    seed: Annotated[int, Meta(ge=0)] = 1


def read_search(path: Path) -> SearchConfig:
    """Read a search file. Raises SettingsError naming the file and the key that is wrong."""
    document = read_toml(path, "search file")
    try:
        return msgspec.convert(document, SearchConfig)
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"{path}: {error}; training/tuning/search.py lists every key"
        ) from error
