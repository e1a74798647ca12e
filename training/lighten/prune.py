"""Magnitude pruning: the smallest weights become zero (LeCun et al., 1990; Han et al., 2015)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta
from onnx import ModelProto, TensorProto, numpy_helper

from stream.grid import FloatArray
from tidecast.bundle import Bundle
from tidecast.errors import BundleError
from training.evaluate.case import Case
from training.lighten.method import Light, Tell, closed, name_of, opened

Within = Literal["each", "all"]

LEAST: Final = 256
"""A matrix of fewer numbers is left as it is: it costs nothing, and often holds a scale."""


class Pruning(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="how", tag="prune"
):
    """The smallest `share` of the weights of large matrices: of each of them, or of `all` together.

    Nothing is fitted afterwards.
    """

    share: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.3
    within: Within = "each"

    def lighten(self, parent: Bundle, past: Case, tell: Tell) -> Light:
        """See Method."""
        del past
        model = opened(parent)
        large = large_weights(model)
        if not large:
            raise BundleError(
                f"{name_of(parent)} has no matrix of {LEAST} weights or more to prune; trees "
                "become smaller when fitted with fewer parts, or taught to a net: --how distil"
            )
        kept = [numpy_helper.to_array(tensor) for tensor in large]
        fresh = pruned(kept, self.share, self.within)
        for tensor, values in zip(large, fresh, strict=True):
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        zeros = sum(int(np.sum(values == 0)) for values in fresh)
        whole = sum(values.size for values in fresh)
        tell(f"{zeros:,} of {whole:,} weights are zero")
        return Light(closed(model, parent.manifest), {}, {"zero_share": round(zeros / whole, 4)})


def large_weights(model: ModelProto) -> list[TensorProto]:
    """Float matrices, and kernels, of LEAST numbers or more."""
    return [
        tensor
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT
        and sum(length > 1 for length in tensor.dims) > 1
        and np.prod(tensor.dims) >= LEAST
    ]


def pruned(weights: list[FloatArray], share: float, within: Within) -> list[FloatArray]:
    """The weights with a share of them, the smallest, set to zero; of equal ones the first."""
    if within == "each":
        return [_zeroed(values.ravel(), share).reshape(values.shape) for values in weights]
    together = _zeroed(np.concatenate([values.ravel() for values in weights]), share)
    ends = np.cumsum([values.size for values in weights])[:-1]
    parts = zip(np.split(together, ends), weights, strict=True)
    return [part.reshape(values.shape) for part, values in parts]


def _zeroed(values: FloatArray, share: float) -> FloatArray:
    """values: [N]."""
    smallest = np.argsort(np.abs(values), kind="stable")[: round(share * len(values))]
    fresh = values.copy()
    fresh[smallest] = 0
    return fresh
