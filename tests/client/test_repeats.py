"""No repeat gets through, and nothing is taken for a repeat that is none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidecast.messages import NO_OFFSET, ForecastIds, Source
from tidecast.repeats import ForecastIdentity, SeenForecasts


def identity(
    offset: int, *, partition: int = 0, model: str = "m", epoch: int = 0
) -> ForecastIdentity:
    forecast_id = ForecastIds(epoch, "events", partition, model).of(offset)
    return ForecastIdentity(forecast_id, model, "1", Source(partition, offset))


@st.composite
def logs(draw: st.DrawFn) -> list[ForecastIdentity]:
    """What workers write that are killed, replaced while paused, and woken again.

    Each worker starts where a checkpoint was, at or below what is answered so far, and writes on
    from there; any two of them may interleave.
    """
    log: list[ForecastIdentity] = []
    workers: list[int] = [0]
    answered = 0
    for _ in range(draw(st.integers(1, 60))):
        if draw(st.integers(0, 4)) == 0:
            workers.append(draw(st.integers(max(0, answered - 10), answered)))
        which = draw(st.integers(0, len(workers) - 1))
        count = draw(st.integers(1, 6))
        log += [identity(offset) for offset in range(workers[which], workers[which] + count)]
        workers[which] += count
        answered = max(answered, workers[which])
    return log


@given(logs())
def test_a_reader_sees_each_forecast_once_whatever_the_workers_do(
    log: list[ForecastIdentity],
) -> None:
    seen = SeenForecasts(remembered=1000)
    delivered = [one.forecast_id for one in log if seen.is_new(one)]
    assert len(delivered) == len(set(delivered))
    assert set(delivered) == {one.forecast_id for one in log}


@given(logs(), st.integers(1, 12))
def test_with_too_short_a_memory_repeats_may_come_but_nothing_is_lost(
    log: list[ForecastIdentity], remembered: int
) -> None:
    seen = SeenForecasts(remembered)
    delivered = {one.forecast_id for one in log if seen.is_new(one)}
    assert delivered == {one.forecast_id for one in log}


def test_the_bound_is_the_number_of_newer_offsets() -> None:
    for newer, recognised in ((7, True), (8, False)):
        seen = SeenForecasts(remembered=8)
        for offset in range(newer + 1):
            assert seen.is_new(identity(offset))
        assert seen.is_new(identity(0)) is not recognised


def test_partitions_models_and_epochs_do_not_hide_each_other() -> None:
    seen = SeenForecasts()
    answers = [
        identity(5),
        identity(5, partition=1),
        identity(5, model="shadow"),
        identity(5, epoch=1),
    ]
    assert all(seen.is_new(answer) for answer in answers)
    assert not any(seen.is_new(answer) for answer in answers[1:])


def stale(slot: int, series_id: str = "a", *, partition: int = 0) -> ForecastIdentity:
    forecast_id = ForecastIds(0, "events", partition, "m").of_stale(series_id, slot)
    return ForecastIdentity(forecast_id, "m", "1", Source(partition, NO_OFFSET))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.sampled_from("ab"))))
def test_stale_forecasts_and_answers_do_not_disturb_each_other(
    sent: list[tuple[bool, int, str]],
) -> None:
    log = [stale(number, name) if quiet else identity(number) for quiet, number, name in sent]
    seen = SeenForecasts(remembered=10, remembered_stale=20)
    delivered = [one.forecast_id for one in log if seen.is_new(one)]
    assert len(delivered) == len(set(delivered))
    assert set(delivered) == {one.forecast_id for one in log}


def test_the_bound_of_stale_forecasts_is_the_number_of_newer_ones() -> None:
    for newer, recognised in ((7, True), (8, False)):
        seen = SeenForecasts(remembered=1, remembered_stale=8)
        for slot in range(newer + 1):
            assert seen.is_new(stale(slot))
        assert seen.is_new(stale(0)) is not recognised


def test_series_slots_and_partitions_of_stale_forecasts_do_not_hide_each_other() -> None:
    seen = SeenForecasts()
    answers = [stale(1), stale(-1), stale(1, "b"), stale(1, partition=1)]
    assert all(seen.is_new(answer) for answer in answers)
    assert not any(seen.is_new(answer) for answer in answers)
