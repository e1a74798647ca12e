from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from msgspec.structs import replace

from training.data.augment import (
    AnyAugmentation,
    Jitter,
    Mixing,
    Scaling,
    Slicing,
    TimeWarp,
    augment,
    resampled,
)
from training.data.waves import Floats

KINDS: tuple[AnyAugmentation, ...] = (Jitter(), Scaling(), TimeWarp(), Slicing(), Mixing())
KEEPING = tuple(kind for kind in KINDS if kind.keeps_pattern)
NAN = float("nan")

batches = arrays(
    np.float32,
    array_shapes(min_dims=3, max_dims=3, max_side=12),
    elements=st.just(NAN) | st.floats(-1e6, 1e6, width=32),
)
few = settings(max_examples=40, deadline=None)
every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@every
@few
@given(values=batches, seed=st.integers(0, 9))
def test_shape_and_type_stay_nothing_becomes_infinite_and_a_seed_repeats(
    kind: AnyAugmentation, values: Floats, seed: int
) -> None:
    batch = torch.from_numpy(values)
    changed = replace(kind, probability=0.7).apply(batch, seeded(seed))
    assert (changed.shape, changed.dtype) == (batch.shape, batch.dtype)
    assert not changed.isinf().any()
    again = replace(kind, probability=0.7).apply(batch, seeded(seed))
    torch.testing.assert_close(changed, again, rtol=0, atol=0, equal_nan=True)


@every
@few
@given(values=batches)
def test_with_probability_nought_nothing_changes(kind: AnyAugmentation, values: Floats) -> None:
    batch = torch.from_numpy(values)
    assert replace(kind, probability=0.0).apply(batch, seeded()) is batch


@every
def test_with_half_the_probability_some_series_stay_and_some_change(kind: AnyAugmentation) -> None:
    batch = torch.randn(200, 30, 2, generator=seeded())
    same = (kind.apply(batch, seeded(2)) == batch).flatten(1).all(1)
    assert 60 < same.sum() < 140


@pytest.mark.parametrize("kind", KEEPING, ids=lambda kind: type(kind).__name__)
@few
@given(values=batches)
def test_what_is_missing_stays_missing_and_nothing_else_is(
    kind: AnyAugmentation, values: Floats
) -> None:
    batch = torch.from_numpy(values)
    changed = replace(kind, probability=1.0).apply(batch, seeded())
    assert torch.equal(changed.isnan(), batch.isnan())


@pytest.mark.parametrize("kind", [TimeWarp(1.0), Slicing(1.0)])
@few
@given(values=batches)
def test_bent_time_draws_out_gaps_and_makes_no_value_up(
    kind: TimeWarp | Slicing, values: Floats
) -> None:
    batch = torch.from_numpy(values)
    changed = kind.apply(batch, seeded())
    for before, after in zip(batch.unbind(2), changed.unbind(2), strict=True):
        for old, new in zip(before, after, strict=True):
            known, found = old[~old.isnan()], new[~new.isnan()]
            assert not len(found) or len(known)
            if len(found):
                room = 1e-5 * known.abs().max()
                assert known.min() - room <= found.min()
                assert found.max() <= known.max() + room


def test_time_is_bent_but_keeps_its_order_and_its_ends() -> None:
    time = torch.arange(50.0)[None, :, None].repeat(20, 1, 1)
    warped = TimeWarp(1.0, strength=0.5).apply(time, seeded())
    assert (warped.diff(dim=1) > 0).all()
    assert (warped[:, 0] == 0).all()
    torch.testing.assert_close(warped[:, -1], time[:, -1])
    assert (warped - time).abs().max() > 1
    sliced = Slicing(1.0, share=0.5).apply(time, seeded())
    torch.testing.assert_close(sliced[:, -1] - sliced[:, 0], torch.full((20, 1), 24.5))


def test_noise_is_in_the_units_of_each_channel() -> None:
    batch = torch.randn(50, 400, 2, generator=seeded()) * torch.tensor([1.0, 1000.0])
    noise = Jitter(1.0, strength=0.1).apply(batch, seeded(2)) - batch
    torch.testing.assert_close(noise.std((0, 1)), torch.tensor([0.1, 100.0]), rtol=0.05, atol=0)
    scaled = Scaling(1.0, strength=0.2).apply(batch, seeded(2))
    torch.testing.assert_close(scaled.mean(1), batch.mean(1), rtol=1e-3, atol=1e-3)


def test_a_mixture_keeps_level_and_is_nearer_to_its_own_series() -> None:
    batch = torch.randn(40, 100, 1, generator=seeded()) + 1000 * torch.arange(40.0)[:, None, None]
    mixed = Mixing(1.0, most=0.5).apply(batch, seeded())
    torch.testing.assert_close(mixed.mean(1), batch.mean(1), rtol=1e-3, atol=1e-2)
    together = torch.nn.functional.cosine_similarity(
        mixed - mixed.mean(1, keepdim=True), batch - batch.mean(1, keepdim=True), dim=1
    )
    assert (together > 0.5).all()
    assert (together < 0.999).float().mean() > 0.8


def test_resampling_at_the_slots_is_the_batch_itself() -> None:
    batch = torch.tensor([[[1.0], [NAN], [3.0]]])
    same = resampled(batch, torch.arange(3.0)[None])
    torch.testing.assert_close(same, batch, equal_nan=True)
    between = resampled(batch, torch.tensor([[0.0, 0.5, 2.0]]))
    torch.testing.assert_close(between, torch.tensor([[[1.0], [NAN], [3.0]]]), equal_nan=True)


def test_several_are_applied_one_after_another() -> None:
    batch = torch.randn(4, 20, 2, generator=seeded())
    generator = seeded(3)
    expected = Scaling(1.0).apply(Jitter(1.0).apply(batch, generator), generator)
    torch.testing.assert_close(augment((Jitter(1.0), Scaling(1.0)), batch, seeded(3)), expected)
