"""The recipe of a model: one TOML file, every key checked, every default in sight here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from tidecast.bundle import Name, Positive
from tidecast.errors import SettingsError
from training.benchmarks import Benchmark
from training.data.cleaning.pipeline import Cleaning
from training.data.columns import FileSource
from training.data.synthetic import Mixture
from training.data.topic import KafkaSource
from training.models.streaming_gru import StreamingGruConfig
from training.models.streaming_lstm import StreamingLstmConfig
from training.practice.clipping import ClippingConfig
from training.practice.devices import Device
from training.practice.optimisers import AdamWConfig, OptimiserConfig, PenaltyConfig
from training.practice.schedules import CosineSchedule, ScheduleConfig
from training.practice.stopping import StoppingConfig
from training.tasks.forecast import ForecastTask


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
    stride: Positive = 6
    """Every how many slots a forecast is scored; neighbours teach nearly the same."""
    optimiser: OptimiserConfig = AdamWConfig(learning_rate=3e-3, weight_decay=1e-3)
    schedule: ScheduleConfig = CosineSchedule()
    penalty: PenaltyConfig = PenaltyConfig()
    clipping: ClippingConfig = ClippingConfig()
    stopping: StoppingConfig = StoppingConfig()
    validate_every: Positive = 100
    validation_series: Positive = 512
    device: Device = "auto"
    mixed_precision: bool = True
    """Where the device is faster for it."""


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a fit follows from, besides the versions of the tools."""

    name: Name
    data: SyntheticSource | FileSource | KafkaSource
    model: StreamingGruConfig | StreamingLstmConfig
    task: ForecastTask = ForecastTask()
    clean: Cleaning = Cleaning()
    version: Name = "1"
    seed: Annotated[int, Meta(ge=0)] = 1
    seasonality: Positive = 24
    """Period of the seasonal-naive baseline, in slots."""
    fit: FitConfig = FitConfig()
    unit: str = "any"
    """Of the target."""
    benchmarks: tuple[Benchmark, ...] = ()
    """Files to score the finished model on; those that are not there are left out."""

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, on settings that contradict each other."""
        if self.fit.length <= self.task.horizon:
            raise ValueError(f"fit.length {self.fit.length} must exceed task.horizon")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises SettingsError naming the file and the key that is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Recipe)
    except OSError as error:
        raise SettingsError(f"no recipe at {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}; training/config.py lists every key") from error
