"""What every torch model is: a module that says of its graph's inputs and outputs, by the bundle's
contract.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from torch import nn

from training.data.waves import Floats

Shape = tuple[int, ...]


class Signature(NamedTuple):
    """Shapes by name, in the order of the arguments and results; the batch axis is left out."""

    inputs: dict[str, Shape]
    outputs: dict[str, Shape]


class Model(nn.Module):
    """A torch module that answers by the contract, and can become a graph."""

    @property
    @abstractmethod
    def signature(self) -> Signature:
        """Arguments and results of `forward`."""

    @abstractmethod
    def unit(self, window: Floats) -> Floats:
        """By what an error of an answer is measured, [B]. window: [B, context, channels]."""


def span(values: Floats) -> Floats:
    """The range of each window's values [B, context], missing ones counted as the newest. → [B]."""
    known = values.copy()
    gaps = known != known
    known[gaps] = 0
    filled = known + gaps * known[:, -1:]
    ranged: Floats = filled.max(axis=1) - filled.min(axis=1)
    return ranged
