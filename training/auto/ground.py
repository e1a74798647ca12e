"""What the data say of sensible settings, and the families that task and data allow."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from training.classic.boosting import BoostingConfig
from training.classic.family import ClassicConfig
from training.classic.forest import ForestConfig
from training.classic.logistic import LogisticConfig
from training.classic.ridge import RidgeConfig
from training.config import PLAIN, Recipe, SingleFamily
from training.data.table import part_of
from training.models.cnn import CnnConfig
from training.models.forecaster import ForecasterConfig
from training.models.linear import NLinearConfig
from training.models.mlp import MlpConfig
from training.models.recurrent import GruConfig
from training.models.segrnn import SegRnnConfig
from training.models.streaming_gru import StreamingGruConfig
from training.models.streaming_lstm import StreamingLstmConfig
from training.models.tcn import TcnConfig
from training.profile.seasons import seasons
from training.source import Endless, Source
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.task import channel_of, horizon_of

FORECASTERS: Final = (
    RidgeConfig,
    NLinearConfig,
    ForestConfig,
    StreamingGruConfig,
    MlpConfig,
    SegRnnConfig,
    TcnConfig,
    GruConfig,
    BoostingConfig,
)
REGRESSORS: Final = (
    RidgeConfig,
    ForestConfig,
    MlpConfig,
    CnnConfig,
    TcnConfig,
    GruConfig,
    BoostingConfig,
)
CLASSIFIERS: Final = (LogisticConfig, *REGRESSORS[1:])
GENERALISTS: Final = (StreamingGruConfig, StreamingLstmConfig)
"""Those that learn from series without end."""

LEAST_SEASONS, USUAL_SEASONS, MOST_SEASONS = 2, 4, 7
LONGEST: Final = 504
"""Slots of a context, at most: three weeks of hours, and what a worker keeps of every series."""
LEAST: Final = 4
WINDOWS: Final = 4
"""Contexts that the training part holds, at least."""


class Ground(NamedTuple):
    """What the data say. period: slots of the strongest season.

    least, usual, most: slots of a context, two, four and seven seasons where the history allows.
    """

    period: int
    least: int
    usual: int
    most: int


def ground_of(recipe: Recipe, source: Source) -> Ground:
    """Look at the training part; without a season in it, the recipe's own counts."""
    period, room = recipe.seasonality, LONGEST
    if not isinstance(source, Endless):
        past = part_of(source.table, source.cut.training)
        task = recipe.task
        channel = channel_of(task, past) if isinstance(task, ForecastTask) else 0
        period = next((found for found, _ in seasons(past.values[..., channel])), period)
        room = min(LONGEST, past.values.shape[1] // WINDOWS)

    def context(count: int) -> int:
        return max(LEAST, min(count * period, room))

    return Ground(period, *map(context, (LEAST_SEASONS, USUAL_SEASONS, MOST_SEASONS)))


def first_recipes(recipe: Recipe, source: Source) -> list[Recipe]:
    """The recipe itself, then one for each family that task and data allow, quick ones first."""
    ground = ground_of(recipe, source)
    families: tuple[type[SingleFamily], ...] = FORECASTERS
    if isinstance(source, Endless):
        families = GENERALISTS
    elif isinstance(recipe.task, ClassificationTask):
        families = CLASSIFIERS
    elif not isinstance(recipe.task, ForecastTask):
        families = REGRESSORS
    others = [family for family in families if family is not type(recipe.model)]
    return [recipe, *(with_family(recipe, _usual(family, ground, source)) for family in others)]


def _usual(family: type[SingleFamily], ground: Ground, source: Source) -> SingleFamily:
    """The family with sensible settings."""
    if issubclass(family, ForecasterConfig) and not isinstance(source, Endless):
        # A mixture of skips is for series of all kinds; those of one history are alike.
        return family(context=ground.usual, skip="linear", periods=(ground.period,))
    return family(context=ground.usual)


def with_family(recipe: Recipe, family: SingleFamily) -> Recipe:
    """The recipe with another family, less what that one has no use for."""
    streams, fit = isinstance(family, ForecasterConfig), recipe.fit
    needed = family.context + 2 * horizon_of(recipe.task)
    length = max(fit.length, needed) if streams else fit.length
    relative = fit.relative if streams else 0.0
    return msgspec.structs.replace(
        recipe,
        model=family,
        fit=msgspec.structs.replace(fit, length=length, relative=relative),
        features=PLAIN if streams else recipe.features,
        augment=() if streams or isinstance(family, ClassicConfig) else recipe.augment,
    )


def name_of(recipe: Recipe) -> str:
    """The family's name, as a recipe has it."""
    return str(msgspec.to_builtins(recipe.model)["family"])
