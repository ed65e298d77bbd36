"""What happens when in an iCalendar file (RFC 5545): every event once each time that it comes, cancelled ones left out.

Recurring events are expanded over the days asked for, else until HORIZON_YEARS after the latest day that the file
itself names (of an event, or when it was written), so what a file means never depends on the day on which it is read.
Imported only where such a file is read: the libraries take some 15 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar
from icalendar.cal import Component

from config.fields import shown
from config.problems import Findings, Spot

HORIZON_YEARS = 10
MAX_EVENTS = 20_000
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_YEAR = timedelta(days=366)
_YEARS = (1900, 2200)
_FINE = {"SECONDLY", "MINUTELY", "HOURLY"}
_LATEST = date(_YEARS[1], 1, 1)
"""Where a file names a later day (LAST-MODIFIED of a careless program), this one stands for it."""
_DATES = ("DTSTART", "DTEND", "DTSTAMP", "LAST-MODIFIED")
_ONCE = ("DTSTART", "DTEND", "DURATION", "SUMMARY", "UID", "STATUS", "TRANSP", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event as it comes once: days, or local times without a zone; ``end`` is the first day or instant after it."""

    start: date
    end: date | None
    label: str
    place: str
    uid: str
    free: bool = False
    """TRANSP:TRANSPARENT: it takes up nobody's time."""

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day that it touches."""
        first = _date(self.start)
        if self.end is None:
            return first, first
        last = self.end - _INSTANT if isinstance(self.end, datetime) else self.end - _DAY
        return first, max(first, _date(last))


@dataclass(frozen=True, slots=True)
class _Block:
    """One BEGIN:VEVENT of the file: the number of its first line, of each property in it and of its repetition."""

    line: int
    properties: dict[str, int]
    repeated: dict[str, int]


class _Broken(ValueError):
    """What makes the whole file unreadable, and the line where that shows."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_occurrences(
    file: str, text: str, zone: ZoneInfo, findings: Findings, between: tuple[date, date] | None = None
) -> tuple[Occurrence, ...]:
    """What happens, in the order of time, all or what begins ``between`` two days (included).

    What is wrong is noted with its line, and then nothing is given.
    """
    try:
        blocks = _blocks(text)
        calendars = Calendar.from_ical(text, multiple=True)
    except _Broken as error:
        findings.error(Spot(file, error.line, 1), str(error))
        return ()
    except (ValueError, KeyError, IndexError) as error:
        findings.error(Spot(file, _line_of(text, str(error)), 1), f"not iCalendar: {error}")
        return ()
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if len(events) != len(blocks):
        findings.error(Spot(file, 1, 1), f"{len(blocks)} events are written, only {len(events)} can be read")
        return ()
    errors = Findings()
    for event, block in zip(events, blocks, strict=True):
        _judge(file, text, event, block, errors)
    findings.add(errors)
    if errors.failed:
        return ()
    return _all_occurrences(file, calendars, events, zone, between, findings)


def _blocks(text: str) -> list[_Block]:
    """Where the events stand. Raises _Broken for a file whose parts do not end, or that is something else."""
    lines = list(enumerate(text.removeprefix("﻿").splitlines(), 1))
    first = next(((number, line.strip()) for number, line in lines if line.strip()), (1, ""))
    if not first[1]:
        raise _Broken(1, "the file is empty")
    if first[1].upper() != "BEGIN:VCALENDAR":
        raise _Broken(first[0], f"not iCalendar: it begins with {shown(first[1])}, not with BEGIN:VCALENDAR")
    blocks: list[_Block] = []
    within: list[tuple[str, int]] = []
    for number, line in lines:
        name, _, value = line.partition(":")
        word, value = name.partition(";")[0].upper(), value.strip().upper()
        if line[:1] in (" ", "\t") or not line.strip():
            continue
        if word == "BEGIN":
            within.append((value, number))
            if value == "VEVENT":
                blocks.append(_Block(number, {}, {}))
        elif word == "END":
            if not within or within[-1][0] != value:
                raise _Broken(number, f"END:{value} does not end what was begun last")
            within.pop()
        elif within and within[-1][0] == "VEVENT":
            first_at = blocks[-1].properties.setdefault(word, number)
            if first_at != number:
                blocks[-1].repeated.setdefault(word, number)
    if within:
        raise _Broken(within[-1][1], f"BEGIN:{within[-1][0]} has no end: the file is cut off")
    return blocks


def _line_of(text: str, message: str, otherwise: int = 1) -> int:
    """The first line that a message of the library quotes."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.strip() and repr(line.strip()) in message), otherwise)


def _judge(file: str, text: str, event: Component, block: _Block, findings: Findings) -> None:
    """Note what could not be read of an event, and what makes no sense in it."""
    twice = [name for name in _ONCE if isinstance(event.get(name), list)]
    for word in twice:
        line = block.repeated.get(word, block.line)
        findings.error(Spot(file, line, 1), f"{word}: a second one; line {block.properties[word]} has the first")
    if twice:
        return
    for name, message in (*event.errors, *_faults(event)):
        line = block.properties.get(name, block.line) if name else _line_of(text, message, block.line)
        findings.error(Spot(file, line, 1), f"{name}: {message}" if name else message)
    start = None if event.errors else _when(event, "DTSTART")
    zone = event["DTSTART"].params.get("TZID") if isinstance(start, datetime) and start.tzinfo is None else None
    if zone:
        line = block.properties["DTSTART"]
        findings.warning(Spot(file, line, 1), f"DTSTART: unknown time zone {shown(zone)}: read as local time")


def _faults(event: Component) -> Iterator[tuple[str, str]]:
    """What is readable but not meant: the property and why."""
    if event.errors:
        return
    start, end = _when(event, "DTSTART"), _when(event, "DTEND")
    if start is None:
        yield "DTSTART", "missing: the event has no day"
        return
    if not _YEARS[0] <= start.year < _YEARS[1]:
        yield "DTSTART", f"the year {start.year} is not meant"
    if end is not None and isinstance(end, datetime) != isinstance(start, datetime):
        yield "DTEND", "a date and a time cannot be mixed with DTSTART"
    elif end is not None and _comparable(end) < _comparable(start):
        yield "DTEND", "before DTSTART"
    elif end is not None and not _YEARS[0] <= end.year < _YEARS[1]:
        yield "DTEND", f"the year {end.year} is not meant"
    for rule in _all(event, "RRULE"):
        if "FREQ" not in rule:
            yield "RRULE", "FREQ is missing"
        elif _FINE & set(rule["FREQ"]):
            yield "RRULE", f"{rule['FREQ'][0]} names no days; DAILY, WEEKLY, MONTHLY or YEARLY do"
        elif min(rule.get("INTERVAL", (1,))) < 1:
            yield "RRULE", f"INTERVAL={rule['INTERVAL'][0]} never comes again; it is at least 1"


def _all_occurrences(
    file: str,
    calendars: Sequence[Component],
    events: Sequence[Component],
    zone: ZoneInfo,
    between: tuple[date, date] | None,
    findings: Findings,
) -> tuple[Occurrence, ...]:
    named = [day for event in events for day in _named(event, _DATES, zone)]
    if not named:
        return ()
    begin = [day for event in events for day in _named(event, ("DTSTART",), zone)]
    first, last = between or (min(begin) - _DAY, min(max(named), _LATEST) + HORIZON_YEARS * _YEAR)
    found: list[Occurrence] = []
    for calendar in calendars:
        try:
            found.extend(_occurrence(event, zone) for event in _occurrences(calendar, first, last, zone))
        except (ValueError, TypeError, OverflowError) as error:
            findings.error(Spot(file, 1, 1), f"its recurring events cannot be followed: {error}")
            return ()
        if len(found) > MAX_EVENTS:
            findings.error(Spot(file, 1, 1), f"more than {MAX_EVENTS} events until {last}: give their RRULE an end")
            return ()
    return tuple(sorted(found, key=lambda each: (*each.days, each.label, str(each.start))))


def _occurrences(calendar: Component, first: date, last: date, zone: ZoneInfo) -> Iterator[Component]:
    """Each occurrence once that takes place, year by year, and not many more than are allowed."""
    query, count = recurring_ical_events.of(calendar), 0
    while first <= last and count <= MAX_EVENTS:
        following = min(first + _YEAR, last + _DAY)
        for event in query.between(first, following):
            start = _when(event, "DTSTART")
            cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
            if start is not None and first <= _day(start, zone) < following and not cancelled:
                count += 1
                yield event
        first = following


def _named(event: Component, names: Sequence[str], zone: ZoneInfo) -> Iterator[date]:
    """The days that the event names in these properties, and those added to its rule."""
    for name in names:
        if when := _when(event, name):
            yield _day(when, zone)
    for part in _all(event, "RDATE"):
        yield from (_day(value.dt[0] if isinstance(value.dt, tuple) else value.dt, zone) for value in part.dts)


def _occurrence(event: Component, zone: ZoneInfo) -> Occurrence:
    start, end = _when(event, "DTSTART"), _when(event, "DTEND")
    assert start is not None  # noqa: S101 - _occurrences gives none without
    return Occurrence(
        _local(start, zone),
        None if end is None else _local(end, zone),
        " ".join(str(event.get("SUMMARY", "")).split()),
        " ".join(str(event.get("LOCATION", "")).split()),
        str(event.get("UID", "")),
        str(event.get("TRANSP", "")).strip().upper() == "TRANSPARENT",
    )


def _when(event: Component, name: str) -> date | None:
    """A property that holds a day, or a day and time."""
    value: Any = event.get(name)
    when = getattr(value, "dt", None)
    return when if isinstance(when, date) else None


def _all(event: Component, name: str) -> list[Any]:
    """A property that may stand several times."""
    value: Any = event.get(name, [])
    return value if isinstance(value, list) else [value]


def _local(value: date, zone: ZoneInfo) -> date:
    """A day, or the local time without its zone; a floating time is local already."""
    if not isinstance(value, datetime):
        return value
    return (value.astimezone(zone) if value.tzinfo else value).replace(tzinfo=None)


def _date(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _day(value: date, zone: ZoneInfo) -> date:
    return _date(_local(value, zone))


def _comparable(value: date) -> float:
    """Seconds, for two dates or two times; one without a zone counts as UTC, near enough to see a wrong order."""
    if not isinstance(value, datetime):
        return value.toordinal() * 86_400.0
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
