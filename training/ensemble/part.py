"""A graph that grows: nodes and constants, until it is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, compose, helper, numpy_helper


@final
class Part:
    """Nodes in the order in which they run; names of values are chosen by who adds them."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: int
    ) -> None:
        """Append a node."""
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))

    def constant(self, name: str, value: float | Sequence[int]) -> str:
        """Hold a float32 number, or whole numbers, in the graph. → the name."""
        kind = np.float32 if isinstance(value, float) else np.int64
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def embed(self, graph: GraphProto, prefix: str) -> None:
        """Take a whole graph in; every name in it, of inputs and outputs too, gets the prefix."""
        named = compose.add_prefix_graph(graph, prefix)
        self.nodes.extend(named.node)
        self.constants.extend(named.initializer)

    def graph(self) -> GraphProto:
        """All of it, inputs and outputs not yet declared."""
        return helper.make_graph(self.nodes, "part", [], [], self.constants)
