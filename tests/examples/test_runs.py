"""Each example from end to end, in its tiny form; tests/e2e has them served on the servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from examples.cli import next_steps
from examples.run import Made
from examples.scores import shown
from stream.engine import Engine
from stream.onnx_predictor import OnnxPredictor
from stream.records import LoggedRecord
from stream.replay import replay
from tests.examples.tiny import TINY, first_arrivals, tiny_run
from tidecast.bundle import read_bundle
from tidecast.messages import Forecast, encode_observation, milliseconds
from tidecast.settings import load_settings

EVENTS: Final = 60


@pytest.mark.parametrize("name", TINY)
def test_an_example_ends_in_a_bundle_that_answers_its_arrivals(name: str, tmp_path: Path) -> None:
    made = tiny_run(name, tmp_path)
    answers = first_answers(made)
    assert len(answers) == EVENTS
    for answer in answers:
        assert answer.model == name
        if made.manifest.classes:
            assert answer.classes == list(made.manifest.classes)
            assert sum(answer.probabilities) == pytest.approx(1, abs=1e-4)
        else:
            assert [len(level) for level in answer.quantiles] == [made.manifest.horizon] * 3
            lowest, _, highest = answer.quantiles
            assert np.less_equal(lowest, highest).all()
    assert name in shown(made.manifest)
    paths = re.findall(r"\S+\.(?:html|toml|csv)", next_steps(made))
    assert len(paths) == 6
    assert all(Path(path).exists() for path in paths)


def first_answers(made: Made) -> list[Forecast]:
    """What a worker would publish for the first events, by the settings that the run left."""
    records = [
        LoggedRecord(
            offset,
            milliseconds(event.timestamp),
            event.series_id.encode(),
            encode_observation(event),
        )
        for offset, event in enumerate(first_arrivals(made, EVENTS))
    ]
    settings = load_settings(made.settings)
    engine = Engine(OnnxPredictor(read_bundle(settings.worker.model)), settings.stream)
    return list(replay(engine, records))
