"""Products with constant weights in int8, by `onnxruntime.quantization`.

Weights have a scale for each column and seven bits: eight saturate on processors without VNNI, and
a bundle is to answer the same everywhere. What has no integer form among ONNX's own operators stays
as it is: RNN, GRU and LSTM nodes, trees, and all that is no product.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, final

import onnx
from onnx import ModelProto
from onnxruntime.quantization import QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from stream.grid import AnyArray
from tidecast.errors import BundleError
from training.lighten.rowwise import in_units_of_rows, with_constant_scale

Feed = dict[str, AnyArray]

PRODUCTS: Final = ("MatMul", "Gemm", "Conv")


def require_products(model: ModelProto, name: str) -> None:
    """Raise BundleError when nothing in the graph would become int8."""
    weights = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in PRODUCTS and node.input[1] in weights:
            return
    found = ", ".join(sorted({node.op_type for node in model.graph.node if node.domain}))
    raise BundleError(
        f"{name} has no product with constant weights that int8 could speed up"
        f"{f', but {found}' if found else ''}; trees and kernels become smaller when they are "
        "fitted with fewer parts, or taught to a net with --how distil"
    )


def dynamic(model: ModelProto) -> ModelProto:
    """Weights in int8, activations too, in units of each row as it comes."""
    whole = ONNXModel(_copied(model))
    whole.replace_gemm_with_matmul()
    in_units_of_rows(whole.model.graph)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(
            _told(whole.model),
            path,
            op_types_to_quantize=["MatMul", "Conv"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        light = onnx.load(path)
    with_constant_scale(light.graph)
    return light


def static(model: ModelProto, feeds: Sequence[Feed]) -> ModelProto:
    """Weights in int8, activations too, by the range that they have over the given feeds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantize_static(
            _told(_copied(model)),
            path,
            _Reader(feeds),
            op_types_to_quantize=list(PRODUCTS),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # What comes out of a product of matrices stays float: it goes into sums and sigmoids.
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        )
        return onnx.load(path)


@final
class _Reader:
    """Feeds as the calibrator asks for them."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        """The next feed, None after the last."""
        return next(self._feeds, None)


def _copied(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _told(model: ModelProto) -> ModelProto:
    """With the note that it needs no preparation, without which the library logs advice."""
    add_pre_process_metadata(model)
    return model
