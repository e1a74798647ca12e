"""Boosted trees of all leads as one operator that walks them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, helper

from training.graphs import value_info


def one_ensemble(leads: Sequence[GraphProto]) -> GraphProto:
    """Put graphs of one TreeEnsembleRegressor with one target each into one with a target each.

    → a graph with the input of the first, giving [N, leads]. Trees are numbered through, and what
    a leaf gives goes to its lead.
    """
    pooled: dict[str, Any] = {}
    trees = 0
    for lead, graph in enumerate(leads):
        node = next(node for node in graph.node if node.op_type == "TreeEnsembleRegressor")
        found = {part.name: helper.get_attribute_value(part) for part in node.attribute}
        for name in ("nodes_treeids", "target_treeids"):
            found[name] = [trees + tree for tree in found[name]]
        found["target_ids"] = [lead] * len(found["target_ids"])
        trees = 1 + max(found["nodes_treeids"])
        for name, value in found.items():
            longer = isinstance(value, (list, np.ndarray))
            pooled[name] = [*pooled.get(name, ()), *value] if longer else value
    pooled["n_targets"] = len(leads)
    name = leads[0].input[0].name
    node = helper.make_node(
        "TreeEnsembleRegressor", [name], ["answer"], domain="ai.onnx.ml", **pooled
    )
    answer = value_info("answer", (len(leads),))
    return helper.make_graph([node], "trees", [leads[0].input[0]], [answer])
