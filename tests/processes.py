"""Processes, seen from outside."""

from __future__ import annotations

import psutil


def gone(pid: int) -> bool:
    """A zombie is gone too: its parent here is a container's first process, which may not care."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
