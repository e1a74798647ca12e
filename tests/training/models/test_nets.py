"""What single families promise, against the plain formulas."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.training.models.small import FAMILIES, TASKS, hostile, rich
from training.features.front import Shape
from training.models.cnn import CnnConfig
from training.models.families import Family, WindowedFamily
from training.models.linear import TrendAndRest
from training.models.recurrent import GruConfig, LstmConfig, RnnConfig
from training.models.streaming_gru import StreamingGruConfig
from training.models.streaming_lstm import StreamingLstmConfig
from training.models.tcn import Block, Tcn, TcnConfig


@pytest.mark.parametrize("context", [1, 2, 17, 64, 96])
@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_dropped_slots_change_nothing_of_a_dilated_net(context: int, kernel: int) -> None:
    config = TcnConfig(context, filters=4, kernel=kernel)
    shape = Shape(context, 3, 0, 1, 0, 1, 0)
    net = Tcn(config, shape, 1).double()
    slots = torch.randn(5, 3, context, dtype=torch.float64)
    with torch.no_grad():
        found = net.blocks(slots)[..., -1]
        hidden = slots
        for depth, block in enumerate(net.blocks):
            assert isinstance(block, Block)
            inside = hidden
            for layer in (block.first, block.second):
                padded = functional.pad(inside, ((kernel - 1) * 2**depth, 0))
                inside = functional.conv1d(
                    padded, layer.weight, layer.bias, dilation=2**depth
                ).relu()
            hidden = (inside + block.around(hidden)).relu()
    torch.testing.assert_close(found, hidden[..., -1])


def test_the_blocks_see_the_whole_context_and_no_more_of_them_are_made() -> None:
    for context in (1, 5, 6, 13, 14, 96, 720):
        blocks = TcnConfig(context, kernel=3).blocks
        assert 1 + 4 * (2**blocks - 1) >= context
        assert blocks == 1 or 1 + 4 * (2 ** (blocks - 1) - 1) < context


@pytest.mark.parametrize("smoothing", [1, 4, 25, 200])
def test_a_trend_is_a_moving_average_and_the_rest_is_what_it_leaves(smoothing: int) -> None:
    values = np.random.default_rng(1).normal(size=(3, 30, 2))
    split = TrendAndRest(Shape(30, 2, 0, 1, 0, 2, 0), smoothing)(torch.from_numpy(values))
    trend, rest = split.reshape(3, 2, 2, 30).transpose(0, 1)
    before = (smoothing - 1) // 2
    padded = np.pad(values, ((0, 0), (before, smoothing - 1 - before), (0, 0)), "edge")
    expected = np.lib.stride_tricks.sliding_window_view(padded, smoothing, 1).mean(-1)
    np.testing.assert_allclose(trend.numpy(), expected.transpose(0, 2, 1), atol=1e-12)
    np.testing.assert_allclose((trend + rest).numpy(), values.transpose(0, 2, 1), atol=1e-12)


def test_pooling_that_leaves_nothing_is_refused() -> None:
    assert CnnConfig(16, filters=(4,) * 4).pooled == 1
    with pytest.raises(ValueError, match="longer context"):
        CnnConfig(15, filters=(4,) * 4)


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("rnn", RnnConfig),
        ("gru", GruConfig),
        ("lstm", LstmConfig),
        ("streaming-gru", StreamingGruConfig),
        ("streaming-lstm", StreamingLstmConfig),
    ],
)
def test_a_recipe_names_a_family_by_its_tag(tag: str, kind: type[Family]) -> None:
    family = msgspec.convert({"family": tag, "hidden": 7}, Family)
    assert isinstance(family, kind)
    assert msgspec.to_builtins(family)["hidden"] == 7


@pytest.mark.parametrize("kind", [RnnConfig, GruConfig, LstmConfig])
def test_recurrent_nets_are_the_textbook_s_unless_told_otherwise(
    kind: type[RnnConfig | GruConfig | LstmConfig],
) -> None:
    assert (kind().layers, kind().hidden) == (2, 50)


def test_every_family_has_a_name_of_its_own_and_reads_it_back() -> None:
    for name, family in FAMILIES.items():
        encoded = msgspec.json.encode(family)
        assert msgspec.json.decode(encoded, type=dict)["family"] == name
        assert msgspec.json.decode(encoded, type=Family) == family


@pytest.mark.parametrize("name", ["mlp", "cnn", "tcn", "rnn", "gru", "lstm", "segrnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_is_for_fitting_alone(name: str, layers: int) -> None:
    task = TASKS["forecast"]
    family: WindowedFamily = msgspec.structs.replace(FAMILIES[name], dropout=0.5)
    if isinstance(family, RnnConfig | GruConfig | LstmConfig):
        family = msgspec.structs.replace(family, layers=layers)
    model = rich(family, task)
    inputs = hostile(14, task)
    with torch.no_grad():
        assert torch.equal(model(*inputs), model(*inputs))
        model.train()
        assert not torch.equal(model(*inputs), model(*inputs))
