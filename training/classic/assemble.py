"""Trunk, estimator and tail joined into one graph by the bundle's contract.

window, origin, future ─► trunk ─┬─► flat ─► estimator ─► answer ─┬─► tail ─► forecast | probability
                                 └─► centre, spread ──────────────┘
"""

from __future__ import annotations

from typing import Final

from onnx import GraphProto, ModelProto, compose

from tidecast.errors import BundleError
from training.classic.family import ClassicConfig
from training.classic.tails import ANSWER
from training.classic.trunk import OUTPUTS
from training.graphs import Contract, sealed

LARGEST: Final = 5_000_000
"""Bytes of a graph: every worker loads it, and it is to stay in a processor's cache."""


def assembled(
    trunk: GraphProto, estimator: GraphProto, tail: GraphProto, contract: Contract
) -> ModelProto:
    """Join the three by their names; the estimator has one input, `flat`, and one output."""
    found = estimator.output[0].name
    body = compose.merge_graphs(trunk, estimator, [("flat", "flat")], prefix2="estimator/")
    units = [(name, name) for name in OUTPUTS if name in {each.name for each in tail.input}]
    wires = [(f"estimator/{found}", ANSWER), *units]
    return sealed(compose.merge_graphs(body, tail, wires), contract)


def require_small(graph: bytes, family: ClassicConfig, limit: int = LARGEST) -> bytes:
    """The graph. Raises BundleError, naming the settings, when it has more than `limit` bytes."""
    if len(graph) > limit:
        raise BundleError(
            f"the graph has {len(graph) / 1e6:.1f} MB, more than {limit / 1e6:.1f}; "
            f"take {family.lighter}"
        )
    return graph
