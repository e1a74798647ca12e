"""Optimisers by name, the penalties on weights, and which weights they are for."""

from __future__ import annotations

from typing import Annotated

import msgspec
import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

Rate = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Decay = Annotated[float, Meta(ge=0.0, lt=1.0)]


class SgdConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sgd"
):
    """Stochastic gradient descent (Robbins & Monro, 1951), with Nesterov's momentum.

    momentum: the part of the last step that is taken again (Sutskever et al., 2013).
    """

    learning_rate: Rate = 1e-2
    momentum: Decay = 0.9

    def optimiser(self, model: nn.Module) -> Optimizer:
        """Build it for all parameters of `model`."""
        parameters = model.parameters()
        return SGD(parameters, self.learning_rate, self.momentum, nesterov=self.momentum > 0)


class AdamConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="adam"
):
    """Steps scaled by running moments of the gradient (Kingma & Ba, 2015).

    betas: how much of the first and of the second moment is kept from step to step.
    """

    learning_rate: Rate = 1e-3
    betas: tuple[Decay, Decay] = (0.9, 0.999)

    def optimiser(self, model: nn.Module) -> Optimizer:
        """Build it for all parameters of `model`."""
        return Adam(model.parameters(), self.learning_rate, self.betas)


class AdamWConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="adamw"
):
    """Adam with weight decay beside the gradient, not in it (Loshchilov & Hutter, 2019).

    weight_decay: a step shrinks weights by this part of the learning rate.
    """

    learning_rate: Rate = 1e-3
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    weight_decay: NotNegative = 1e-2

    def optimiser(self, model: nn.Module) -> Optimizer:
        """Build it for all parameters of `model`; biases are not decayed."""
        weights = weights_of(model)
        chosen = {id(weight) for weight in weights}
        others = [part for part in model.parameters() if id(part) not in chosen]
        groups = [
            {"params": weights, "weight_decay": self.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return AdamW(groups, self.learning_rate, self.betas)


OptimiserConfig = SgdConfig | AdamConfig | AdamWConfig


class PenaltyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the loss pays for large weights: `l1` · Σ|w| (Tibshirani, 1996) + `l2` / 2 · Σw².

    The half makes `l2` what other libraries call the weight decay of SGD and Adam (Hoerl &
    Kennard, 1970, by gradient).
    """

    l1: NotNegative = 0.0
    l2: NotNegative = 0.0

    def penalty(self, model: nn.Module) -> Tensor:
        """Return it for the weights of `model`, a scalar."""
        if not self.l1 and not self.l2:
            return torch.zeros(())
        weights = torch.cat([weight.flatten() for weight in weights_of(model)])
        return self.l1 * weights.abs().sum() + self.l2 / 2 * weights.square().sum()


def weights_of(model: nn.Module) -> list[nn.Parameter]:
    """Return what is decayed and penalised: matrices and filters, not biases.

    A bias is a level that the data have; pulling it to zero makes no model simpler.
    """
    return [part for part in model.parameters() if part.dim() > 1]
