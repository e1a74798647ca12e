"""The levels of a finished graph, moved apart or together around the median."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from stream.grid import AnyArray, FloatArray
from tests.training.bundles import bundle_of, served
from tests.training.classic.toy import CONTEXT, HORIZON, HOUR
from tests.training.ensemble.test_ensemble import forecasters
from tidecast.bundle import Bundle, Channel
from training.ensemble.build import ensemble
from training.ensemble.part import Part
from training.ensemble.stretch import stretched
from training.graphs import Contract, run_graph, sealed
from training.hostile import MAKERS, hostile_series
from training.tasks.forecast import BEYOND

Case = tuple[tuple[float, ...], list[float]]

CASES: Final[dict[str, Case]] = {
    "three": ((0.1, 0.5, 0.9), [0.7, 1.3]),
    "five": ((0.05, 0.25, 0.5, 0.75, 0.95), [5.0, 0.2, 1.0, 2.5]),
    "most below": ((0.1, 0.2, 0.4, 0.5, 0.9), [0.3, 1.0, 4.0, 0.9]),
    "none below": ((0.5, 0.8, 0.99), [0.2, 5.0]),
}
"""Levels, and factors of the gaps between them."""


def echo(levels: tuple[float, ...], horizon: int) -> Bundle:
    """A graph that answers its window as it is, [horizon, levels], and a state that follows."""
    part = Part()
    part.add("Identity", ["window"], ["forecast"])
    axes = part.constant("axes", [1, 2])
    part.add("ReduceMax", ["forecast", axes], ["largest"], keepdims=0)
    part.add("Unsqueeze", ["largest", part.constant("last", [1])], ["one"])
    part.add("Add", ["state", "one"], ["next_state"])
    width = len(levels)
    contract = Contract(horizon, width, horizon, width, classifies=False, state_size=1)
    graph = sealed(part.graph(), contract).SerializeToString()
    channels = tuple(Channel(f"level {level}") for level in levels)
    names = {"channels": channels, "target": channels[0].name}
    return bundle_of(graph, horizon, horizon, 1, quantile_levels=levels, **names)


def answered(graph: bytes, answers: FloatArray) -> dict[str, AnyArray]:
    """What such a graph makes of the answers [B, horizon, levels]."""
    state = np.zeros((len(answers), 1), np.float32)
    return run_graph(graph, {"window": answers, "origin": np.arange(len(answers)), "state": state})


def by_hand(answers: FloatArray, levels: tuple[float, ...], factors: list[float]) -> FloatArray:
    """The definition, in float32."""
    found, middle = answers.copy(), levels.index(0.5)
    with np.errstate(over="ignore"):
        for place in range(middle + 1, len(levels)):
            gap = answers[..., place] - answers[..., place - 1]
            found[..., place] = found[..., place - 1] + np.float32(factors[place - 1]) * gap
        for place in range(middle - 1, -1, -1):
            gap = answers[..., place + 1] - answers[..., place]
            found[..., place] = found[..., place + 1] - np.float32(factors[place]) * gap
    return np.clip(found, np.float32(-BEYOND), np.float32(BEYOND))


def rising(count: int, horizon: int, levels: int, seed: int = 3) -> FloatArray:
    """Answers [count, horizon, levels] of every size from 1e-44 to 1e38, some levels the same."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-44, 38, (count, horizon, levels))
    # Half of the rows far from zero, with gaps about as fine as float32 is there.
    centre = rng.choice([0, 0, 0, -1e8, 1e6, 3e37], (count, 1, 1))
    far = centre * (1 + 1e-7 * rng.integers(0, 5, size.shape))
    found = np.where(centre == 0, size * rng.choice([-1, 1, 1], size.shape), far)
    found[::5] = found[::5, :, :1]
    return np.sort(found.clip(-BEYOND, BEYOND), -1).astype(np.float32)


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_definition_and_no_level_crosses(case: str) -> None:
    levels, factors = CASES[case]
    plain = echo(levels, HORIZON)
    answers = rising(500, HORIZON, len(levels))
    assert (np.diff(answers) == 0).any()
    found = answered(stretched(plain, factors), answers)
    np.testing.assert_array_equal(found["forecast"], by_hand(answers, levels, factors))
    middle = levels.index(0.5)
    np.testing.assert_array_equal(found["forecast"][..., middle], answers[..., middle])
    assert np.isfinite(found["forecast"]).all()
    assert (np.diff(found["forecast"], axis=-1) >= 0).all()


def test_who_else_reads_the_answer_reads_it_as_it_was() -> None:
    levels, factors = CASES["five"]
    plain, answers = echo(levels, HORIZON), rising(20, HORIZON, 5)
    found = answered(stretched(plain, factors), answers)
    assert (found["forecast"] != answers).any()
    np.testing.assert_array_equal(found["next_state"][:, 0], answers.max((1, 2)))


def test_factors_of_one_leave_the_graph_alone() -> None:
    plain = echo((0.1, 0.5, 0.9), HORIZON)
    assert stretched(plain, [1.0, 1.0]) is plain.graph
    assert stretched(plain, [1.0, 1.1]) != plain.graph


def test_no_answer_depends_on_its_batch() -> None:
    levels, factors = CASES["five"]
    graph, answers = stretched(echo(levels, HORIZON), factors), rising(61, HORIZON, 5)
    whole = answered(graph, answers)["forecast"]
    for size in (1, 7):
        parts = np.array_split(answers, -(-len(answers) // size))
        apart = np.concatenate([answered(graph, part)["forecast"] for part in parts])
        assert apart.tobytes() == whole.tobytes()


@pytest.mark.parametrize("kind", MAKERS)
def test_an_ensemble_on_hostile_series_keeps_its_levels_in_order(kind: str) -> None:
    joined = ensemble(forecasters(4), "mean")
    plain = bundle_of(joined.graph, CONTEXT, HORIZON, joined.state_size)
    wide = bundle_of(stretched(plain, [5.0, 0.2]), CONTEXT, HORIZON, joined.state_size)
    kinds, series = hostile_series(len(MAKERS), 300, seed=7)
    values = series[kinds.index(kind)]
    before, found = (served(one, values, first_s=0, step_s=HOUR) for one in (plain, wide))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=-1) >= 0).all()
    np.testing.assert_array_equal(found[..., 1], before[..., 1])
