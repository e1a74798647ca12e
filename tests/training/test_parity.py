from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from tests.training.models.small import FAMILIES, TASKS, plain
from tidecast.errors import BundleError
from training import parity
from training.export import export
from training.graphs import OPSET
from training.hostile import hostile_series
from training.models.forecaster import Forecaster
from training.models.streaming_lstm import StreamingLstmConfig
from training.tasks.forecast import ForecastTask


def small() -> Forecaster:
    torch.manual_seed(1)
    config = StreamingLstmConfig(inputs=6, bands=8, width=24, summary=16, hidden=8)
    return Forecaster(config, ForecastTask()).eval()


def tampered(graph: bytes, factor: float) -> bytes:
    """Scale the largest matrix of the graph by `factor`."""
    model = onnx.load_from_string(graph)
    weights = max(model.graph.initializer, key=lambda value: len(value.raw_data))
    changed = numpy_helper.to_array(weights) * np.float32(factor)
    weights.CopyFrom(numpy_helper.from_array(changed, weights.name))
    tampered_graph: bytes = model.SerializeToString()
    return tampered_graph


def test_the_gate_passes_an_honest_graph_and_stops_a_tampered_one() -> None:
    model = small()
    graph = export(model)
    findings = parity.check(model, graph)
    assert max(max(finding[1:]) for finding in findings) <= parity.TOLERANCE
    with pytest.raises(BundleError, match="no bundle was written"):
        parity.check(model, tampered(graph, 1.01))


def test_a_model_whose_answers_are_no_numbers_fails_whatever_its_graph_says() -> None:
    model = plain(FAMILIES["nlinear"], TASKS["forecast"])
    graph = export(model)
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    with pytest.raises(BundleError, match="no bundle was written"):
        parity.check(model, graph)


def test_the_graph_keeps_the_contract(model: Forecaster) -> None:
    graph = onnx.load_from_string(export(model))
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.graph.input, *graph.graph.output)
    }
    assert shapes == {
        "window": ["B", 96, 1],
        "origin": ["B"],
        "state": ["B", model.state_size],
        "forecast": ["B", model.task.horizon, len(model.task.quantile_levels)],
        "next_state": ["B", model.state_size],
    }
    assert [(entry.domain, entry.version) for entry in graph.opset_import] == [("", OPSET)]
    assert {node.op_type for node in graph.graph.node}.isdisjoint({"GRU", "LSTM", "Loop", "Scan"})


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_one_step_of_the_graph_is_one_step_of_the_model(model: Forecaster, batch: int) -> None:
    pair = parity.Pair(model, export(model))
    state = np.random.default_rng(0).normal(size=(batch, model.state_size)).astype(np.float32)
    window = hostile_series(batch, 96, seed=batch)[1][..., None]
    feed: parity.Feed = {"window": window, "origin": np.zeros(batch, np.int64), "state": state}
    found, expected = pair.by_graph(feed), pair.by_torch(feed)
    error = parity.relative_error(found["forecast"], expected["forecast"], model.unit(window))
    assert error.max() <= parity.TOLERANCE
    after, expected_after = found["next_state"], expected["next_state"]
    np.testing.assert_allclose(after, expected_after, rtol=1e-4, atol=1e-4)


def test_crossing_or_endless_forecasts_count_as_infinite_errors() -> None:
    unit = np.zeros(3, np.float32)
    expected = np.zeros((3, 1, 2), np.float32)
    found = np.array([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, np.nan]]], np.float32)
    assert parity.relative_error(found, expected, unit).tolist() == [0.0, np.inf, np.inf]
