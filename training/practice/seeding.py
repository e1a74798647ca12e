"""Random numbers that can be had again: after a restart, and from a checkpoint.

First weights and dropout come from torch's own generators, which `torch.manual_seed` starts.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor


class RandomState(TypedDict):
    """Where torch's generators stand: the processor's and, one each, the GPUs'."""

    cpu: Tensor
    cuda: list[Tensor]


def generator(seed: int, *place: int) -> Generator:
    """Return NumPy's generator for one place of a fit, such as a step.

    What it draws follows from the numbers alone, so a resumed fit needs no state of it, and two
    places never share their numbers.
    """
    return np.random.default_rng((seed, *place))


def random_state() -> RandomState:
    """Return what a checkpoint keeps of torch's generators."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return RandomState(cpu=torch.get_rng_state(), cuda=cuda)


def restore_random_state(state: RandomState) -> None:
    """Go on from `random_state()`; GPUs that are not here are left out."""
    torch.set_rng_state(state["cpu"])
    for device, numbers in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(numbers, device)
