"""A command as the core knows it: controller.mqtt.commands parses the wire, controller.core.overrides judges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules.allures import Allure


@dataclass(frozen=True, slots=True)
class Command:
    """One well-formed, fresh, non-retained command. Times are the site's clock, aware UTC.

    ``kind``/``target`` come from the topic (``lamp``, ``l-001``). Exactly one of ``value`` (level in % or
    setpoint in degrees C), ``allure``, ``relinquish`` and ``relight`` is set. At most one of ``until`` and ``lasting``.
    ``maintenance`` is the work order that a level is commanded for.
    """

    id: str
    kind: str
    target: str
    received: datetime
    value: float | None = None
    allure: Allure | None = None
    relinquish: bool = False
    until: datetime | None = None
    lasting: timedelta | None = None
    reason: str = ""
    by: str = ""
    relight: bool = False
    maintenance: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a signal of the town says: ``level`` 0-3 from ``since`` to before ``until`` (None: until it changes)."""

    signal: str
    level: int
    since: datetime
    until: datetime | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that was refused where it came in; nothing moves, the reason goes to ``result``."""

    id: str
    kind: str
    target: str
    detail: str
    at: datetime
