"""Models that are no plain forecasters: classifiers, and such as take what is known ahead."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from stream.engine import Answers, Engine
from stream.forecaster import STATUSES
from stream.onnx_predictor import OnnxPredictor
from stream.records import LoggedRecord
from stream.testing import NOW_MS
from tests.stream.graphs import classifier, follower
from tidecast.bundle import Bundle
from tidecast.messages import Status
from tidecast.settings import StreamSettings

STREAM = StreamSettings(step_seconds=1, grace_slots=2, late="accept")


def answers_of(bundle: Bundle, *observations: dict[str, Any]) -> Answers:
    """Each observation is of the second `at`."""
    engine = Engine(OnnxPredictor(bundle), STREAM)
    records = [
        LoggedRecord(offset, NOW_MS, b"a", written(**observation))
        for offset, observation in enumerate(observations)
    ]
    return engine.apply(engine.new_table(), records)


def written(at: int, value: float | None, **extra: object) -> bytes:
    fields = {"series_id": "a", "timestamp": NOW_MS + at * 1000, "values": {"value": value}}
    return json.dumps(fields | extra).encode()


def test_a_classifier_answers_each_event_with_a_probability_for_each_class() -> None:
    answers = answers_of(classifier(), {"at": 0, "value": 0.0}, {"at": 1, "value": 2.0})
    assert answers.forecasts.shape == (2, 1, 2)
    np.testing.assert_allclose(answers.forecasts[0, 0], [0.5, 0.5])
    high = 1 / (1 + np.exp(-4))
    np.testing.assert_allclose(answers.forecasts[1, 0], [high, 1 - high], rtol=1e-5)


def test_where_a_classifier_fails_its_manifest_answers() -> None:
    answers = answers_of(classifier(), {"at": 0, "value": None})
    assert answers.forecasts.tolist() == [[[0.25, 0.75]]]
    assert [STATUSES[status] for status in answers.statuses] == [Status.FALLBACK]


@pytest.mark.parametrize(
    ("future", "expected"),
    [
        ({"plan": [1, 2, 3]}, [11, 12, 13]),
        ({"plan": [1, 2, 3, 4]}, [11, 12, 13]),
        ({"plan": [1, 2, 3], "other": [7]}, [11, 12, 13]),
    ],
)
def test_what_is_known_ahead_reaches_the_model(
    future: dict[str, list[float]], expected: list[float]
) -> None:
    answers = answers_of(follower(), {"at": 0, "value": 10.0, "future": future})
    assert answers.forecasts[0, :, 0].tolist() == expected


@pytest.mark.parametrize("future", [None, {}, {"plan": [1, 2]}, {"plan": [1, None, 3]}])
def test_what_is_not_known_ahead_is_missing(future: dict[str, list[float | None]] | None) -> None:
    # This model cannot do without, so it fails.
    answers = answers_of(follower(), {"at": 0, "value": 10.0, "future": future})
    assert [STATUSES[status] for status in answers.statuses] == [Status.FALLBACK]


def test_a_number_beyond_32_bits_counts_as_not_known() -> None:
    answers = answers_of(follower(), {"at": 0, "value": 1.0, "future": {"plan": [1e300, 1, 1]}})
    assert [STATUSES[status] for status in answers.statuses] == [Status.FALLBACK]


def test_a_late_event_knows_the_slots_after_the_newest_one() -> None:
    ahead = {"plan": [1, 2, 3]}
    answers = answers_of(
        follower(horizon=2),
        {"at": 1, "value": 10.0, "future": {"plan": [5, 5]}},
        {"at": 0, "value": 7.0, "future": {"plan": [1, 2]}},
        {"at": 1, "value": 20.0, "future": ahead},
    )
    assert answers.forecasts[0, :, 0].tolist() == [15, 15]
    # Of the two slots that it tells of the first has come; nothing is known of the second ahead.
    assert STATUSES[answers.statuses[1]] is Status.FALLBACK
    assert answers.forecasts[2, :, 0].tolist() == [21, 22]
