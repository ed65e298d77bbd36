"""A command as the core knows it: controller.mqtt.commands parses the wire, controller.core.overrides judges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules.allures import Allure


@dataclass(frozen=True, slots=True)
class Command:
    """One well-formed, fresh, non-retained command. Times are the site's clock, aware UTC.

    ``kind``/``target`` come from the topic (``lamp``, ``l-001``). Exactly one of ``value`` (level in % or
    setpoint in degrees C), ``allure``, ``relinquish``, ``relight`` and ``boost`` is set. At most one of ``until`` and
    ``lasting``.
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
    boost: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """``level`` 1-3 of a signal from ``since`` to before ``until``; ``word`` is what it was called."""

    level: int
    since: datetime
    until: datetime
    word: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a signal of the town says of the time from ``since`` on: level 0 but in ``stretches``.

    ``stood``: the broker had kept it, nobody knows since when, and ``lasting`` counts from the first time it came,
    over losses of the broker and restarts.
    """

    signal: str
    at: datetime
    since: datetime
    stretches: tuple[Stretch, ...] = ()
    stood: bool = False
    lasting: bool = False
    """It has no end of its own: its only stretch is as long as such a signal may be believed."""


@dataclass(frozen=True, slots=True)
class Misheard:
    """A signal that could not be understood, and why; nothing moves."""

    signal: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that was refused where it came in; nothing moves, the reason goes to ``result``."""

    id: str
    kind: str
    target: str
    detail: str
    at: datetime
