from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper

from tests.training.bundles import bundle_of
from tests.training.classic.toy import CONTEXT as TOY_CONTEXT
from tests.training.classic.toy import TASKS as TOY_TASKS
from tests.training.classic.toy import early, job_of, rows_of, wave
from tests.training.evaluate.tables import FEW
from tests.training.lighten.parents import past, silent, windowed
from tidecast.bundle import Bundle
from tidecast.errors import BundleError
from training.classic.fit import fit_classic
from training.lighten.prune import Pruning, Within, large_weights, pruned

SHARES = st.floats(0.01, 0.99)


@FEW
@given(st.integers(0, 99), SHARES, st.sampled_from(["each", "all"]))
def test_the_smallest_share_is_zero_and_the_rest_as_it_was(
    seed: int, share: float, within: Within
) -> None:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 10.0**n, (7, 5 + n)).astype(np.float32) for n in range(3)]
    found = pruned(weights, share, within)
    groups = (
        [(weights, found)]
        if within == "all"
        else [([w], [f]) for w, f in zip(weights, found, strict=True)]
    )
    for before, after in groups:
        old = np.concatenate([values.ravel() for values in before])
        new = np.concatenate([values.ravel() for values in after])
        zero = new == 0
        assert zero.sum() == round(share * len(old))
        np.testing.assert_array_equal(new[~zero], old[~zero])
        assert np.abs(old[zero]).max(initial=0) <= np.abs(old[~zero]).min(initial=np.inf)


@pytest.mark.parametrize("parent", [windowed("gru"), windowed("cnn")], ids=["gru", "cnn"])
def test_a_graph_has_the_share_asked_for(parent: Bundle) -> None:
    light = Pruning(share=0.4).lighten(parent, past(parent), silent)
    model = onnx.load_model_from_string(light.graph)
    for tensor in large_weights(model):
        zeros = (numpy_helper.to_array(tensor) == 0).mean()
        assert zeros == pytest.approx(0.4, abs=0.005)
    assert light.facts["zero_share"] == pytest.approx(0.4, abs=0.005)


def test_trees_have_nothing_to_prune() -> None:
    rows = early(rows_of(TOY_TASKS["forecast"], wave()))
    graph = fit_classic(job_of("forest", TOY_TASKS["forecast"]), rows).graph
    parent = bundle_of(graph, TOY_CONTEXT, rows.targets.shape[1])
    with pytest.raises(BundleError, match="no matrix of 256 weights or more"):
        Pruning().lighten(parent, past(parent), silent)
