"""Dated exceptions to the opening hours, in the precedence of a BACnet Schedule object, and hours of the day.

Precedence after ANSI/ASHRAE 135, clause 12.24: on its days an exception beats the weekly hours; of several the one
with the lowest priority number wins, of equal ones the one that stands first; one that says nothing (NULL, state
``none``) leaves the word to the next, and in the end to the weekly hours.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from schedules.calendars import WEEKDAYS, parse_weekdays

HIGHEST_PRIORITY, LOWEST_PRIORITY = 1, 16
DATED_PRIORITY = 8
"""Of a dated exception that names none."""
CLOSED_PRIORITY = 10
"""Of the closed calendars; one that is equal to it still beats them, because it stands first."""

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_LONG = timedelta(days=400)
"""A longer exception is looked at on every day instead of being entered under each of its own."""


class OccupancyError(ValueError):
    """``word`` is no weekday or no interval; ``allowed`` are words that could stand there."""

    def __init__(self, message: str, word: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.word = word
        self.allowed = tuple(allowed)


@dataclass(frozen=True, slots=True)
class Interval:
    """Local clock times; an ``end`` not after ``start`` is on the next day, so 00:00 is also 24:00."""

    start: time
    end: time

    def __str__(self) -> str:
        end = "24:00" if self.end == _MIDNIGHT else f"{self.end:%H:%M}"
        return f"{self.start:%H:%M}-{end}"


WHOLE_DAY = Interval(_MIDNIGHT, _MIDNIGHT)

Weekly = Mapping[int, tuple[Interval, ...]]
"""The hours by weekday, Monday is 0; a missing weekday has none."""


@dataclass(frozen=True, slots=True)
class DatedException:
    """Occupied or vacant against the rule on ``start``, or on every day to ``end`` (included).

    ``interval`` None is the whole day; ``occupied`` None is BACnet's NULL: it says nothing.
    """

    start: date
    interval: Interval | None
    occupied: bool | None
    label: str = ""
    end: date | None = None
    priority: int = DATED_PRIORITY
    """1 to 16, the lowest number wins."""

    @property
    def last(self) -> date:
        """The last day on which it has hours that start."""
        return self.end or self.start

    def holds_on(self, day: date) -> bool:
        """Whether the exception has hours that start on ``day``."""
        return self.start <= day <= self.last

    def reason(self, day: date) -> str:
        """What it says of its hours that start on ``day``; the priority where it is not the usual one."""
        kind = "dated" if self.occupied else "closed"
        priority = "" if self.priority == DATED_PRIORITY else f" (priority {self.priority})"
        return f"{kind}: {self.label or day}{priority}"


@dataclass(frozen=True, slots=True)
class Effective:
    """The days from ``start`` to ``end`` (included, None: open), before and after which the default holds: vacant."""

    start: date | None = None
    end: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the hours count on ``day``."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def __str__(self) -> str:
        return f"{self.start or ''}..{self.end or ''}"


ALWAYS = Effective()


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the dates of one source reach: ``name`` is the file, ``valid_until`` the last day it knows of."""

    name: str
    valid_until: date


class Precedence:
    """The exceptions of one occupancy, each with its rank, found by day. Those that say nothing are left out."""

    __slots__ = ("_by_day", "_long")

    def __init__(self, exceptions: Sequence[DatedException]) -> None:
        ordered = sorted((each for each in exceptions if each.occupied is not None), key=lambda each: each.priority)
        self._by_day: defaultdict[date, list[tuple[int, DatedException]]] = defaultdict(list)
        self._long: list[tuple[int, DatedException]] = []
        for ranked in enumerate(ordered):
            start, last = ranked[1].start, ranked[1].last
            if last - start > _LONG:
                self._long.append(ranked)
                continue
            for offset in range((last - start).days + 1):
                self._by_day[start + _DAY * offset].append(ranked)

    def starting_on(self, day: date) -> Iterator[tuple[int, DatedException]]:
        """Each exception with hours that start on ``day``, and its rank; the lower rank wins."""
        yield from self._by_day.get(day, ())
        yield from (ranked for ranked in self._long if ranked[1].holds_on(day))


def parse_interval(text: str) -> Interval:
    """``08:00-17:30``, ``22:00-02:00`` (over midnight), ``00:00-24:00``; OccupancyError for anything else."""
    match = _INTERVAL.fullmatch(text.strip())
    if not match:
        raise OccupancyError(f"{text!r} is no interval of the day, e.g. 08:00-17:30 or 22:00-02:00", text)
    start_hour, start_minute, end_hour, end_minute = (int(group) for group in match.groups())
    if (end_hour, end_minute) == (24, 0):
        end_hour = 0
    try:
        interval = Interval(time(start_hour, start_minute), time(end_hour, end_minute))
    except ValueError as error:
        raise OccupancyError(f"{text!r}: hours 00 to 23 (an end: 24:00), minutes 00 to 59", text) from error
    if interval.start == interval.end != _MIDNIGHT:
        raise OccupancyError(f"{text!r} ends when it starts; a whole day is 00:00-24:00", text)
    return interval


def parse_weekly(value: Mapping[str, str | Sequence[str]]) -> Weekly:
    """``{"mon-fri": ["08:00-17:30"]}`` by weekday; OccupancyError for a bad word or a weekday given twice."""
    weekly: dict[int, tuple[Interval, ...]] = {}
    for words, texts in value.items():
        days = parse_weekdays(words)
        if days is None:
            raise OccupancyError(f"{words!r} is no weekday and no range of weekdays (mon-fri)", words, WEEKDAYS)
        if twice := [WEEKDAYS[day] for day in days if day in weekly]:
            raise OccupancyError(f"{words!r} gives the hours of {', '.join(twice)} a second time", words)
        intervals = tuple(parse_interval(text) for text in ([texts] if isinstance(texts, str) else texts))
        weekly.update(dict.fromkeys(days, intervals))
    return weekly
