"""The streaming forecaster: window, running means and a recurrent cell become quantiles.

    window ─► normalise ─┬─► spectrum ─┐
                 │       ├─────────────┴─► two dense layers ─┐
                 │       ├─► inputs ─► recurrent cell ───────┴─► trust, correction, gaps
    state ─► running means ──────┘             ▲                        │
                 └─ state ─────────────────────┘         window skip ◄──┴──► quantiles

One set of weights runs in two ways: over whole sequences in training, and as one step in service.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple, final

import msgspec
import torch
from msgspec import Meta
from torch import Tensor, nn

from tidecast.bundle import Positive
from training.data.waves import Floats
from training.features import window as windows
from training.features.calendar import Calendar, Cycle
from training.features.window import Window, normalise, span, unfold
from training.graphs import Contract
from training.models import running
from training.models.cell import Cell
from training.models.model import Model
from training.models.skip import SkipKind, skip_of
from training.models.spectrum import Spectrum
from training.tasks.band import Band, to_units
from training.tasks.forecast import ForecastTask

Size = Annotated[int, Meta(ge=0)]

BOUND: Final = 8.0
"""Spikes beyond this many deviations are cut off before the nonlinear parts see them."""


class ForecasterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family"):
    """What all streaming families share. Sizes count slots, or units of a layer.

    scaled_by: how many of the newest slots give the window's centre and spread; all by default.
    inputs: numbers of the window that the cell sees in each slot. bands: filters of the spectrum,
    0 for none. width, summary: of the two dense layers. skip: see `skip.py`. periods: in slots, of
    a seasonal skip, which has one, or of a mixture. by_lead: whether a mixture chooses among its
    maps for each lead. calendar: cycles of which the model is told; a general model knows none.
    """

    context: Positive = 96
    scaled_by: Positive | None = None
    inputs: Positive = 24
    bands: Size = 48
    width: Positive = 256
    summary: Positive = 128
    dropout: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.0
    skip: SkipKind = "mixture"
    correction: bool = True
    periods: tuple[Positive, ...] = ()
    by_lead: bool = False
    calendar: tuple[Cycle, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError on a seasonal skip without its period, or a window without it."""
        if self.skip == "seasonal" and len(self.periods) != 1:
            raise ValueError("a seasonal skip needs one period in slots, such as periods = [24]")
        if self.skip == "seasonal" and self.context < self.periods[0]:
            raise ValueError(f"a seasonal skip needs a context of its period, {self.periods[0]}")

    def cell(self, inputs: int) -> Cell:
        """Build the family's cell for `inputs` features a slot."""
        raise NotImplementedError


class Output(NamedTuple):
    """Forecasts of a sequence without units, and the windows that give them units.

    quantiles: [B, N, horizon, levels]. centre, spread: [B, N] in the series' units.
    """

    quantiles: Tensor
    centre: Tensor
    spread: Tensor


@final
class Forecaster(Model):
    """A streaming forecaster of one channel."""

    def __init__(self, config: ForecasterConfig, task: ForecastTask) -> None:
        super().__init__()
        self.config = config
        self.task = task
        self.calendar = Calendar(config.calendar)
        facts = windows.FACTS + running.FACTS + self.calendar.size
        self.inputs = nn.Linear(config.context, config.inputs)
        self.cell = config.cell(config.inputs + facts)
        self.spectrum = Spectrum(config.context, config.bands) if config.bands else None
        self.dense = nn.Sequential(
            nn.Linear(config.context + config.bands + facts, config.width),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.width, config.summary),
            nn.ReLU(),
            nn.Dropout(config.dropout),
        )
        self.skip = skip_of(
            config.skip, config.context, task.horizon, config.periods, config.by_lead
        )
        self.band = Band(task.quantile_levels, task.horizon)
        gaps = task.horizon * (len(task.quantile_levels) - 1)
        corrected = (1, task.horizon) if config.correction else (0, 0)
        self.parts = [self.skip.logits, *corrected, gaps]
        self.head = nn.Linear(config.summary + self.cell.output_size, sum(self.parts))
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.state_size = self.cell.state_size + running.STATE_SIZE

    def sequence(self, values: Tensor, times: Tensor, origins: Tensor) -> Output:
        """Forecast at some slots of whole series, from a state of zeros.

        values: [B, T] in the series' units, NaN = missing. times: int64 [B, T] seconds since 1970
        of the slots. origins: int64 [N], slots of T, rising.
        """
        stop = int(origins[-1]) + 1
        values, times = values[:, :stop], times[:, :stop]
        with torch.no_grad():
            # One series at a time: its windows, all of them, fit into the processor's cache.
            views = [self._view(unfold(one, self.config.context)) for one in torch.split(values, 1)]
            view = Window(*map(torch.cat, zip(*views, strict=True)))
            facts = torch.cat((view.facts, running.sequence(view), self.calendar(times)), -1)
        shape = view.shape.clamp(-BOUND, BOUND)
        memory = self.cell.sequence(torch.cat((self.inputs(shape), facts), -1))
        flat = (part[:, origins].flatten(0, 1) for part in (view.shape, facts, memory))
        quantiles = self._quantiles(*flat)
        quantiles = quantiles.reshape(len(values), len(origins), *quantiles.shape[1:])
        return Output(quantiles, view.centre[:, origins, 0], view.spread[:, origins, 0])

    def forward(self, window: Tensor, origin: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step, by the contract in `tidecast.bundle`: → forecast, next_state."""
        view = self._view(window.squeeze(-1))
        held, means = torch.split(state, [self.cell.state_size, running.STATE_SIZE], -1)
        drift, means = running.step(view, means)
        facts = torch.cat((view.facts, drift, self.calendar(origin)), -1)
        shape = view.shape.clamp(-BOUND, BOUND)
        memory, held = self.cell.step(torch.cat((self.inputs(shape), facts), -1), held)
        forecast = to_units(self._quantiles(view.shape, facts, memory), view)
        return forecast, torch.cat((held, means), -1)

    @property
    def contract(self) -> Contract:
        """See Model."""
        task = self.task
        return Contract(
            context=self.config.context,
            channels=1,
            horizon=task.horizon,
            width=len(task.quantile_levels),
            classifies=False,
            state_size=self.state_size,
        )

    def unit(self, window: Floats) -> Floats:
        """See Model: a forecast near zero of a series that spans a thousand is not asked for more
        digits than the series has.
        """
        return span(window[..., 0])

    def _view(self, values: Tensor) -> Window:
        """values: [..., context] in the series' units."""
        return normalise(values, self.config.context, self.config.scaled_by)

    def _quantiles(self, shape: Tensor, facts: Tensor, memory: Tensor) -> Tensor:
        """shape: [N, context]. facts: [N, facts]. memory: [N, units]. → [N, horizon, levels]."""
        bounded = shape.clamp(-BOUND, BOUND)
        periods = () if self.spectrum is None else (self.spectrum(bounded),)
        seen = torch.cat((bounded, *periods, facts), -1)
        summary = torch.cat((self.dense(seen), memory), -1)
        trust, doubt, correction, gaps = torch.split(self.head(summary), self.parts, -1)
        median = self.skip(shape, trust)
        if self.config.correction:
            # Near-deterministic series need it off, which units alone do only roughly.
            median = median + doubt.sigmoid() * correction
        quantiles: Tensor = self.band(median, gaps)
        return quantiles
