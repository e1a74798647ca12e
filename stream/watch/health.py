"""Whether a worker is alive and ready, and why not: judged from facts, without I/O or a clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from stream.state.checkpoint import TopicPartition

UNWATCHED_S: Final = 60.0
"""A worker that has not looked at itself for this long is not alive: its watch looks every few
seconds, and gives up a look that takes longer."""


class Rebuild(NamedTuple):
    """How far a partition's recovery has come: series at hand, and events replayed of how many."""

    series: int = 0
    done: int = 0
    total: int = 0


class Held(NamedTuple):
    """A partition in the hands of this worker: see `partition.Partition`."""

    series: int
    cursor: int
    saved: int


class AssignmentState(NamedTuple):
    """What an assignment says of itself.

    store_down_s: for how long Redis has been away, 0 while it answers. outage_s: for how long
    forecasts may go on without it.
    """

    held: Mapping[TopicPartition, Held]
    claiming: Mapping[TopicPartition, Rebuild]
    store_down_s: float
    outage_s: float

    @property
    def holding(self) -> bool:
        """Whether forecasts, or a claim, wait for Redis."""
        down = self.store_down_s > 0
        return down and (self.store_down_s > self.outage_s or bool(self.claiming))


class Membership(NamedTuple):
    """Our part in the consumer group. Joined: the group has had a generation with us in it."""

    joined: bool
    assigned: frozenset[TopicPartition]


class Offsets(NamedTuple):
    """Where Kafka stands: the offset after the last event, and the group's commit."""

    end: int
    committed: int | None


class Facts(NamedTuple):
    """All that is known of a worker.

    kafka: as it answered last. kafka_silent_s: since when it has not answered, 0 while it does.
    unwatched_s: how long ago the worker looked at itself.
    """

    state: AssignmentState
    membership: Membership
    kafka: Mapping[TopicPartition, Offsets]
    kafka_silent_s: float
    unwatched_s: float
    stopping: bool


class PartitionHealth(NamedTuple):
    """The figures of one assigned partition; None for what is not known yet."""

    series: int | None
    cursor: int | None
    saved: int | None
    committed: int | None
    lag: int | None


class Health(NamedTuple):
    """The verdict. Ready: forecasts are being made of all that is assigned, and checkpointed."""

    live: bool
    reasons: list[str]
    partitions: dict[str, PartitionHealth]

    @property
    def ready(self) -> bool:
        """Whether there is no reason not to be."""
        return self.live and not self.reasons


def judge(facts: Facts) -> Health:
    """The verdict on these facts."""
    partitions = {str(place): _figures(place, facts) for place in sorted(_places(facts))}
    return Health(facts.unwatched_s < UNWATCHED_S, list(_reasons(facts)), partitions)


def lag_of(place: TopicPartition, facts: Facts) -> int | None:
    """Events that wait: from our cursor, or else the commit, to the end; None when not known.

    May count offsets without an event: what a transaction or retention has left.
    """
    offsets = facts.kafka.get(place)
    if offsets is None:
        return None
    held = facts.state.held.get(place)
    reached = offsets.committed or 0 if held is None else held.cursor
    return max(offsets.end - reached, 0)


def _places(facts: Facts) -> set[TopicPartition]:
    return {*facts.membership.assigned, *facts.state.held, *facts.state.claiming}


def _figures(place: TopicPartition, facts: Facts) -> PartitionHealth:
    held, offsets = facts.state.held.get(place), facts.kafka.get(place)
    return PartitionHealth(
        series=held.series if held else None,
        cursor=held.cursor if held else None,
        saved=held.saved if held else None,
        committed=offsets.committed if offsets else None,
        lag=lag_of(place, facts),
    )


def _reasons(facts: Facts) -> Iterator[str]:
    state, membership = facts.state, facts.membership
    if facts.unwatched_s >= UNWATCHED_S:
        yield f"the worker has not looked at itself for {facts.unwatched_s:.0f} s"
    if facts.stopping:
        yield "stopping"
    if facts.kafka_silent_s > 0:
        yield f"waiting for Kafka for {facts.kafka_silent_s:.0f} s"
    if not membership.joined:
        yield "no partition assigned yet: joining the group"
    if state.store_down_s > 0:
        yield _outage(state)
    for place, rebuild in sorted(state.claiming.items()):
        yield _recovery(place, rebuild)
    for place in sorted(membership.assigned - {*state.held, *state.claiming}):
        # Nothing waits, nothing is held up: a worker of a stream without events is ready.
        if lag_of(place, facts) != 0:
            yield f"{place} is assigned and not claimed yet"


def _outage(state: AssignmentState) -> str:
    down = f"Redis down for {state.store_down_s:.0f} s"
    if state.holding:
        return f"{down}: holding"
    left_s = state.outage_s - state.store_down_s
    return f"{down}, forecasts go on from memory for {left_s:.0f} s more"


def _recovery(place: TopicPartition, rebuild: Rebuild) -> str:
    if not rebuild.total:
        return f"loading {place}: {rebuild.series} series so far"
    return f"rebuilding {place}: {100 * rebuild.done // rebuild.total} %"
