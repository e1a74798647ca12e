"""Facts of a worker that is well, to be changed by a test."""

from __future__ import annotations

from typing import Final

from stream.watch.health import AssignmentState, Facts, Held, Membership, Offsets, Rebuild
from tests.stream.partitions import PLACE

OUTAGE_S: Final = 30.0
HELD: Final = Held(2, 10, 10)


def state(
    held: Held | None = HELD, rebuild: Rebuild | None = None, store_down_s: float = 0.0
) -> AssignmentState:
    return AssignmentState(
        {PLACE: held} if held else {}, {PLACE: rebuild} if rebuild else {}, store_down_s, OUTAGE_S
    )


WELL: Final = Facts(
    state=state(),
    membership=Membership(True, frozenset([PLACE])),
    kafka={PLACE: Offsets(10, 10)},
    kafka_silent_s=0.0,
    unwatched_s=1.0,
    stopping=False,
)
IDLE: Final = WELL._replace(state=state(None), membership=Membership(True, frozenset()), kafka={})
