"""What an operator may change of the stored state, as writes that are not done yet. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from stream.admin.inspection import (
    ACCEPT_LOSS,
    REBUILD,
    PartitionState,
    Verdict,
    epoch_was_raised,
    judge,
)
from stream.event_log import Bounds
from stream.state.checkpoint import NOBODY, Head, Terms, TopicPartition, Write, head_of
from tidecast.errors import EpochError, LogMismatchError


class Change(NamedTuple):
    """A write to one partition, and a commit that goes before it.

    found: the head that the write replaces, and no other. commit: None leaves it as it is.
    says: the change in words.
    """

    place: TopicPartition
    found: Head | None
    write: Write
    commit: int | None
    says: str


def rebuilt(state: PartitionState, terms: Terms, *, accept_loss: bool) -> Change:
    """Drop head and rows, so that the next worker makes them from the log.

    A partition that the topic no longer has is forgotten. The head that stays says only under
    which terms: a worker of another epoch or another topic size is still refused.
    Raises LogMismatchError when events were lost and `accept_loss` is not given, EpochError when
    forecast ids would repeat.
    """
    if state.bounds is None:
        write = Write(None, fresh=True)
        return Change(state.place, state.head, write, None, f"{state.place}: forgotten, is no more")
    go_on_at, why = _where_to_go_on(state, state.bounds, terms.epoch, accept_loss=accept_loss)
    head = head_of(NOBODY, terms, cursor=None, model=terms.model, writes=_next_write(state.head))
    commit = None if go_on_at == state.bounds.committed else go_on_at
    at = state.bounds.start if go_on_at is None else go_on_at
    says = f"{state.place}: rows made anew from the log, answers go on at {at}{why}"
    return Change(state.place, state.head, Write(head, fresh=True), commit, says)


def moved(state: PartitionState, terms: Terms) -> Change | None:
    """Take the state over into the epoch of `terms`, for any next owner; rows and cursor stay.

    None where nothing is stored. Raises LogMismatchError when the cursor is beyond the log: the
    rows are then of another log, and a new epoch does not make them true.
    """
    if state.head is None:
        return None
    judged = judge(state, terms)
    if judged.verdict is Verdict.LOG_ANEW:
        raise LogMismatchError(
            f"{state.place}: {judged.verdict}, {judged.detail}; no state to go on with: "
            f"{judged.command}"
        )
    head = msgspec.structs.replace(
        state.head,
        **NOBODY._asdict(),
        epoch=terms.epoch,
        writes=_next_write(state.head),
    )
    says = f"{state.place}: epoch {state.head.epoch} to {head.epoch}, open to any next owner"
    return Change(state.place, state.head, Write(head), None, says)


def without(place: TopicPartition, head: Head, series_ids: Collection[str]) -> Change:
    """Drop the rows of some series; whoever held the head before can write nothing more."""
    write = Write(msgspec.structs.replace(head, writes=_next_write(head)), dropped=series_ids)
    return Change(place, head, write, None, f"{place}: {len(series_ids)} series dropped")


def _where_to_go_on(
    state: PartitionState, bounds: Bounds, epoch: int, *, accept_loss: bool
) -> tuple[int | None, str]:
    """The commit to go on at (None: there is none, so from the log's start), and why there."""
    reached, raised = state.answered, epoch_was_raised(state.head, epoch)
    if reached is not None and reached > bounds.end:
        if not raised:
            raise EpochError(
                f"{state.place} ends at {bounds.end}, and {reached} was reached before: under "
                f"epoch {epoch} the ids of its new forecasts would be those of old ones, and "
                f"readers would drop them; raise stream.epoch, then `{REBUILD}`"
            )
        return bounds.start, ", the start of a new log"
    # A new epoch may be that of a new log, grown beyond the old cursor: the commit went with the
    # old topic, and what is answered again has new ids.
    answered = bounds.committed if raised else reached
    if answered is None:
        return None, ""
    if answered < bounds.start:
        lost = bounds.start - answered
        if not accept_loss:
            raise LogMismatchError(
                f"{state.place}: retention has passed {lost} events from {answered} on that were "
                f"never read; `{ACCEPT_LOSS}` goes on without them"
            )
        return bounds.start, f", {lost} events are lost"
    return answered, ""


def _next_write(head: Head | None) -> int:
    return 0 if head is None else head.writes + 1
