"""The recipe of a model: one TOML file, every key checked, every default in sight here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tidecast.bundle import Name, Positive
from tidecast.errors import SettingsError
from training.benchmarks import Benchmark
from training.classic.families import ClassicFamily
from training.classic.family import ClassicConfig
from training.data.augment import AnyAugmentation
from training.data.cleaning.pipeline import Cleaning
from training.data.columns import FileSource
from training.data.series_rows import RowsSource
from training.data.synthetic import Mixture
from training.data.topic import KafkaSource
from training.ensemble.build import Method
from training.features.front import FeaturesConfig
from training.models.families import StreamingFamily, WindowedFamily
from training.models.forecaster import ForecasterConfig
from training.practice.clipping import ClippingConfig
from training.practice.devices import Device
from training.practice.optimisers import AdamWConfig, Decay, OptimiserConfig, PenaltyConfig
from training.practice.schedules import CosineSchedule, ScheduleConfig
from training.practice.stopping import StoppingConfig
from training.tasks.forecast import ForecastTask
from training.tasks.task import Task, horizon_of


class SyntheticSource(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="source", tag="synthetic"
):
    """Series drawn without end from the documented mixture."""

    mixture: Mixture = Mixture()


class FitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The loop's settings."""

    steps: Positive = 4000
    batch: Positive = 64
    """Series a step."""
    length: Positive = 600
    """Slots of a series in a batch, the last horizon of them targets only."""
    warm_up: Annotated[int, Meta(ge=0)] = 0
    """First slots of a batch that fill windows and states; from there on forecasts are scored."""
    stride: Positive = 6
    """Every how many slots a forecast is scored; neighbours teach nearly the same."""
    optimiser: OptimiserConfig = AdamWConfig(learning_rate=3e-3, weight_decay=1e-3)
    schedule: ScheduleConfig = CosineSchedule()
    averaging: Decay = 0.0
    """How much of the weights' running average a step keeps; the average is what is validated, and
    what a fit ends with.
    """
    relative: Annotated[float, Meta(ge=0.0)] = 0.0
    """Of streaming families: how much errors relative to the values count, as in sMAPE, beside
    those in seasonal-naive errors, as in MASE. In OWA on M4 Hourly it is 13.
    """
    penalty: PenaltyConfig = PenaltyConfig()
    clipping: ClippingConfig = ClippingConfig()
    stopping: StoppingConfig = StoppingConfig()
    validate_every: Positive = 100
    validation_series: Positive = 512
    device: Device = "auto"
    mixed_precision: bool = True
    """Where the device is faster for it."""


PLAIN: Final = FeaturesConfig()

SingleFamily = StreamingFamily | WindowedFamily | ClassicFamily


class EnsembleConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="ensemble"
):
    """Several models that answer as one; each is fitted with a seed of its own.

    method: `stacked` weighs the members by how they do on the validation part.
    """

    members: Annotated[tuple[SingleFamily, ...], Meta(min_length=2)]
    method: Method = "mean"


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a fit follows from, besides the versions of the tools."""

    name: Name
    data: SyntheticSource | FileSource | RowsSource | KafkaSource
    model: SingleFamily | EnsembleConfig
    task: Task = ForecastTask()
    clean: Cleaning = Cleaning()
    features: FeaturesConfig = PLAIN
    """Of windowed and classic families; a streaming one sees time by its own `calendar`."""
    augment: tuple[AnyAugmentation, ...] = ()
    """Of windowed families, in this order."""
    version: Name = "1"
    seed: Annotated[int, Meta(ge=0)] = 1
    seasonality: Positive = 24
    """Period of the seasonal-naive baseline, in slots."""
    fit: FitConfig = FitConfig()
    units: dict[str, str] = {}
    """Of channels and covariates, by their names; free text."""
    benchmarks: tuple[Benchmark, ...] = ()
    """Files to score the finished model on; those that are not there are left out."""

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, on settings that contradict each other."""
        for family in self.families:
            _check(self, family)

    @property
    def families(self) -> tuple[SingleFamily, ...]:
        """The model's, or those of an ensemble's members."""
        return self.model.members if isinstance(self.model, EnsembleConfig) else (self.model,)


def _check(recipe: Recipe, family: SingleFamily) -> None:
    """Raise ValueError on settings that a family has no use for, or that contradict it."""
    streams = isinstance(family, ForecasterConfig)
    if isinstance(family, ClassicConfig) and recipe.augment:
        raise ValueError("augment is for nets; a classic family learns from rows as they are")
    if streams and not isinstance(recipe.task, ForecastTask):
        raise ValueError(
            "a streaming family forecasts; for a regression or a classification take a windowed or "
            "classic one, such as gru or forest"
        )
    if streams and recipe.fit.length <= recipe.fit.warm_up + horizon_of(recipe.task):
        raise ValueError(f"fit.length {recipe.fit.length} must exceed fit.warm_up + task.horizon")
    if streams and recipe.model is family and (recipe.augment or recipe.features != PLAIN):
        raise ValueError("features and augment are for windowed families; take model.calendar")
    if not streams and recipe.fit.relative:
        raise ValueError("fit.relative is for streaming families")
    if not streams and family.context == 1 and recipe.features.scaling == "window":
        raise ValueError(
            "a window of one slot, scaled by itself, says nothing; take features.scaling = 'global'"
        )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises SettingsError naming the file and the key that is wrong."""
    return recipe_of(read_toml(path, "recipe"), str(path))


def recipe_of(document: Mapping[str, Any], name: str) -> Recipe:
    """The recipe that a TOML document is. Raises SettingsError naming it and the wrong key."""
    try:
        return msgspec.convert(document, Recipe)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{name}: {error}; training/config.py lists every key") from error


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file. Raises SettingsError when it is not there, or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"no {what} at {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
