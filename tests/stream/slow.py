"""What the engine should do, said slowly: one series, one observation, plain lists.

It knows `CountingPredictor` and one channel. Nothing here is shared with the engine.
"""

from __future__ import annotations

import statistics
from typing import Final, NamedTuple

from tidecast.messages import Status

MISSING: Final = None
ZERO: Final = (0.0, 0.0)

State = tuple[float, float]


class Answer(NamedTuple):
    """A forecast, the same at every lead and level, and its status."""

    value: float
    status: Status


class Late(NamedTuple):
    """The observation is too old to use."""


class SlowSeries:
    """One series; `apply` returns None for an observation that only mends the window.

    observed: of each slot the values in order of arrival, with the times they were measured at.
    """

    def __init__(self, context: int, grace: int, rule: str, late: str = "patch") -> None:
        self.context, self.grace, self.rule, self.late = context, grace, rule, late
        self.oldest: int | None = None
        self.newest = 0
        self.observed: dict[int, list[tuple[int, float]]] = {}
        self.state: State = ZERO
        self.before: State = ZERO

    def apply(self, slot: int, value: float | None, within_ms: int) -> Answer | Late | None:
        grace = 0 if self.late == "reject" else self.grace
        if self.oldest is not None and slot < self.newest - grace:
            return Late()
        if self.oldest is None or slot - self.newest > max(self.context - 1, 1):
            self._begin(slot)
        while self.newest < slot:
            self._step()
        if slot == self.newest:
            self._observe(slot, value, within_ms)
            self.state = self._consume(self.before, slot)
            return self._answer()
        self._observe(slot, value, within_ms)
        self._mend(slot)
        return self._answer() if self.late == "accept" else None

    def at(self, slot: int) -> float | None:
        """The value of a slot, by the rule."""
        timed = self.observed.get(slot, [])
        if not timed:
            return MISSING
        values = [value for _, value in timed]
        newest = max(within_ms for within_ms, _ in timed)
        last = [value for within_ms, value in timed if within_ms == newest][-1]
        rules = {"last": last, "sum": sum(values), "mean": statistics.fmean(values)}
        return rules[self.rule]

    def window(self) -> list[float | None]:
        """Oldest slot first."""
        return [self.at(slot) for slot in range(self.newest - self.context + 1, self.newest + 1)]

    def span(self) -> int:
        """Slots since the series began, at most the context."""
        assert self.oldest is not None
        return min(self.newest - self.oldest + 1, self.context)

    def _begin(self, slot: int) -> None:
        self.oldest, self.newest = slot, slot
        self.observed = {}
        self.state, self.before = ZERO, ZERO

    def _step(self) -> None:
        self.newest += 1
        self.before = self.state
        self.state = self._consume(self.before, self.newest)

    def _observe(self, slot: int, value: float | None, within_ms: int) -> None:
        if value is not None:
            self.observed.setdefault(slot, []).append((within_ms, value))

    def _mend(self, slot: int) -> None:
        assert self.oldest is not None
        self.oldest = min(self.oldest, slot)
        self.state, self.before = ZERO, ZERO
        for known in range(self.newest - self.span() + 1, self.newest + 1):
            self.before = self.state
            self.state = self._consume(self.state, known)

    def _consume(self, state: State, slot: int) -> State:
        return state[0] + 1, state[1] + (self.at(slot) or 0.0)

    def _answer(self) -> Answer:
        value = (self.at(self.newest) or 0.0) + self.state[1]
        recent = range(self.newest - self.span() + 1, self.newest + 1)
        missing = sum(self.at(slot) is MISSING for slot in recent)
        if self.span() * 2 < self.context:
            return Answer(value, Status.COLD)
        return Answer(value, Status.GAPPY if missing * 2 > self.span() else Status.OK)
