"""bacpypes3 and our link tell of each APDU that they cannot read: this turns a flood into one line a minute."""

from __future__ import annotations

import logging

import structlog

LIBRARY = "bacpypes3"
WINDOW_S = 60.0


class Throttle(logging.Handler):
    """Passes on the first warning of a minute, without its traceback, with the number of those held back."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._since = float("-inf")
        self._suppressed = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One line, or one more that is only counted."""
        if record.created - self._since < WINDOW_S:
            self._suppressed += 1
            return
        suppressed, self._suppressed, self._since = self._suppressed, 0, record.created
        cause = str(record.exc_info[1]) if record.exc_info else ""
        structlog.get_logger().warning(
            "bacnet.malformed", source=record.name, said=record.getMessage(), cause=cause, suppressed=suppressed
        )


def quieten() -> None:
    """Put the throttle in front of the library's loggers, once a process."""
    logger = logging.getLogger(LIBRARY)
    if any(isinstance(handler, Throttle) for handler in logger.handlers):
        return
    logger.addHandler(Throttle())
    logger.propagate = False
