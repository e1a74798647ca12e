"""Permutation importance of any model (Breiman, 2001; Fisher, Rudin & Dominici, 2019).

A part of the inputs is exchanged among windows of the same series, whose levels are alike; how
much worse the answers become is what the model rests on that part for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from stream.grid import IntArray
from stream.predictor import Inputs, Predictor
from tidecast.bundle import Manifest
from tidecast.errors import DataError
from training.evaluate.classification import SMALLEST
from training.evaluate.metrics import Numbers, mean_of, pinball
from training.explain.inputs import SEED, Sampled

BLOCKS: Final = 24
"""Into which the slots of a window are cut, at most."""
REPEATS: Final = 3

Exchange = Callable[[Inputs, IntArray], Inputs]
"""Inputs with a part of them taken from the windows at the given places [P]."""


class Importance(NamedTuple):
    """Loss with a part exchanged over the loss as it is, less one.

    blocks: [blocks, channels], oldest first. edges: [blocks + 1] slots of the window. whole: of
    each channel, and of the other inputs that the model has: state, time, what is known ahead.
    """

    blocks: Numbers
    edges: IntArray
    whole: dict[str, float]


def permutation_importance(predictor: Predictor, sampled: Sampled, scale: Numbers) -> Importance:
    """Measure each part's importance by pinball loss, or log loss of a classifier.

    scale: [series], what errors of each are divided by. Raises DataError when every series has but
    one window: there is nothing to exchange.
    """
    orders = _orders(sampled.rows)

    def loss(inputs: Inputs) -> float:
        losses = _losses(predictor, inputs, sampled.actual) / scale[sampled.rows]
        return float(mean_of(losses, axis=0))

    base = max(loss(sampled.inputs), SMALLEST)

    def importance(exchange: Exchange) -> float:
        return (
            float(np.mean([loss(exchange(sampled.inputs, order)) for order in orders])) / base - 1
        )

    context, channels = sampled.inputs.windows.shape[1:]
    edges = np.unique(np.linspace(0, context, min(BLOCKS, context) + 1).astype(np.int64))
    blocks = [
        [importance(_slots(slice(*ends), channel)) for channel in range(channels)]
        for ends in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    whole = {
        name: importance(exchange)
        for name, exchange in _wholes(predictor.manifest, sampled.inputs).items()
    }
    return Importance(np.array(blocks), edges, whole)


def _wholes(manifest: Manifest, inputs: Inputs) -> dict[str, Exchange]:
    """Every channel, and the other inputs that the model has."""
    whole = {name: _slots(slice(None), place) for place, name in enumerate(manifest.channel_names)}
    whole["time"] = _origins
    if manifest.state_size:
        whole["state"] = _states
    if inputs.future is not None:
        whole["known ahead"] = _future
    return whole


def _losses(predictor: Predictor, inputs: Inputs, actual: Numbers) -> Numbers:
    """Mean loss of each answer [P]; NaN where nothing came true."""
    answers = predictor.predict(inputs).forecast.astype(np.float64)
    if predictor.manifest.classes:
        known = ~np.isnan(actual[:, 0])
        wanted = np.where(known, actual[:, 0], 0).astype(np.int64)
        right = answers[np.arange(len(answers)), 0, wanted]
        return np.where(known, -np.log(np.maximum(right, SMALLEST)), np.nan)
    truth = actual.astype(np.float64)
    return mean_of(pinball(truth, answers, predictor.manifest.quantile_levels), axis=1)


def _orders(rows: IntArray) -> list[IntArray]:
    """Ways to exchange windows within their series, by a fixed seed."""
    if len(np.unique(rows)) == len(rows):
        raise DataError("each series has one window alone; give history with more origins")
    rng = np.random.default_rng(SEED)
    orders = []
    for _ in range(REPEATS):
        order = np.arange(len(rows))
        for row in np.unique(rows):
            same = np.flatnonzero(rows == row)
            order[same] = rng.permutation(same)
        orders.append(order)
    return orders


def _slots(slots: slice, channel: int) -> Exchange:
    def exchange(inputs: Inputs, order: IntArray) -> Inputs:
        windows = inputs.windows.copy()
        windows[:, slots, channel] = inputs.windows[order, slots, channel]
        return inputs._replace(windows=windows)

    return exchange


def _origins(inputs: Inputs, order: IntArray) -> Inputs:
    return inputs._replace(origins=inputs.origins[order])


def _states(inputs: Inputs, order: IntArray) -> Inputs:
    return inputs._replace(states=inputs.states[order])


def _future(inputs: Inputs, order: IntArray) -> Inputs:
    return inputs if inputs.future is None else inputs._replace(future=inputs.future[order])
