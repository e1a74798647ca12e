"""Structured logs on standard error: every line has an `action`; libraries' lines pass through."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from tidecast.settings import LogSettings

LIBRARY_LEVELS: Final = {
    "aiokafka": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "stream.kafka.batch_transport": logging.WARNING,
    # Only the check of the topics uses it, and reports its failure as an error of ours.
    "kafka": logging.CRITICAL,
}
"""Libraries that report their daily life at `info`, and less than what `level` lets through."""

SPARED_S: Final = 10.0
"""How long a library is not heard again on the same matter."""


def configure_logs(settings: LogSettings) -> None:
    """Send everything that is logged to standard error, as text or as one JSON object a line."""
    as_text = settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _library_action],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(SpareRepeats())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    for name, level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(level, logging.root.level))


class SpareRepeats(logging.Filter):
    """Lets a library say the same thing once in SPARED_S, with how often it was spared.

    A client that has lost its broker tries again without a pause: thousands of lines a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging.Filter. What is compared is the message before its arguments are put in."""
        if record.name.startswith("tidecast"):
            return True
        matter = (record.name, str(record.msg))
        said_at, spared = self._said.get(matter, (-SPARED_S, 0))
        if record.created - said_at < SPARED_S:
            self._said[matter] = (said_at, spared + 1)
            return False
        self._said[matter] = (record.created, 0)
        if spared:
            record.msg = f"{record.msg} [and {spared} times before]"
        return True


def _library_action(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.setdefault("action", "library")
    return event
