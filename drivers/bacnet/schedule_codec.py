"""Schedule and Calendar objects: their properties as octets and back. Pure.

Source: ASHRAE 135 clauses 12.9 (Calendar), 12.24 (Schedule), 20.2.12 and 20.2.13 (dates and times), 21
(BACnetDailySchedule, BACnetSpecialEvent, BACnetCalendarEntry). What is cut off, of another type or against the standard
raises Undecodable: it never becomes a timetable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, time
from enum import IntEnum
from typing import NamedTuple, TypeVar

from drivers.bacnet import codec, wire
from drivers.bacnet.codec import NULL, Atom, ObjectId, Tag, Undecodable
from drivers.bacnet.wire import Malformed
from drivers.timetable import (
    CalendarEntry,
    CalendarRef,
    DatePattern,
    DateRange,
    Day,
    Entry,
    SpecialDays,
    WeekNDay,
)

SCHEDULE, CALENDAR = 17, 6
"""Object types."""
DAYS_A_WEEK = 7

_DATE, _TIME = 10, 11
_ANY = 255
_FIRST_YEAR = 1900
_LAST_MONTH, _LAST_DAY, _LAST_WEEKDAY, _LAST_WEEK = 14, 34, 7, 9
_INSTANCE = (1 << 22) - 1

T = TypeVar("T")


class ScheduleProperty(IntEnum):
    """The properties that are read or written."""

    DATE_LIST = 23
    EFFECTIVE_PERIOD = 32
    EXCEPTION_SCHEDULE = 38
    REFERENCES = 54
    OUT_OF_SERVICE = 81
    PRIORITY_FOR_WRITING = 88
    WEEKLY_SCHEDULE = 123
    SCHEDULE_DEFAULT = 174


class Reference(NamedTuple):
    """One property that a Schedule writes to; ``device`` None: of its own device."""

    object: ObjectId
    property: int
    element: int | None
    device: ObjectId | None


class _Cursor:
    """Reads octets from front to back; every method raises Malformed instead of running over the end."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    @property
    def done(self) -> bool:
        return self._at >= len(self._octets)

    def sees(self, octet: int) -> bool:
        """Whether ``octet`` is next; taken if so."""
        found = not self.done and self._octets[self._at] == octet
        self._at += found
        return found

    def finish(self) -> None:
        if not self.done:
            raise Malformed("more than was expected")

    def expect(self, octet: int) -> None:
        if not self.sees(octet):
            raise Malformed("cut off" if self.done else "undecodable answer")

    def take(self, count: int) -> bytes:
        piece = self._octets[self._at : self._at + count]
        if len(piece) != count:
            raise Malformed("cut off")
        self._at += count
        return piece

    def atom(self) -> Atom:
        """An application-tagged value."""
        atom, self._at = wire.atom_at(self._octets, self._at)
        return atom

    def of(self, tag: int, length: int) -> bytes:
        """The octets of the application-tagged value, which must be of this kind."""
        atom = self.atom()
        if atom.tag != tag or len(atom.octets) != length:
            raise Malformed(f"datatype {atom.tag} where {tag} was expected")
        return atom.octets

    def whole(self, number: int) -> int | None:
        """A context-tagged unsigned where there is one."""
        first = -1 if self.done else self._octets[self._at]
        if first >> 3 != (number << 1 | 1) or not 0 < first & 7 <= 4:
            return None
        self._at += 1
        return int.from_bytes(self.take(first & 7))


def _decoded(octets: bytes, read: Callable[[_Cursor], T]) -> T:
    """All of ``octets`` by ``read``."""
    cursor = _Cursor(octets)
    try:
        found = read(cursor)
        cursor.finish()
    except (Malformed, ValueError) as error:
        raise Undecodable(str(error)) from error
    return found


def week(octets: bytes) -> tuple[Day, ...]:
    """A whole Weekly_Schedule, Monday first. Raises Undecodable."""
    days = _decoded(octets, lambda cursor: tuple(_until_done(cursor, _day)))
    if len(days) != DAYS_A_WEEK:
        raise Undecodable(f"a week of {len(days)} days")
    return days


def day(octets: bytes) -> Day:
    """One element of a Weekly_Schedule. Raises Undecodable."""
    return _decoded(octets, _day)


def specials(octets: bytes) -> tuple[SpecialDays, ...]:
    """A whole Exception_Schedule. Raises Undecodable."""
    return _decoded(octets, lambda cursor: tuple(_until_done(cursor, _special)))


def special(octets: bytes) -> SpecialDays:
    """One element of an Exception_Schedule. Raises Undecodable."""
    return _decoded(octets, _special)


def dates(octets: bytes) -> tuple[CalendarEntry, ...]:
    """A Date_List. Raises Undecodable."""
    return _decoded(octets, lambda cursor: tuple(_until_done(cursor, _calendar_entry)))


def period(octets: bytes) -> DateRange:
    """An Effective_Period. Raises Undecodable, also for a wildcard in a part of a date."""
    return _decoded(octets, _range)


def value(octets: bytes) -> float | None:
    """A Schedule_Default, None for NULL. Raises Undecodable."""
    return _decoded(octets, _value)


def whole(octets: bytes) -> int:
    """An unsigned: Priority_For_Writing, the length of an array. Raises Undecodable."""
    return _decoded(octets, lambda cursor: _unsigned(cursor.atom()))


def flag(octets: bytes) -> bool:
    """A Boolean. Raises Undecodable."""
    return _decoded(octets, _flag)


def references(octets: bytes) -> tuple[Reference, ...]:
    """What a Schedule writes to. Raises Undecodable."""
    return _decoded(octets, lambda cursor: tuple(_until_done(cursor, _reference)))


def _until_done(cursor: _Cursor, read: Callable[[_Cursor], T]) -> Iterable[T]:
    while not cursor.done:
        yield read(cursor)


def _day(cursor: _Cursor) -> Day:
    return _time_values(cursor, 0)


def _time_values(cursor: _Cursor, number: int) -> Day:
    cursor.expect(number << 4 | 0x0E)
    found: list[Entry] = []
    while not cursor.sees(number << 4 | 0x0F):
        found.append(Entry(_time(cursor.of(_TIME, 4)), _value(cursor)))
    return tuple(found)


def _time(octets: bytes) -> time:
    hour, minute, second, hundredths = octets
    if _ANY in octets:
        raise ValueError("an unspecified part of a time")
    return time(hour, minute, second, hundredths * 10_000)


def _value(cursor: _Cursor) -> float | None:
    atom = cursor.atom()
    return None if atom.tag == Tag.NULL else codec.number((atom,))


def _special(cursor: _Cursor) -> SpecialDays:
    holds: CalendarEntry | CalendarRef
    if cursor.sees(0x0E):
        holds = _calendar_entry(cursor)
        cursor.expect(0x0F)
    else:
        cursor.expect(0x1C)
        found = _object(cursor.take(4))
        if found.type != CALENDAR:
            raise ValueError("an exception refers to no Calendar object")
        holds = CalendarRef(found.instance)
    entries = _time_values(cursor, 2)
    priority = cursor.whole(3)
    if priority is None or not 1 <= priority <= codec.SLOTS:
        raise ValueError(f"an exception has the priority {priority}")
    return SpecialDays(holds, entries, priority)


def _calendar_entry(cursor: _Cursor) -> CalendarEntry:
    if cursor.sees(0x0C):
        return _pattern(cursor.take(4))
    if cursor.sees(0x1E):
        found = _range(cursor)
        cursor.expect(0x1F)
        return found
    cursor.expect(0x2B)
    month, week_, weekday = (_part(part) for part in cursor.take(3))
    _check("month", month, _LAST_MONTH)
    _check("week", week_, _LAST_WEEK)
    _check("weekday", weekday, _LAST_WEEKDAY)
    return WeekNDay(month, week_, weekday)


def _pattern(octets: bytes) -> DatePattern:
    year, month, day_, weekday = (_part(part) for part in octets)
    _check("month", month, _LAST_MONTH)
    _check("day", day_, _LAST_DAY)
    _check("weekday", weekday, _LAST_WEEKDAY)
    return DatePattern(None if year is None else _FIRST_YEAR + year, month, day_, weekday)


def _range(cursor: _Cursor) -> DateRange:
    start, end = (_end_of_range(cursor.of(_DATE, 4)) for _ in range(2))
    return DateRange(start, end)


def _end_of_range(octets: bytes) -> date | None:
    """A range has days or is open; the weekday may be left out. A partial wildcard is against the standard."""
    year, month, day_, _ = octets
    if octets[:3] == bytes([_ANY] * 3):
        return None
    if _ANY in octets[:3] or month > 12 or day_ > 31:
        raise ValueError("a range of dates with a wildcard in a part of a date")
    return date(_FIRST_YEAR + year, month, day_)


def _part(octet: int) -> int | None:
    return None if octet == _ANY else octet


def _check(name: str, part: int | None, last: int) -> None:
    if part is not None and not 1 <= part <= last:
        raise ValueError(f"a date with the {name} {part}")


def _unsigned(atom: Atom) -> int:
    if atom.tag != Tag.UNSIGNED:
        raise ValueError(f"datatype {atom.tag} where an unsigned was expected")
    return int.from_bytes(atom.octets)


def _flag(cursor: _Cursor) -> bool:
    return cursor.of(Tag.BOOLEAN, 1) == b"\x01"


def _object(octets: bytes) -> ObjectId:
    word = int.from_bytes(octets)
    return ObjectId(word >> 22, word & _INSTANCE)


def _reference(cursor: _Cursor) -> Reference:
    cursor.expect(0x0C)
    object_ = _object(cursor.take(4))
    property_ = cursor.whole(1)
    if property_ is None:
        raise ValueError("a reference to no property")
    element = cursor.whole(2)
    device = _object(cursor.take(4)) if cursor.sees(0x3C) else None
    return Reference(object_, property_, element, device)


def encode_week(days: Iterable[Day], tag: Tag) -> bytes:
    """A whole Weekly_Schedule whose values have the datatype ``tag``. Raises ValueError where it cannot hold one."""
    return b"".join(encode_day(each, tag) for each in days)


def encode_day(entries: Day, tag: Tag) -> bytes:
    """One element of a Weekly_Schedule."""
    return b"\x0e" + _encode_entries(entries, tag) + b"\x0f"


def encode_specials(rows: Iterable[SpecialDays], tag: Tag) -> bytes:
    """A whole Exception_Schedule."""
    return b"".join(encode_special(row, tag) for row in rows)


def encode_special(row: SpecialDays, tag: Tag) -> bytes:
    """One element of an Exception_Schedule."""
    if isinstance(row.period, CalendarRef):
        holds = b"\x1c" + (CALENDAR << 22 | row.period.instance).to_bytes(4)
    else:
        holds = b"\x0e" + _encode_calendar_entry(row.period) + b"\x0f"
    return holds + b"\x2e" + _encode_entries(row.entries, tag) + b"\x2f" + bytes([0x39, row.priority])


def encode_dates(entries: Iterable[CalendarEntry]) -> bytes:
    """A Date_List."""
    return b"".join(map(_encode_calendar_entry, entries))


def encode_period(range_: DateRange) -> bytes:
    """An Effective_Period."""
    return b"".join(b"\xa4" + _encode_day(each) for each in (range_.start, range_.end))


def encode_value(number: float | None, tag: Tag) -> bytes:
    """A Schedule_Default."""
    return wire.application(NULL if number is None else codec.atom_of(number, tag))


def encode_whole(number: int) -> bytes:
    """An unsigned."""
    return wire.application(codec.atom_of(number, Tag.UNSIGNED))


def encode_flag(holds: bool) -> bytes:
    """A Boolean."""
    return bytes([0x10 | holds])


def _encode_entries(entries: Day, tag: Tag) -> bytes:
    return b"".join(b"\xb4" + _encode_time(entry.at) + encode_value(entry.value, tag) for entry in entries)


def _encode_time(at: time) -> bytes:
    return bytes([at.hour, at.minute, at.second, at.microsecond // 10_000])


def _encode_calendar_entry(entry: CalendarEntry) -> bytes:
    if isinstance(entry, DateRange):
        return b"\x1e" + encode_period(entry) + b"\x1f"
    if isinstance(entry, WeekNDay):
        return b"\x2b" + _octets(entry.month, entry.week, entry.weekday)
    year = None if entry.year is None else entry.year - _FIRST_YEAR
    return b"\x0c" + _octets(year, entry.month, entry.day, entry.weekday)


def _octets(*parts: int | None) -> bytes:
    return bytes(_ANY if part is None else part for part in parts)


def _encode_day(day_: date | None) -> bytes:
    if day_ is None:
        return bytes([_ANY] * 4)
    return bytes([day_.year - _FIRST_YEAR, day_.month, day_.day, day_.isoweekday()])
