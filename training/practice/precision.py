"""Mixed precision (Micikevicius et al., 2018): float16 products on a CUDA GPU, plain float32 else.

Weights, losses and everything before a layer stay float32; windows in units up to 1e36 need it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, final

import torch
from torch import Tensor
from torch.amp import GradScaler, autocast
from torch.optim import Optimizer

from training.practice.clipping import ClippingConfig


@final
class Precision:
    """How one step is computed on a device: forward under `forward()`, then `step`.

    with precision.forward():
        loss = model.loss(...)
    precision.step(loss, optimiser, clipping)
    """

    def __init__(self, device: torch.device, *, mixed: bool) -> None:
        """mixed: use float16 where the device has fast products of it; a processor has not."""
        self._kind = device.type
        self._mixed = mixed and device.type == "cuda"
        # Scales losses so that small gradients do not vanish in float16; off, it does nothing.
        self._scaler = GradScaler(device.type, enabled=self._mixed)

    def forward(self) -> AbstractContextManager[None]:
        """Return the context in which the loss is computed."""
        return autocast(self._kind, dtype=torch.float16, enabled=self._mixed)

    def step(self, loss: Tensor, optimiser: Optimizer, clipping: ClippingConfig) -> float:
        """Take one step of the optimiser; return the norm of the gradient, unclipped.

        Where float16 overflowed the norm is infinite or NaN, and the step is left out.
        """
        optimiser.zero_grad()
        torch.autograd.backward(self._scaler.scale(loss))
        self._scaler.unscale_(optimiser)
        parameters = (part for group in optimiser.param_groups for part in group["params"])
        norm = clipping.clip(parameters)
        self._scaler.step(optimiser)
        self._scaler.update()
        return norm

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps; empty where precision is not mixed."""
        return self._scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`."""
        if self._mixed:
            self._scaler.load_state_dict(state)
