"""Every windowed family in a small size, every task, and windows to run them on."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import torch
from torch import Tensor

from training.features.front import FeaturesConfig
from training.features.history import HistoryConfig, Rolling
from training.hostile import MAKERS, hostile_series
from training.models.assemble import Level, Statistics, windowed_model
from training.models.cnn import CnnConfig
from training.models.families import WindowedFamily
from training.models.linear import DLinearConfig, NLinearConfig
from training.models.mlp import MlpConfig
from training.models.recurrent import GruConfig, LstmConfig, RnnConfig
from training.models.segrnn import SegRnnConfig
from training.models.tcn import TcnConfig
from training.models.windowed import Windowed
from training.tasks.classification import ClassificationTask
from training.tasks.forecast import ForecastTask
from training.tasks.regression import RegressionTask
from training.tasks.task import Task

CONTEXT, HORIZON, HOUR, HOLIDAY = 24, 7, 3600, 20_000

FAMILIES: Final[dict[str, WindowedFamily]] = {
    "nlinear": NLinearConfig(CONTEXT),
    "dlinear": DLinearConfig(CONTEXT, smoothing=6),
    "mlp": MlpConfig(CONTEXT, layers=(32, 16)),
    "cnn": CnnConfig(CONTEXT, filters=(8, 16), kernel=3, units=16),
    "tcn": TcnConfig(CONTEXT, filters=8),
    "rnn": RnnConfig(CONTEXT, hidden=12),
    "gru": GruConfig(CONTEXT, hidden=12),
    "lstm": LstmConfig(CONTEXT, hidden=12),
    # Neither the context nor the horizon is a multiple of the segment.
    "segrnn": SegRnnConfig(CONTEXT, segment=5, hidden=16),
}
TASKS: Final[dict[str, Task]] = {
    "forecast": ForecastTask("load", HORIZON),
    "regression": RegressionTask("yield"),
    "classification": ClassificationTask("state", ("idle", "busy", "broken")),
}
PLAIN: Final = FeaturesConfig()
RICH: Final = FeaturesConfig(
    calendar=("day", "week"), history=HistoryConfig(lags=(3,), rolling=(Rolling(6, "most"),))
)
ONE: Final = Statistics(("load",), HOUR, Level((5.0,), (2.0,)))
"""Of a table with one channel, and nothing known ahead."""
TWO: Final = Statistics(
    ("wind", "load"),
    HOUR,
    values=Level((9.0, 5.0), (4.0, 2.0)),
    covariates=Level((1.0,), (3.0,)),
    label=Level((50.0,), (9.0,)),
    counts=(50, 30, 20),
)
"""Of a table with two channels and a covariate known ahead."""


class Inputs(NamedTuple):
    """What a graph takes. `future` may be left out."""

    window: Tensor
    origin: Tensor
    future: Tensor | None = None


def rich(family: WindowedFamily, task: Task, scaling: str = "window") -> Windowed:
    """A model that sees everything a model can see."""
    features = FeaturesConfig(
        "window" if scaling == "window" else "global", RICH.calendar, None, RICH.history
    )
    return shaken(windowed_model(family, features, task, TWO, [HOLIDAY]))


def plain(family: WindowedFamily, task: Task) -> Windowed:
    """A model of one channel that sees nothing but its window."""
    return shaken(windowed_model(family, PLAIN, task, ONE))


def shaken(model: Windowed) -> Windowed:
    """The model with weights of which none is zero, ready to answer."""
    random = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for part in model.parameters():
            part.copy_(torch.randn(part.shape, generator=random) / part.shape[-1] ** 0.5)
    return model.eval()


@cache
def hostile(rows: int, task: Task, seed: int = 1) -> Inputs:
    """Windows of every hostile kind, in two channels, at any time, with a hostile future."""
    values = torch.from_numpy(hostile_series(2 * rows, 3 * CONTEXT, seed)[1])
    # The kinds come in turn: reversed, so that the channels of a row are of two kinds.
    channels = torch.stack((values[:rows], values.flip(0)[:rows]), -1)
    ahead = HORIZON if isinstance(task, ForecastTask) else 1
    future = torch.from_numpy(hostile_series(rows, CONTEXT, seed + 1)[1])[:, :ahead]
    origin = torch.randint(0, 4_000_000_000, (rows,), generator=torch.manual_seed(seed))
    return Inputs(channels[:, CONTEXT : 2 * CONTEXT], origin, future[..., None])


ROWS: Final = 3 * len(MAKERS)
