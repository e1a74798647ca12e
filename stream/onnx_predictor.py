"""ONNX Runtime behind one call."""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
import onnxruntime
from onnx.utils import Extractor

from stream.grid import AnyArray, FloatArray
from stream.predictor import Inputs, Prediction
from tidecast.bundle import Bundle
from tidecast.errors import BundleError

ALLOWED_DOMAINS: Final = {"", "ai.onnx", "ai.onnx.ml"}
"""ONNX's own operators; anything else would need code that a bundle may not bring."""

LARGEST_RUN: Final = 1024
"""Rows per run: each may wait for Python's lock; larger ones take memory and gain nothing."""

FORECAST: Final = "forecast"
PROBABILITY: Final = "probability"
STATE: Final = "next_state"


class OnnxPredictor:
    """A verified bundle in an ONNX Runtime session.

    Raises BundleError when the graph cannot be loaded or is not what its manifest declares.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.manifest = bundle.manifest
        graph = _checked_graph(bundle)
        self._recurrent = self.manifest.state_size > 0
        answer = PROBABILITY if self.manifest.task == "classification" else FORECAST
        self._outputs = [answer, STATE] if self._recurrent else [answer]
        self._session = self._load(bundle.graph)
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._check_signature()
        # ONNX Runtime computes every output of a graph, asked for or not.
        self._stepper = self._load(_state_alone(graph)) if self._recurrent else None

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        answer, *state = self._run(self._session, self._outputs, inputs)
        forecast = answer.reshape(len(answer), self.manifest.horizon, self.manifest.width)
        return Prediction(forecast, state[0] if state else inputs.states)

    def step(self, inputs: Inputs) -> FloatArray:
        """See Predictor."""
        if self._stepper is None:
            return inputs.states
        (state,) = self._run(self._stepper, [STATE], inputs)
        return state

    def _run(
        self, session: onnxruntime.InferenceSession, outputs: list[str], inputs: Inputs
    ) -> list[FloatArray]:
        """The outputs for all rows, in runs of a size that the processor likes."""
        feed = self._feed(inputs)
        windows = inputs.windows
        if len(windows) <= LARGEST_RUN:
            return list(session.run(outputs, feed))
        parts = [
            session.run(
                outputs, {name: array[at : at + LARGEST_RUN] for name, array in feed.items()}
            )
            for at in range(0, len(windows), LARGEST_RUN)
        ]
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]

    def _feed(self, inputs: Inputs) -> dict[str, AnyArray]:
        """What the graph takes of the inputs, by its names."""
        given: dict[str, AnyArray] = {
            "window": inputs.windows,
            "origin": inputs.origins,
            "state": inputs.states,
        }
        if "future" in self._inputs:
            shape = (len(inputs.windows), self.manifest.horizon, len(self.manifest.future))
            unknown = np.full(shape, np.nan, np.float32)
            given["future"] = unknown if inputs.future is None else inputs.future
        return {name: array for name, array in given.items() if name in self._inputs}

    def _load(self, graph: bytes) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        # One thread, no spinning: throughput comes from batches, and the other core is Kafka's.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BundleError(f"ONNX Runtime cannot load {self._name}: {error}") from error

    @property
    def _name(self) -> str:
        return f"{self.manifest.name}/{self.manifest.version}"

    def _check_signature(self) -> None:
        manifest = self.manifest
        declared = {
            "window": [manifest.context, len(manifest.channels)],
            "origin": [],
            "future": [manifest.horizon, len(manifest.future)],
            "state": [manifest.state_size],
            FORECAST: [manifest.horizon, manifest.width],
            PROBABILITY: [manifest.width],
            "next_state": [manifest.state_size],
        }
        for node in [*self._session.get_inputs(), *self._session.get_outputs()]:
            found = list(node.shape[1:])
            if node.name not in declared:
                raise BundleError(f"{self._name} has an undeclared input or output {node.name!r}")
            if found != declared[node.name]:
                raise BundleError(
                    f"{self._name}: {node.name} has shape [B, *{found}], "
                    f"its manifest declares [B, *{declared[node.name]}]; train the bundle anew"
                )
        missing = (
            {"window", *self._outputs}
            - self._inputs
            - {node.name for node in self._session.get_outputs()}
        )
        if missing:
            raise BundleError(f"{self._name} lacks {', '.join(sorted(missing))}")


def _state_alone(model: onnx.ModelProto) -> bytes:
    """The part of a graph that computes the next state."""
    inputs = [node.name for node in model.graph.input]
    return bytes(Extractor(model).extract_model(inputs, [STATE]).SerializeToString())


def _checked_graph(bundle: Bundle) -> onnx.ModelProto:
    """The graph; refused when it has what it could use to reach outside itself."""
    name = f"{bundle.manifest.name}/{bundle.manifest.version}"
    try:
        model = onnx.load_model_from_string(bundle.graph)
    except Exception as error:
        raise BundleError(f"{name} is not an ONNX graph: {error}") from error
    foreign = {opset.domain for opset in model.opset_import} - ALLOWED_DOMAINS
    if foreign:
        raise BundleError(f"{name} uses operators outside ONNX: {', '.join(sorted(foreign))}")
    external = onnx.TensorProto.DataLocation.Value("EXTERNAL")
    if any(tensor.data_location == external for tensor in model.graph.initializer):
        raise BundleError(f"{name} keeps weights outside its graph; a bundle is one file")
    return model
