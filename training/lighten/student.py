"""The small model that is to learn from a bundle: a file beside the recipes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from tidecast.errors import SettingsError
from training.config import FitConfig
from training.features.front import FeaturesConfig
from training.models.families import WindowedFamily
from training.models.mlp import MlpConfig
from training.practice.stopping import StoppingConfig


class Student(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A windowed family with its features, and how it learns.

    truth: how much of the loss is about what came true; the rest is about what the teacher says.
    """

    model: WindowedFamily = MlpConfig(layers=(64,))
    features: FeaturesConfig = FeaturesConfig()
    fit: FitConfig = FitConfig(
        steps=3000, batch=256, validate_every=250, stopping=StoppingConfig(patience=4)
    )
    truth: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.5
    seed: Annotated[int, Meta(ge=0)] = 1

    def __post_init__(self) -> None:
        """Raise ValueError on what a student cannot be told."""
        if self.features.holidays is not None:
            raise ValueError("a student knows no holidays; its teacher's answers tell of them")


def read_student(path: Path) -> Student:
    """Read a student. Raises SettingsError naming the file and the key that is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Student)
    except OSError as error:
        raise SettingsError(f"no student at {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(
            f"{path}: {error}; training/lighten/student.py lists every key"
        ) from error
