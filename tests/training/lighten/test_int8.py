"""int8 by both ways: the contract, near answers, rows for themselves, and an honest calibration."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from stream.grid import FloatArray
from tests.training.bundles import bundle_of, served
from tests.training.classic.toy import CONTEXT as TOY_CONTEXT
from tests.training.classic.toy import TASKS as TOY_TASKS
from tests.training.classic.toy import early, job_of, rows_of, wave
from tests.training.lighten.parents import (
    FIRST,
    history,
    learnt,
    past,
    silent,
    streaming,
    windowed,
)
from tests.training.models.small import CONTEXT, HORIZON, HOUR
from tidecast.bundle import Bundle
from tidecast.errors import BundleError
from training.classic.fit import fit_classic
from training.graphs import contract_of, run_graph, sealed
from training.lighten.int8 import DynamicInt8, StaticInt8
from training.lighten.method import Method
from training.lighten.rowwise import in_units_of_rows
from training.lighten.sound import require_sound

PARENTS = {
    "streaming gru": streaming,
    "mlp": lambda: windowed("mlp"),
    "cnn": lambda: windowed("cnn"),
    "gru": lambda: windowed("gru"),
    "lstm": lambda: windowed("lstm"),
}
WAYS = {"dynamic": DynamicInt8(), "static": StaticInt8(windows=100)}


def light(parent: Bundle, way: Method, seed: int = 0) -> Bundle:
    """The lighter bundle, as a manifest of the parent's form declares it."""
    graph = way.lighten(parent, past(parent, seed), silent).graph
    return bundle_of(graph, CONTEXT, HORIZON, parent.manifest.state_size)


def answers(bundle: Bundle) -> FloatArray:
    """What the engine answers to the first series from FIRST on."""
    values = history().values[0, FIRST - 40 : FIRST + 20, 0]
    return served(bundle, values, first_s=0, step_s=HOUR)[40:]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("parent", PARENTS.values(), ids=PARENTS)
def test_the_engine_serves_it_and_the_answers_are_near(parent: object, way: Method) -> None:
    assert callable(parent)
    bundle = parent()
    lighter = light(bundle, way)
    require_sound(lighter)
    before, after = answers(bundle), answers(lighter)
    assert (np.diff(after, axis=-1) >= 0).all()
    apart = np.abs(after - before).mean()
    assert 0 < apart < 0.05 * np.ptp(before)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_weights_are_a_byte_each(way: Method) -> None:
    found = way.lighten(learnt(), past(learnt()), silent)
    assert found.facts["int8_share"] > 0.8
    held = onnx.load_model_from_string(found.graph).graph.initializer
    floats = [tensor for tensor in held if tensor.data_type == onnx.TensorProto.FLOAT]
    assert max(int(np.prod(tensor.dims)) for tensor in floats) < 256


def test_a_series_is_answered_alike_whoever_is_in_its_batch() -> None:
    lighter = light(learnt(), DynamicInt8())
    calm = np.stack([history().values[0, at : at + CONTEXT] for at in range(5)])
    wild = calm.copy()
    wild[1:] = np.random.default_rng(1).normal(0, 1e9, wild[1:].shape)
    origins = np.zeros(5, np.int64)
    alone, beside = (
        run_graph(lighter.graph, {"window": window, "origin": origins})["forecast"][0]
        for window in (calm, wild)
    )
    np.testing.assert_array_equal(alone, beside)


@pytest.mark.parametrize("family", ["mlp", "cnn", "tcn", "segrnn"])
def test_units_of_rows_change_nothing_but_the_last_digits(family: str) -> None:
    parent = windowed(family)
    model = onnx.load_model_from_string(parent.graph)
    in_units_of_rows(model.graph)
    graph = sealed(model.graph, contract_of(parent.manifest)).SerializeToString()
    window = np.stack([history().values[0, at : at + CONTEXT] for at in range(30)])
    feed = {"window": window, "origin": np.zeros(30, np.int64)}
    expected = run_graph(parent.graph, feed)["forecast"]
    np.testing.assert_allclose(run_graph(graph, feed)["forecast"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("parent", [streaming, learnt])
def test_calibration_never_sees_the_test_part(parent: object) -> None:
    assert callable(parent)
    bundle = parent()
    assert not np.array_equal(history(0).values[:, FIRST:], history(1).values[:, FIRST:])
    one, other = (light(bundle, StaticInt8(), seed).graph for seed in (0, 1))
    assert one == other


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_trees_have_nothing_to_quantise(way: Method) -> None:
    rows = early(rows_of(TOY_TASKS["forecast"], wave()))
    forest = fit_classic(job_of("forest", TOY_TASKS["forecast"]), rows).graph
    horizon = rows.targets.shape[1]
    parent = bundle_of(forest, TOY_CONTEXT, horizon)
    with pytest.raises(BundleError, match=r"tried/1 has no product .* Tree.*--how distil"):
        way.lighten(parent, past(parent), silent)
