"""Two jobs of the same shape: our own forecasts, and the 24 numbers that peers are measured by.

The second is the shipped model with its median alone: the same graph, a row of its output taken at
the end. All programs are given the same bundle and answer with all that it has, so that worker and
peers do the same work in both.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import onnx

from tidecast.bundle import Bundle, read_bundle, write_bundle

SHIPPED: Final = Path("onnx_models/general-gru/1")
MEDIAN: Final = 0.5


class Job(StrEnum):
    """What is to be answered to each event."""

    FORECAST = "forecast"
    """All quantile levels of the shipped bundle: 24 x 3 numbers."""
    MEDIAN = "median"
    """The median alone: 24 numbers."""


def bundle_of(job: Job, folder: Path) -> Path:
    """The bundle of a job; one that is not shipped is written into the folder."""
    return SHIPPED if job is Job.FORECAST else write_median_bundle(read_bundle(SHIPPED), folder)


def write_median_bundle(bundle: Bundle, folder: Path) -> Path:
    """Write the bundle that answers with the median of this one."""
    graph = _one_level(bundle.graph, bundle.manifest.quantile_levels.index(MEDIAN))
    manifest = msgspec.structs.replace(
        bundle.manifest,
        name=f"{bundle.manifest.name}-median",
        quantile_levels=(MEDIAN,),
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        graph_bytes=len(graph),
    )
    return write_bundle(folder, Bundle(manifest, graph), report_html="")


def _one_level(graph: bytes, level: int) -> bytes:
    """The graph with one of its quantile levels: forecast [B, horizon, 1]."""
    model = onnx.load_model_from_string(graph)
    (output,) = [node for node in model.graph.output if node.name == "forecast"]
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["every_level" if name == output.name else name for name in names]
    index = onnx.numpy_helper.from_array(np.array([level], np.int64), "level")
    model.graph.initializer.append(index)
    model.graph.node.append(
        onnx.helper.make_node("Gather", ["every_level", index.name], [output.name], axis=2)
    )
    output.type.tensor_type.shape.dim[2].dim_value = 1
    return bytes(model.SerializeToString())
