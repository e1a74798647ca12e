"""Why a record is no observation: the slow and careful look that the typed decoder spares."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from tidecast.errors import MessageError, Reason


def explained(value: bytes, problem: str, channels: Sequence[str]) -> MessageError:
    """Why `value` is no observation of the given channels. problem: what the decoder said."""
    try:
        # Decoded first, or `loads` would guess UTF-16; integers as floats, or it would refuse
        # those of more than 4300 digits.
        loose = json.loads(value.decode(), parse_int=float)
    except (ValueError, RecursionError):
        return MessageError(Reason.MALFORMED, problem)
    values = loose.get("values") if isinstance(loose, dict) else None
    if not isinstance(values, dict):
        return MessageError(Reason.SCHEMA, problem)
    unknown = sorted(set(values) - set(channels))
    if unknown:
        known = ", ".join(channels)
        return MessageError(Reason.UNKNOWN_CHANNEL, f"{unknown[0]!r}; the model has {known}")
    missing = sorted(set(channels) - set(values))
    if missing:
        return MessageError(Reason.MISSING_CHANNEL, f"{missing[0]!r}; send null if unknown")
    if any(isinstance(v, float) and not math.isfinite(v) for v in values.values()):
        return MessageError(Reason.NON_FINITE, "a missing value is null")
    if "$.timestamp" in problem:
        return MessageError(Reason.TIMESTAMP, f"{problem}; RFC 3339 with a zone, or integer ms")
    return MessageError(Reason.SCHEMA, problem)
