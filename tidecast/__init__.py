"""Tidecast: streaming real-time forecasts. This package is the contract and the client."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tidecast.errors import Reason, TidecastError
    from tidecast.messages import Forecast, Observation, Rejection, Status
    from tidecast.publisher import Publisher
    from tidecast.settings import Settings, load_settings
    from tidecast.subscriber import Subscriber

__all__ = [
    "Forecast",
    "Observation",
    "Publisher",
    "Reason",
    "Rejection",
    "Settings",
    "Status",
    "Subscriber",
    "TidecastError",
    "load_settings",
]

_HOMES: Final = {
    "Forecast": "messages",
    "Observation": "messages",
    "Publisher": "publisher",
    "Reason": "errors",
    "Rejection": "messages",
    "Settings": "settings",
    "Status": "messages",
    "Subscriber": "subscriber",
    "TidecastError": "errors",
    "load_settings": "settings",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import a public name when it is first used: the Kafka library alone takes 0.3 s."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tidecast' has no attribute {name!r}")
    return getattr(import_module(f"tidecast.{_HOMES[name]}"), name)
