"""Small untrained models: the contract holds for any weights."""

from __future__ import annotations

import pytest
import torch
from msgspec.structs import replace

from training.models.forecaster import Forecaster, ForecasterConfig
from training.models.streaming_gru import StreamingGruConfig
from training.models.streaming_lstm import StreamingLstmConfig
from training.tasks.forecast import ForecastTask

# The models are small: threads that wait for each other cost more than they bring.
torch.set_num_threads(1)

SMALL = {"inputs": 6, "bands": 8, "width": 24, "summary": 16, "hidden": 8}
GRU = replace(StreamingGruConfig(), **SMALL)
LSTM = replace(StreamingLstmConfig(), **SMALL)
TASK = ForecastTask()
MODELS: dict[str, tuple[ForecasterConfig, ForecastTask]] = {
    "gru": (GRU, TASK),
    "gru, two layers": (replace(GRU, layers=2), TASK),
    "lstm": (LSTM, TASK),
    "lstm, two layers": (replace(LSTM, layers=2), TASK),
    "five levels": (GRU, ForecastTask(quantile_levels=(0.05, 0.25, 0.5, 0.9, 0.99))),
    "linear skip, calendar, no spectrum": (
        replace(GRU, skip="linear", calendar=("day", "week"), bands=0, dropout=0.1),
        ForecastTask(horizon=7),
    ),
    "mixture of the data's periods, by lead": (
        replace(GRU, periods=(24, 40), by_lead=True),
        ForecastTask(horizon=30),
    ),
    "seasonal skip alone for the median, scaled by two cycles": (
        replace(GRU, skip="seasonal", periods=(24,), correction=False, scaled_by=48),
        ForecastTask(horizon=30),
    ),
}


@pytest.fixture(params=list(MODELS.values()), ids=list(MODELS))
def model(request: pytest.FixtureRequest) -> Forecaster:
    """A forecaster whose weights are random, yet large enough to matter."""
    torch.manual_seed(3)
    forecaster = Forecaster(*request.param)
    with torch.no_grad():
        forecaster.head.weight *= 20
    return forecaster.eval()
