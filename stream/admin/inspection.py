"""What is stored of a stream beside what its log holds, and whether a worker could go on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from stream.event_log import Bounds, EventLog
from stream.state.checkpoint import Head, Store, Terms, TopicPartition

REBUILD: Final = "tidecast state rebuild"
ACCEPT_LOSS: Final = f"{REBUILD} --accept-loss"
MOVE_EPOCH: Final = "tidecast state move-epoch"


class Verdict(StrEnum):
    """What a worker that takes the partition over would find."""

    FINE = "fine"
    NOTHING = "nothing stored"
    OTHER_LAYOUT = "another layout"
    OTHER_MODEL = "another model"
    RETENTION = "retention passed events"
    ROWS_BEHIND = "rows behind the log"
    LOG_ANEW = "log created anew"
    PARTITIONS = "partitions changed"
    GONE = "no such partition"
    EPOCH = "another epoch"
    FORGOTTEN = "group forgotten"


class Judgement(NamedTuple):
    """A verdict in words, and the command that resolves it; None where a worker needs none."""

    verdict: Verdict
    detail: str
    command: str | None = None


class PartitionState(NamedTuple):
    """A partition in store and log. bounds: None where the topic has no such partition."""

    place: TopicPartition
    head: Head | None
    bounds: Bounds | None

    @property
    def answered(self) -> int | None:
        """The offset before which every event was answered, as far as anybody knows."""
        cursor = self.head.cursor if self.head else None
        committed = self.bounds.committed if self.bounds else None
        return max((one for one in (cursor, committed) if one is not None), default=None)

    @property
    def lag(self) -> int:
        """Events of the log that wait for an answer."""
        if self.bounds is None:
            return 0
        start, end, _ = self.bounds
        return max(0, end - max(start, self.answered or 0))


async def look(store: Store, log: EventLog, topic: str) -> list[PartitionState]:
    """Every partition of the topic, and those it had when the state was written. Reads only."""
    held = known = await log.partitions(topic)
    states: list[PartitionState] = []
    number = 0
    while number < known:
        place = TopicPartition(topic, number)
        head = await store.head(place)
        known = max(known, head.partitions if head else 0)
        bounds = await log.bounds(place) if number < held else None
        if head or bounds:
            states.append(PartitionState(place, head, bounds))
        number += 1
    return states


def judge(state: PartitionState, terms: Terms, *, forgotten: bool = False) -> Judgement:
    """Whether a worker of these terms could go on, and what to do when it could not.

    Stricter than the worker where a changed layout hides from it that the log has changed too.
    forgotten: Kafka does not know the group, so that its generations begin again.
    """
    if state.bounds is None:
        return Judgement(Verdict.GONE, f"the topic has {terms.partitions} partitions", REBUILD)
    return (
        _judge_partitions(state.head, terms)
        or _judge_log(state, state.bounds, terms)
        or _judge_owner(state.head, terms, forgotten=forgotten)
        or _judge_rows(state.head, terms)
    )


def epoch_was_raised(head: Head | None, epoch: int) -> bool:
    """Whether forecast ids of this epoch are new ones, for offsets that were answered before.

    Where nothing is stored, the epoch before is taken for the first one.
    """
    return epoch > (head.epoch if head else 0)


def _judge_partitions(head: Head | None, terms: Terms) -> Judgement | None:
    if head is None or head.partitions == terms.partitions:
        return None
    detail = f"{head.partitions} when the state was written, {terms.partitions} now"
    return Judgement(Verdict.PARTITIONS, detail, REBUILD)


def _judge_log(state: PartitionState, bounds: Bounds, terms: Terms) -> Judgement | None:
    answered, head = state.answered, state.head
    if answered is None:
        return None
    if answered > bounds.end:
        raised = epoch_was_raised(head, terms.epoch)
        return Judgement(
            Verdict.LOG_ANEW,
            f"it ends at {bounds.end}, {answered} was reached before",
            REBUILD if raised else f"raise stream.epoch, then {REBUILD}",
        )
    if answered < bounds.start:
        detail = f"{bounds.start - answered} events were never read"
        return Judgement(Verdict.RETENTION, detail, ACCEPT_LOSS)
    cursor = head.cursor if head and head.layout == terms.layout else None
    if cursor is not None and cursor < bounds.start:
        detail = f"rows end at {cursor}, the log begins at {bounds.start}; no event is lost"
        return Judgement(Verdict.ROWS_BEHIND, detail, REBUILD)
    return None


def _judge_owner(head: Head | None, terms: Terms, *, forgotten: bool) -> Judgement | None:
    if head is None:
        return None
    if head.epoch != terms.epoch:
        detail = f"stored under {head.epoch}, stream.epoch is {terms.epoch}"
        return Judgement(Verdict.EPOCH, detail, MOVE_EPOCH)
    if forgotten and head.generation > 1:
        detail = f"Kafka will count generations anew, the owner's is {head.generation}"
        return Judgement(Verdict.FORGOTTEN, detail, MOVE_EPOCH)
    return None


def _judge_rows(head: Head | None, terms: Terms) -> Judgement:
    if head is None or head.cursor is None:
        return Judgement(Verdict.NOTHING, "a worker makes it from the log")
    if head.layout != terms.layout:
        return Judgement(Verdict.OTHER_LAYOUT, "a worker makes the rows anew from the log")
    if head.model != terms.model:
        return Judgement(Verdict.OTHER_MODEL, "a worker makes the states anew from the windows")
    return Judgement(Verdict.FINE, "")
