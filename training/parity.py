"""The parity gate: an exported graph must compute what the torch model computes.

Both run over hostile series, once from single windows and, where they are recurrent, once over 500
slots, each carrying its own state. The graph is asked in batches of 1, 7 and 256, torch in one of
256: no answer may depend on the batch that it came in. The error of an answer is its distance to
torch's over the larger of torch's magnitude and the model's own unit.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, final

import numpy as np
import onnxruntime
import torch

from tidecast.errors import BundleError
from training.data.waves import Floats, Ints
from training.hostile import MAKERS, hostile_series
from training.models.model import Model

TOLERANCE: Final = 1e-4
CARRIED: Final = 500
SINGLE: Final = range(40, CARRIED, 60)
"""Slots at which windows are taken by themselves."""
BATCHES: Final = (1, 7, 256)
LARGEST: Final = 256
FIRST_ORIGIN: Final = 1_700_000_000
STEP_S: Final = 5_400
"""Between two slots: no calendar feature stands still for it."""
UNKNOWN: Final = 0.1
"""Part of what is known ahead that is missing."""

Feed = dict[str, Floats | Ints]


class Finding(NamedTuple):
    """The worst relative error of one kind of series, from single windows and carried."""

    kind: str
    one_step: float
    carried: float


def check(model: Model, graph: bytes) -> list[Finding]:
    """Compare `graph` with `model`. Raises BundleError, naming the kind, when they differ.

    An answer that is not finite, or whose levels cross, counts as an infinite error.
    """
    pair = Pair(model, graph)
    context, channels = model.contract.context, model.contract.channels
    _, series = hostile_series(LARGEST, CARRIED + context, seed=11)
    # Each channel is of another kind; the first one gives a finding its name.
    values = np.stack([np.roll(series, channel, axis=0) for channel in range(channels)], -1)
    single = pair.compare(values, SINGLE, carry=False)
    carried = pair.compare(values, range(CARRIED), carry=True)
    findings = []
    for number, kind in enumerate(MAKERS):
        rows = slice(number, None, len(MAKERS))
        findings.append(Finding(kind, float(single[rows].max()), float(carried[rows].max())))
    # Written so that an error that is no number fails.
    passed = [one.one_step <= TOLERANCE and one.carried <= TOLERANCE for one in findings]
    failed = [one for one, well in zip(findings, passed, strict=True) if not well]
    if failed:
        raise BundleError(
            f"the exported graph differs from the torch model by more than {TOLERANCE}: {failed}; "
            "no bundle was written"
        )
    return findings


@final
class Pair:
    """A model in torch, and its graph in ONNX Runtime."""

    def __init__(self, model: Model, graph: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
        self._model = model
        self._contract = model.contract
        self._answer = next(iter(self._contract.outputs))

    def compare(self, values: Floats, slots: range, *, carry: bool) -> Floats:
        """The worst relative error of each series [B, T, channels] over `slots`. → [B].

        The smaller batches are asked for the first series of each kind alone.
        carry: hand the state from slot to slot; nothing is to be compared without one.
        """
        worst = np.zeros(len(values), np.float32)
        if carry and not self._contract.state_size:
            return worst
        ours = np.zeros((len(values), self._contract.state_size), np.float32)
        theirs = {batch: ours[: max(batch, len(MAKERS))] for batch in BATCHES}
        for slot in slots:
            window = _window(values, slot, self._contract.context)
            feed, unit = self._feed(window, slot), self._model.unit(window)
            expected = self.by_torch(feed | {"state": ours})
            for batch, states in theirs.items():
                rows = slice(len(states))
                found = self._in_batches(_part(feed, rows) | {"state": states}, batch)
                answers, wanted = found[self._answer], expected[self._answer][rows]
                error = relative_error(answers, wanted, unit[rows])
                worst[rows] = np.maximum(worst[rows], error)
                theirs[batch] = found["next_state"] if carry else states
            ours = expected["next_state"] if carry else ours
        return worst

    def by_torch(self, feed: Feed) -> dict[str, Floats]:
        """Outputs of the model, by name."""
        inputs = [torch.from_numpy(feed[name]) for name in self._contract.inputs]
        with torch.no_grad():
            outputs = self._model(*inputs)
        parts = outputs if isinstance(outputs, tuple) else (outputs,)
        names = self._contract.outputs
        return {name: part.numpy() for name, part in zip(names, parts, strict=True)}

    def by_graph(self, feed: Feed) -> dict[str, Floats]:
        """Outputs of the graph, by name."""
        names = list(self._contract.outputs)
        given = {name: feed[name] for name in self._contract.inputs}
        return dict(zip(names, self._session.run(names, given), strict=True))

    def _in_batches(self, feed: Feed, batch: int) -> dict[str, Floats]:
        """Outputs of the graph, asked for `batch` rows at a time."""
        starts = range(0, len(feed["window"]), batch)
        parts = [self.by_graph(_part(feed, slice(start, start + batch))) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _feed(self, window: Floats, slot: int) -> Feed:
        """All inputs but the state; what is known ahead is drawn anew for each slot."""
        feed: Feed = {
            "window": window,
            "origin": np.full(len(window), FIRST_ORIGIN + slot * STEP_S, np.int64),
        }
        if self._contract.covariates:
            rng = np.random.default_rng(slot)
            shape = (len(window), *self._contract.inputs["future"])
            future = rng.standard_normal(shape, np.float32) * np.float32(100)
            future[rng.random(shape) < UNKNOWN] = np.nan
            feed["future"] = future
        return feed


def _window(values: Floats, slot: int, context: int) -> Floats:
    """The window [B, context, channels] that ends with a slot; NaN before the first one."""
    known = values[:, max(0, slot + 1 - context) : slot + 1]
    window = np.full((len(values), context, values.shape[2]), np.nan, np.float32)
    window[:, context - known.shape[1] :] = known
    return window


def _part(feed: Feed, rows: slice) -> Feed:
    """Some rows of every input."""
    return {name: values[rows] for name, values in feed.items()}


def relative_error(found: Floats, expected: Floats, unit: Floats) -> Floats:
    """The worst error of each answer, [B].

    found, expected: [B, horizon, levels] or [B, classes]. unit: [B]. Infinite where `found` is not
    finite or its levels cross.
    """
    axes = tuple(range(1, found.ndim))
    scale = np.maximum(np.abs(expected), unit.reshape(-1, *[1] * len(axes)))
    apart = np.abs(found - expected)
    error = np.where(apart == 0, 0, apart / np.maximum(scale, np.float32(1e-38)))
    broken = ~np.isfinite(found).all(axis=axes)
    if found.ndim == 3:
        broken |= (np.diff(found, axis=2) < 0).any(axis=axes)
    return np.where(broken, np.inf, error.max(axis=axes)).astype(np.float32)
