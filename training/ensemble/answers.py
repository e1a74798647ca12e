"""What a bundle answers to rows of windows, as the worker would."""

from __future__ import annotations

import numpy as np

from stream.grid import FloatArray
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from tidecast.bundle import Bundle
from tidecast.errors import DataError
from training.rows import Rows


def answers_of(member: Bundle, rows: Rows) -> FloatArray:
    """→ [N, horizon, levels], or [N, 1, classes] of a classifier.

    rows: windows at least as long as the member's. A state is what stepping through the window
    from zeros makes of it, as for a series of which the worker knows no more. Raises DataError
    where the windows are too short.
    """
    predictor = OnnxPredictor(member)
    context, step_s = member.manifest.context, member.manifest.step_seconds or 0
    if rows.windows.shape[1] < context:
        raise DataError(
            f"windows of {rows.windows.shape[1]} slots are too short for "
            f"{member.manifest.name}/{member.manifest.version}, which sees {context}"
        )
    windows = np.ascontiguousarray(rows.windows[:, -context:])
    states = np.zeros((len(windows), member.manifest.state_size), np.float32)
    for older in range(context - 1, 0, -1) if member.manifest.state_size else ():
        seen = np.full_like(windows, np.nan)
        seen[:, older:] = windows[:, :-older]
        begun = np.isfinite(seen).sum(axis=(1, 2)) > 0
        stepped = predictor.step(Inputs(seen, rows.origins - older * step_s, states))
        states = np.where(begun[:, None], stepped, states)
    future = rows.future if member.manifest.future else None
    return predictor.predict(Inputs(windows, rows.origins, states, future)).forecast
