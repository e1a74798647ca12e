"""What every torch model is: a module that says of its graph's inputs and outputs, by the bundle's
contract.
"""

from __future__ import annotations

from abc import abstractmethod

from torch import nn

from training.data.waves import Floats
from training.graphs import Contract


class Model(nn.Module):
    """A torch module that answers by the contract, and can become a graph."""

    @property
    @abstractmethod
    def contract(self) -> Contract:
        """Arguments and results of `forward`, in its order."""

    @abstractmethod
    def unit(self, window: Floats) -> Floats:
        """By what an error of an answer is measured, [B]. window: [B, context, channels]."""
