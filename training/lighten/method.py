"""What every way to a lighter bundle is: a bundle and its history in, a graph out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import onnx
from onnx import ModelProto

from tidecast.bundle import Bundle, Manifest
from training.ensemble.members import graph_of
from training.evaluate.case import Case
from training.graphs import contract_of, sealed

Tell = Callable[[str], None]
"""Takes a line on how it goes."""


class Light(NamedTuple):
    """changes: fields in which the new manifest differs from the old one, besides those of the
    graph itself. facts: figures of the method, for the manifest.
    """

    graph: bytes
    changes: dict[str, Any]
    facts: dict[str, Any]


class Method(Protocol):
    """One way; it is a struct, whose settings end up in the manifest."""

    def lighten(self, parent: Bundle, past: Case, tell: Tell) -> Light:
        """Make the graph of a lighter bundle.

        past: every origin of the history before the test part; its table has nothing else. Raises
        BundleError when the parent has nothing that the method could make lighter.
        """
        ...


def opened(parent: Bundle) -> ModelProto:
    """The parent's graph. Raises BundleError where its operators are of other versions."""
    graph_of(parent)
    return onnx.load_model_from_string(parent.graph)


def closed(model: ModelProto, manifest: Manifest) -> bytes:
    """A changed graph by the same contract as before, checked, as bytes."""
    serialised: bytes = sealed(model.graph, contract_of(manifest)).SerializeToString()
    return serialised


def name_of(bundle: Bundle) -> str:
    """Name and version, as errors and records say them."""
    return f"{bundle.manifest.name}/{bundle.manifest.version}"
