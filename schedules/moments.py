"""An instant of the night as a site file writes it: ``22:30``, ``sunset+10m``, ``dusk(-4)``, ``closing(ecole)+1h``.

Its resolution in a night, which runs from noon to noon (schedules.nights). ``closing`` and ``opening`` are those of
schedules.occupancy; ``parse_moment`` knows only the occupancy's id, ``bound`` gives it the hours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import Enum

from schedules import sun
from schedules.nights import DAY, NOON, at_local, night_of, noon
from schedules.occupancy import Occupancy, closing_of_night, opening_of_night
from schedules.sun import Place, Polar

__all__ = [
    "ALLOWED", "MAX_ANGLE_DEG", "MAX_OFFSET", "Absent", "ClockTime", "Edge", "Moment", "MomentError", "OccupancyEdge",
    "Side", "Solar", "at_local", "bound", "duration_text", "night_of", "noon", "parse_moment", "resolve",
]  # fmt: skip

ALLOWED = (
    "a clock time (22:30, 22:30:15) or sunset, sunrise, dusk, dawn, dusk(-4), dawn(-4.5), closing(<occupancy>), "
    "opening(<occupancy>), each with an optional offset (+10m, -1h30m, +90s)"
)
MAX_OFFSET = timedelta(hours=12)
MAX_ANGLE_DEG = 18.0

_ZERO = timedelta()
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_OFFSET = r"(?:\s*(?P<sign>[+-])\s*(?=\d)(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?)?"
_SOLAR = re.compile(r"(?P<word>sunset|sunrise|dusk|dawn)(?:\(\s*(?P<angle>[+-]?\d+(?:\.\d+)?)\s*\))?" + _OFFSET)
_EDGE = re.compile(r"(?P<word>opening|closing)\(\s*(?P<occupancy>[a-z0-9-]+)\s*\)" + _OFFSET)


class MomentError(ValueError):
    """The text is no moment; the message says what is allowed."""


class Side(Enum):
    """Which crossing of the night: down in the evening, up in the morning."""

    EVENING = "evening"
    MORNING = "morning"


class Edge(Enum):
    """The evening's end of a building's presence, or the morning's beginning."""

    CLOSING = "closing"
    OPENING = "opening"


class Absent(Enum):
    """Why a moment of a building does not come in a night."""

    NO_OPENING = "no-opening"


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


@dataclass(frozen=True, slots=True)
class OccupancyEdge:
    """A building's closing or opening of the night, moved by ``offset``; ``hours`` is None until it is bound."""

    edge: Edge
    occupancy: str
    offset: timedelta = _ZERO
    hours: Occupancy | None = None

    def __str__(self) -> str:
        return f"{self.edge.value}({self.occupancy}){_offset_text(self.offset)}"


Moment = ClockTime | Solar | OccupancyEdge


def parse_moment(text: str) -> Moment:
    """The moment that ``text`` writes; MomentError when it is none. ``parse_moment(str(m)) == m``."""
    word = text.strip()
    if clock := _CLOCK.fullmatch(word):
        return ClockTime(_clock_time(clock, text))
    if solar := _SOLAR.fullmatch(word):
        return _solar(solar, text)
    if edge := _EDGE.fullmatch(word):
        return OccupancyEdge(Edge(edge["word"]), edge["occupancy"], _offset(edge, text))
    raise MomentError(f"{text!r} is no moment of the night; allowed: {ALLOWED}")


def bound(moment: Moment, occupancies: Mapping[str, Occupancy]) -> Moment:
    """``moment`` with the hours of its building; as it is where it has none, or where they are not known."""
    if isinstance(moment, OccupancyEdge):
        return replace(moment, hours=occupancies.get(moment.occupancy))
    return moment


def resolve(moment: Moment, night: date, place: Place) -> datetime | Polar | Absent:
    """The instant (aware UTC) of ``moment`` in the night of ``night``, or why the sun or the building gives none.

    One that would lie outside the night stops at its edge: the building closed before the night began, say.
    Raises ValueError for a moment of a building that was never bound to its hours.
    """
    if isinstance(moment, ClockTime):
        return at_local(night if moment.at >= NOON else night + DAY, moment.at, place.zone)
    event = _edge(moment, night) if isinstance(moment, OccupancyEdge) else _crossing(moment, night, place)
    if not isinstance(event, datetime):
        return event
    return min(max(event + moment.offset, noon(night, place.zone)), noon(night + DAY, place.zone))


def _crossing(moment: Solar, night: date, place: Place) -> datetime | Polar:
    crossing = sun.evening if moment.side is Side.EVENING else sun.morning
    return crossing(night, place, moment.angle_deg)


def _edge(moment: OccupancyEdge, night: date) -> datetime | Absent:
    if moment.hours is None:
        raise ValueError(f"{moment} is not bound to the hours of its building")
    if moment.edge is Edge.CLOSING:
        return closing_of_night(moment.hours, night)
    return opening_of_night(moment.hours, night) or Absent.NO_OPENING


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
    return Solar(side, angle_deg, _offset(match, text))


def _offset(match: re.Match[str], text: str) -> timedelta:
    offset = timedelta(hours=int(match["h"] or 0), minutes=int(match["m"] or 0), seconds=int(match["s"] or 0))
    if offset > MAX_OFFSET:
        raise MomentError(f"{text!r}: the offset must not exceed 12h, or it leaves the night")
    return -offset if match["sign"] == "-" else offset
