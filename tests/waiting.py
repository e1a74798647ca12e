"""Waiting for a condition: the only place where a test sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

POLL_S: Final = 0.02


def wait_until(condition: Callable[[], object], limit_s: float, what: str) -> None:
    """Return as soon as the condition holds; fail, naming `what`, when it never does."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s:g} s: {what}")
        time.sleep(POLL_S)
