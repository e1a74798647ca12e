"""Small untrained models: the contract holds for any weights."""

from __future__ import annotations

import pytest
import torch
from msgspec.structs import replace

from training.models.forecaster import Forecaster, ForecasterConfig
from training.models.streaming_gru import StreamingGruConfig
from training.models.streaming_lstm import StreamingLstmConfig

# The models are small: threads that wait for each other cost more than they bring.
torch.set_num_threads(1)

SMALL = {"inputs": 6, "bands": 8, "width": 24, "summary": 16, "hidden": 8}
GRU = replace(StreamingGruConfig(), **SMALL)
LSTM = replace(StreamingLstmConfig(), **SMALL)
CONFIGS: dict[str, ForecasterConfig] = {
    "gru": GRU,
    "gru, two layers": replace(GRU, layers=2),
    "lstm": LSTM,
    "lstm, two layers": replace(LSTM, layers=2),
    "five levels": replace(GRU, quantile_levels=(0.05, 0.25, 0.5, 0.9, 0.99)),
}


@pytest.fixture(params=list(CONFIGS.values()), ids=list(CONFIGS))
def model(request: pytest.FixtureRequest) -> Forecaster:
    """A forecaster whose weights are random, yet large enough to matter."""
    torch.manual_seed(3)
    forecaster = Forecaster(request.param)
    with torch.no_grad():
        forecaster.head.weight *= 20
    return forecaster.eval()
