"""What a piece of Python takes, counted: the same on every machine, however busy it is."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

Work = Callable[[], object]


class Effort(NamedTuple):
    """calls: made by Python code, of functions in Python and in C. instructions: of bytecode.

    What a call does in C is not seen, which is why work in arrays and codecs is cheap here too.
    """

    calls: float
    instructions: float

    def each(self, events: int) -> Effort:
        """For each of so many events."""
        return Effort(self.calls / events, self.instructions / events)

    def within(self, most: Effort) -> bool:
        """Whether neither is more."""
        return self.calls <= most.calls and self.instructions <= most.instructions

    def __str__(self) -> str:
        return f"{self.calls:.2f} calls, {self.instructions:.1f} instructions"


def effort_of(prepare: Callable[[], Work]) -> Effort:
    """What the work takes that `prepare` makes.

    It makes it anew for each count, as work may change what it is given, and once before: what is
    done at a first time only does not count.
    """
    prepare()()
    return Effort(_calls(prepare()), _instructions(prepare()))


def _calls(work: Work) -> int:
    found = 0

    def count(_: FrameType, event: str, __: Any) -> None:  # noqa: ANN401 - as sys.setprofile wants it
        nonlocal found
        found += event in ("call", "c_call")

    with _no_collection():
        before = sys.getprofile()
        sys.setprofile(count)
        try:
            work()
        finally:
            sys.setprofile(before)
    return found - 1  # the last one ends the counting


def _instructions(work: Work) -> int:
    found = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:  # noqa: ANN401 - as sys.settrace wants it
        nonlocal found
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        found += event == "opcode"
        return count

    with _no_collection():
        before = sys.gettrace()
        sys.settrace(count)
        try:
            work()
        finally:
            sys.settrace(before)
    return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Finalizers of what others have left behind do not count."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
