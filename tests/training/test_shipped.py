from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from stream.forecaster import STATUSES
from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import read_bundle
from tidecast.messages import Status
from training.benchmarks import Benchmark, StreamBenchmark, load
from training.config import Recipe, read_recipe
from training.data.synthetic import Mixture, draw
from training.data.waves import Floats
from training.evaluate.back_test import back_test
from training.evaluate.case import unnamed_table
from training.evaluate.engine_run import Run, run
from training.evaluate.scores import ForecastScores
from training.evaluate.scoring import score
from training.hostile import hostile_series
from training.parity import TOLERANCE

NAMES = ("general-gru", "general-lstm")
RECIPES = Path("training/recipes")
SCALES = (1.0, 1e-20, 1e30)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a shipped bundle."""
    found: str = request.param
    return found


def folder(name: str) -> Path:
    return Path("onnx_models") / name / "1"


def predictor_of(name: str) -> OnnxPredictor:
    return OnnxPredictor(read_bundle(folder(name)))


def streamed(predictor: OnnxPredictor, values: Floats, origins: list[int]) -> Run:
    return run(predictor, unnamed_table(values), np.array(origins))


def scores_on(name: str, number: int) -> ForecastScores:
    predictor = predictor_of(name)
    found = score(
        back_test(predictor, load(benchmark(name, number), RECIPES, predictor.manifest, 24))
    )
    assert isinstance(found, ForecastScores)
    return found


def benchmark(name: str, number: int) -> Benchmark:
    """A benchmark of the bundle's recipe, where its files are there."""
    found = read_recipe(RECIPES / f"{name}.toml").benchmarks[number]
    if not (RECIPES / found.path).exists():
        pytest.skip(f"{found.name}: ../shared/data is not there")
    return found


def test_a_shipped_bundle_is_whole_and_says_what_it_follows_from(name: str) -> None:
    bundle = read_bundle(folder(name))
    manifest = bundle.manifest
    assert manifest.name == name
    assert (manifest.context, manifest.horizon, manifest.step_seconds) == (96, 24, None)
    assert manifest.quantile_levels == (0.1, 0.5, 0.9)
    assert manifest.state_size == {"general-gru": 70, "general-lstm": 134}[name]
    assert (manifest.channels[0].name, manifest.channels[0].unit) == ("value", "any")
    assert manifest.figures["parity_worst_relative_error"] <= TOLERANCE
    assert sum(path.stat().st_size for path in folder(name).iterdir()) < 2_000_000
    assert (folder(name) / "report.html").stat().st_size < 300_000


def test_the_training_record_is_the_recipe(name: str) -> None:
    recorded = read_bundle(folder(name)).manifest.training
    assert msgspec.convert(recorded, Recipe) == read_recipe(RECIPES / f"{name}.toml")


def test_a_shipped_graph_is_plain_onnx_that_keeps_its_weights_inside(name: str) -> None:
    graph = onnx.load_from_string(read_bundle(folder(name)).graph)
    assert {entry.domain for entry in graph.opset_import} == {""}
    assert not any(value.external_data for value in graph.graph.initializer)
    assert {node.op_type for node in graph.graph.node}.isdisjoint({"GRU", "LSTM", "Loop", "Scan"})


def test_hostile_series_give_finite_forecasts_that_do_not_cross(name: str) -> None:
    values = hostile_series(42, 500, seed=5)[1]
    found = streamed(predictor_of(name), values, list(range(500)))
    forecasts = found.answers[found.answered]
    assert np.isfinite(forecasts).all()
    assert (np.diff(forecasts, axis=2) >= 0).all()
    # The engine answers where a model fails; here none may.
    assert STATUSES.index(Status.FALLBACK) not in found.statuses


def test_a_batch_forecasts_as_its_series_alone(name: str) -> None:
    predictor = predictor_of(name)
    kinds, values = hostile_series(28, 150, seed=6)
    values = values[[kind != "nothing known" for kind in kinds]]
    together = streamed(predictor, values, [149]).answers
    span = np.nanmax(np.abs(np.nan_to_num(values)), axis=1)[:, None, None, None]
    alone = np.concatenate([streamed(predictor, row[None], [149]).answers for row in values])
    assert (np.abs(together - alone) <= TOLERANCE * span).all()


def test_forecasts_follow_the_scale(name: str) -> None:
    values = draw(Mixture(), (99,), 64, 200)
    predictor = predictor_of(name)
    plain, tiny, huge = (
        streamed(predictor, values * np.float32(scale), [199]).answers / scale for scale in SCALES
    )
    span = (np.nanmax(values, axis=1) - np.nanmin(values, axis=1))[:, None, None, None]
    assert (np.abs(tiny - plain) <= 0.01 * span).all()
    assert (np.abs(huge - plain) <= 0.01 * span).all()


def test_on_etth1_it_is_seven_percent_better_than_seasonal_naive(name: str) -> None:
    stream = benchmark(name, 0)
    assert isinstance(stream, StreamBenchmark)
    assert stream.first == 14_400
    scores = scores_on(name, 0)
    assert scores.skill is not None
    assert scores.model.coverage is not None
    assert (scores.series, scores.origins) == (7, 17_420 - 14_400 - 24 + 1)
    assert scores.skill >= 0.07
    assert 0.7 <= scores.model.coverage <= 0.9
    reported = read_bundle(folder(name)).manifest.figures["back_tests"][stream.name]
    assert scores.model.mase == pytest.approx(reported["mase"], abs=1e-3)


def test_on_m4_hourly_it_is_at_least_as_good_as_seasonal_naive(name: str) -> None:
    scores = scores_on(name, 1)
    assert scores.skill is not None
    assert scores.model.coverage is not None
    assert scores.series == 414
    assert scores.baselines["seasonal naive"].mase == pytest.approx(0.946, abs=1e-3)
    assert scores.skill >= 0
    assert 0.7 <= scores.model.coverage <= 0.9
