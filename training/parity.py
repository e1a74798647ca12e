"""The parity gate: an exported graph must compute what the torch model computes.

Both run over hostile series, once from single windows and once over 500 slots, each carrying its
own state, in batches of 1, 7 and 256. The error of a forecast is its distance to torch's over the
larger of torch's magnitude and the range of the window's values: a forecast near zero of a series
that spans a thousand is not asked for more digits than the series has.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch

from tidecast.errors import BundleError
from training.data.waves import Floats
from training.hostile import MAKERS, hostile_series
from training.models.forecaster import Forecaster
from training.runner import Runner

TOLERANCE: Final = 1e-4
CARRIED: Final = 500
BATCHES: Final = (1, 7, 256)
LARGEST: Final = 256


class Finding(NamedTuple):
    """The worst relative error of one kind of series, from single windows and carried."""

    kind: str
    one_step: float
    carried: float


def check(model: Forecaster, graph: bytes) -> list[Finding]:
    """Compare `graph` with `model`. Raises BundleError, naming the kind, when they differ.

    A forecast that is not finite, or whose levels cross, counts as an infinite error.
    """
    runner = Runner(graph)
    worst = {kind: [0.0, 0.0] for kind in MAKERS}
    kinds, values = hostile_series(LARGEST, CARRIED + runner.context, seed=11)
    for batch in BATCHES:
        rows = len(MAKERS) if batch < len(MAKERS) else batch
        for start in range(0, rows, batch):
            part = slice(start, start + batch)
            single = _compare(model, runner, values[part], range(40, CARRIED, 60), carry=False)
            carried = _compare(model, runner, values[part], range(CARRIED), carry=True)
            for kind, one, many in zip(kinds[part], single, carried, strict=True):
                worst[kind] = [max(worst[kind][0], float(one)), max(worst[kind][1], float(many))]
    findings = [Finding(kind, *errors) for kind, errors in worst.items()]
    failed = [finding for finding in findings if not max(finding[1:]) <= TOLERANCE]
    if failed:
        raise BundleError(
            f"the exported graph differs from the torch model by more than {TOLERANCE}: {failed}; "
            "no bundle was written"
        )
    return findings


def _compare(
    model: Forecaster, runner: Runner, values: Floats, slots: range, *, carry: bool
) -> Floats:
    """Return the worst relative error of each series of `values` [B, T] over `slots`. → [B]."""
    before = np.full((len(values), runner.context - 1), np.nan, np.float32)
    padded = np.concatenate((before, values), axis=1)
    ours = theirs = np.zeros((len(values), runner.state_size), np.float32)
    worst = np.zeros(len(values), np.float32)
    origin = torch.zeros(len(values), dtype=torch.int64)
    for slot in slots:
        window = np.ascontiguousarray(padded[:, slot : slot + runner.context])
        with torch.no_grad():
            expected, after = model(
                torch.from_numpy(window)[..., None], origin, torch.from_numpy(ours)
            )
        found, next_state = runner.step(window, theirs)
        worst = np.maximum(worst, relative_error(found, expected.numpy(), window))
        if carry:
            ours, theirs = after.numpy(), next_state
    return worst


def relative_error(found: Floats, expected: Floats, window: Floats) -> Floats:
    """Return the worst error of each forecast, [B].

    found, expected: [B, horizon, levels]. window: [B, context]. Infinite where `found` is not
    finite or its levels cross.
    """
    known = np.where(np.isnan(window), np.nan_to_num(window[:, -1:]), window)
    span = (known.max(axis=1) - known.min(axis=1))[:, None, None]
    unit = np.maximum(np.abs(expected), span)
    apart = np.abs(found - expected)
    error = np.where(apart == 0, 0, apart / np.maximum(unit, np.float32(1e-38)))
    broken = ~np.isfinite(found).all(axis=(1, 2)) | (np.diff(found, axis=2) < 0).any(axis=(1, 2))
    return np.where(broken, np.inf, error.max(axis=(1, 2))).astype(np.float32)
