"""What a manifest may say of its model."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stream.testing import manifest_of
from tidecast.bundle import Channel, Manifest

FORECASTER = manifest_of("some", 8, 3, ("load", "temperature"), state_size=0)
CLASSIFIER = {
    "task": "classification",
    "horizon": 1,
    "quantile_levels": (),
    "classes": ("failure", "none"),
    "target": "state",
}


def changed(**fields: object) -> Manifest:
    """A manifest as it is read from a file."""
    return msgspec.convert(msgspec.to_builtins(FORECASTER) | fields, Manifest)


def test_a_classifier_judges_something_that_is_no_channel() -> None:
    manifest = changed(**CLASSIFIER, lead=0, fallback=(0.1, 0.9))
    assert manifest.width == 2
    assert changed().width == 3


def test_a_regression_answers_once() -> None:
    assert changed(task="regression", horizon=1, target="price", lead=2).lead == 2


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"channels": ({"name": "load"}, {"name": "load"})}, "channels repeat"),
        ({"future": ({"name": "plan"}, {"name": "plan"})}, "future repeat"),
        (CLASSIFIER | {"classes": ("none", "none")}, "classes repeat"),
        ({"quantile_levels": (0.9, 0.1)}, "must rise"),
        ({"quantile_levels": ()}, "quantile_levels"),
        ({"classes": ("a", "b")}, "two classes"),
        (CLASSIFIER | {"classes": ("only",)}, "two classes"),
        (CLASSIFIER | {"quantile_levels": (0.5,)}, "two classes"),
        ({"target": "price"}, "is not one of"),
        ({"lead": 2}, "lead 1"),
        (CLASSIFIER | {"horizon": 2}, "horizon of 1"),
        (CLASSIFIER | {"fallback": (0.1,)}, "fallback"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(
    fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        changed(**fields)


def test_covariates_are_named_like_channels() -> None:
    assert changed(future=({"name": "plan"},)).future == (Channel("plan"),)
