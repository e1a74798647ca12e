"""Every family of nets by its tag, as a recipe names it: `family = "gru"`."""

from __future__ import annotations

from training.models.cnn import CnnConfig
from training.models.linear import DLinearConfig, NLinearConfig
from training.models.mlp import MlpConfig
from training.models.recurrent import GruConfig, LstmConfig, RnnConfig
from training.models.segrnn import SegRnnConfig
from training.models.streaming_gru import StreamingGruConfig
from training.models.streaming_lstm import StreamingLstmConfig
from training.models.tcn import TcnConfig

WindowedFamily = (
    NLinearConfig
    | DLinearConfig
    | MlpConfig
    | CnnConfig
    | TcnConfig
    | RnnConfig
    | GruConfig
    | LstmConfig
    | SegRnnConfig
)
StreamingFamily = StreamingGruConfig | StreamingLstmConfig
Family = WindowedFamily | StreamingFamily
