"""Log lines: a constant event name and key-values. Plain colours on a terminal, logfmt for journald and pipes."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = ("password", "token", "secret")
_JOURNAL_LEVEL = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
Fields = MutableMapping[str, Any]


def configure(level: str = "info") -> None:
    """Set up structlog on standard error. ``NO_COLOR`` is honoured; under journald each line has its priority."""
    terminal = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    journal = _is_journal(2)
    renderer: structlog.typing.Processor
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.LogfmtRenderer(key_order=["event"])
    chain: list[structlog.typing.Processor] = [structlog.processors.add_log_level, _redacted]
    if not journal:
        chain.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    chain += [structlog.processors.ExceptionRenderer(), renderer]
    if journal:
        chain.append(_with_priority)
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _is_journal(descriptor: int) -> bool:
    """Whether journald reads there; a shell under systemd hands JOURNAL_STREAM down to pipes that it does not read."""
    stream = os.environ.get("JOURNAL_STREAM")
    if not stream:
        return False
    found = os.fstat(descriptor)
    return stream == f"{found.st_dev}:{found.st_ino}"


def _redacted(_logger: object, _method: str, fields: Fields) -> Fields:
    for name in fields:
        if any(word in name.lower() for word in _SECRET):
            fields[name] = "***"
    return fields


def _with_priority(_logger: object, method: str, line: Any) -> str:  # noqa: ANN401 - a renderer's output
    return f"<{_JOURNAL_LEVEL.get(method, 6)}>{line}"
