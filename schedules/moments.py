"""An instant of the night as a site file writes it: ``22:30``, ``sunset+10m``, ``dusk(-4)``; its resolution.

A night runs from 12:00 of its date to 12:00 of the next, local time. Daylight saving by rule: a clock time
inside the gap is the first valid instant after it; one that occurs twice is the first of the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

from schedules import sun
from schedules.sun import Place, Polar

ALLOWED = (
    "a clock time (22:30, 22:30:15) or sunset, sunrise, dusk, dawn, dusk(-4), dawn(-4.5), "
    "each with an optional offset (+10m, -1h30m, +90s)"
)
MAX_OFFSET = timedelta(hours=12)
MAX_ANGLE_DEG = 18.0

_ZERO = timedelta()
_DAY = timedelta(days=1)
_NOON = time(12)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_SOLAR = re.compile(
    r"(?P<word>sunset|sunrise|dusk|dawn)(?:\(\s*(?P<angle>[+-]?\d+(?:\.\d+)?)\s*\))?"
    r"(?:\s*(?P<sign>[+-])\s*(?=\d)(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?)?"
)


class MomentError(ValueError):
    """The text is no moment; the message says what is allowed."""


class Side(Enum):
    """Which crossing of the night: down in the evening, up in the morning."""

    EVENING = "evening"
    MORNING = "morning"


_WORDS = {
    "sunset": (Side.EVENING, sun.SUNRISE_DEG),
    "sunrise": (Side.MORNING, sun.SUNRISE_DEG),
    "dusk": (Side.EVENING, sun.CIVIL_DEG),
    "dawn": (Side.MORNING, sun.CIVIL_DEG),
}
_NAMES = {meaning: word for word, meaning in _WORDS.items()}


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A local clock time (naive); from 12:00 on it belongs to the evening, before to the morning after."""

    at: time

    def __str__(self) -> str:
        return self.at.isoformat("seconds" if self.at.second else "minutes")


@dataclass(frozen=True, slots=True)
class Solar:
    """The sun's crossing of ``angle_deg`` on one side of the night, moved by ``offset`` (whole seconds)."""

    side: Side
    angle_deg: float
    offset: timedelta = _ZERO

    def __str__(self) -> str:
        name = _NAMES.get((self.side, self.angle_deg))
        if name is None:
            name = f"{'dusk' if self.side is Side.EVENING else 'dawn'}({self.angle_deg:g})"
        return name + _offset_text(self.offset)


Moment = ClockTime | Solar


def parse_moment(text: str) -> Moment:
    """The moment that ``text`` writes; MomentError when it is none. ``parse_moment(str(m)) == m``."""
    word = text.strip()
    if clock := _CLOCK.fullmatch(word):
        return ClockTime(_clock_time(clock, text))
    if solar := _SOLAR.fullmatch(word):
        return _solar(solar, text)
    raise MomentError(f"{text!r} is no moment of the night; allowed: {ALLOWED}")


def at_local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (aware UTC) of the naive clock time ``at`` on ``day`` in ``zone``, by the rule above."""
    first = datetime.combine(day, at, zone)
    later = first.replace(fold=1)
    before, after = first.utcoffset(), later.utcoffset()
    if before is None or after is None or before >= after:
        return first.astimezone(UTC)
    return _end_of_gap(later.astimezone(UTC), first.astimezone(UTC), zone)


@lru_cache(maxsize=4096)
def noon(day: date, zone: ZoneInfo) -> datetime:
    """Where the night of ``day`` begins: 12:00 local time, aware UTC."""
    return at_local(day, _NOON, zone)


def night_of(at: datetime, zone: ZoneInfo) -> date:
    """The date of the evening whose night (noon to noon, local) holds the aware instant ``at``."""
    local = at.astimezone(zone)
    return local.date() if local.hour >= _NOON.hour else local.date() - _DAY


def resolve(moment: Moment, night: date, place: Place) -> datetime | Polar:
    """The instant (aware UTC) of ``moment`` in the night of ``night``, or why the sun gives none.

    A solar moment that its offset would carry out of the night stops at the night's edge.
    """
    if isinstance(moment, ClockTime):
        return at_local(night if moment.at >= _NOON else night + _DAY, moment.at, place.zone)
    crossing = sun.evening if moment.side is Side.EVENING else sun.morning
    event = crossing(night, place, moment.angle_deg)
    if isinstance(event, Polar):
        return event
    return min(max(event + moment.offset, noon(night, place.zone)), noon(night + _DAY, place.zone))


def duration_text(span: timedelta) -> str:
    """A non-negative duration in whole seconds as the site files write it: ``1h30m``, ``45s``, ``0s``."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _offset_text(offset: timedelta) -> str:
    if not offset:
        return ""
    return ("-" if offset < _ZERO else "+") + duration_text(abs(offset))


def _clock_time(match: re.Match[str], text: str) -> time:
    hour, minute, second = (int(group or 0) for group in match.groups())
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise MomentError(f"{text!r} is no time of day: hours 00 to 23, minutes and seconds 00 to 59") from error


def _solar(match: re.Match[str], text: str) -> Solar:
    side, angle_deg = _WORDS[match["word"]]
    if match["angle"] is not None:
        if match["word"] in ("sunset", "sunrise"):
            raise MomentError(f"{text!r}: only dusk and dawn take an angle, e.g. dusk(-4)")
        angle_deg = float(match["angle"])
    if abs(angle_deg) > MAX_ANGLE_DEG:
        raise MomentError(f"{text!r}: the angle must lie between -{MAX_ANGLE_DEG:g} and {MAX_ANGLE_DEG:g} degrees")
    offset = timedelta(hours=int(match["h"] or 0), minutes=int(match["m"] or 0), seconds=int(match["s"] or 0))
    if offset > MAX_OFFSET:
        raise MomentError(f"{text!r}: the offset must not exceed 12h, or it leaves the night")
    return Solar(side, angle_deg, -offset if match["sign"] == "-" else offset)


def _end_of_gap(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two UTC instants at which the zone's offset changes, to the second."""
    before = early.astimezone(zone).utcoffset()
    low, high = 0, int((late - early).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return early + timedelta(seconds=high)
