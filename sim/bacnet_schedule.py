"""Schedule and Calendar objects of a simulated controller: their properties, their limits and what they command.

The least that the standard lets a device do (ASHRAE 135 annex K, BIBB SCHED-I-B): six entries a day and one exception;
more is refused. Written from clause 12.24 on its own: it must not share a mistake with the daemon's evaluation.
"""

from __future__ import annotations

import calendar
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from config.site import Site
from sim.bacnet_codec import Reader, application, context, enclosed
from sim.bacnet_properties import Encoded, ServiceError, object_id, property_error
from sim.bacnet_values import (
    Atom,
    BitString,
    Boolean,
    CharacterString,
    Date,
    DecodeError,
    Enumerated,
    Null,
    ObjectId,
    OctetString,
    Real,
    Time,
    Unsigned,
)
from sim.bacnet_words import ErrorClass, ErrorCode, ObjectType, Property, RejectReason
from sim.objects import LOWEST_PRIORITY, BacnetObject

MOST_ENTRIES, MOST_EXCEPTIONS, MOST_DATES = 6, 1, 40
PRIORITY_FOR_WRITING = 16
DAYS_A_WEEK = 7
ANY = 255
ODD, EVEN, LAST_DAY, ODD_DAYS, EVEN_DAYS, LAST_WEEK = 13, 14, 32, 33, 34, 6
_ARRAYS = frozenset({Property.WEEKLY_SCHEDULE, Property.EXCEPTION_SCHEDULE})
_ANY_DATE = Date(ANY, ANY, ANY, ANY)

Rows = dict[int, Callable[[], Encoded]]
TimeValues = tuple[tuple[Time, Atom], ...]


class OwnObject(ABC):
    """An object whose properties are constructed: a Schedule or a Calendar."""

    def __init__(self, type_: ObjectType, instance: int, name: str) -> None:
        self.id, self.name = ObjectId(type_, instance), name

    def table(self) -> Rows:
        """Its properties, encoded when they are asked for."""
        return {
            Property.OBJECT_IDENTIFIER: lambda: application(self.id),
            Property.OBJECT_NAME: lambda: application(CharacterString(self.name)),
            Property.OBJECT_TYPE: lambda: application(Enumerated(self.id.type)),
        }

    @abstractmethod
    def write(self, name: int, index: int | None, encoded: bytes) -> None:
        """Take a property or one element of it. Raises ServiceError or DecodeError; then nothing has changed."""

    @abstractmethod
    def step(self, local: datetime) -> None:
        """The device's own clock shows ``local``."""


@dataclass(frozen=True, slots=True)
class Days:
    """A calendar entry: one of the three kinds, with its octets as they were written."""

    encoded: bytes
    holds: Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Special:
    """One row of an exception schedule."""

    encoded: bytes
    days: Days | ObjectId
    entries: TimeValues
    priority: int


class CalendarObject(OwnObject):
    """A list of dates."""

    def __init__(self, instance: int) -> None:
        super().__init__(ObjectType.CALENDAR, instance, f"Calendar {instance}")
        self.dates: tuple[Days, ...] = ()
        self._today = date(1900, 1, 1)

    def table(self) -> Rows:
        """Beside the date list whether today is in it."""
        return super().table() | {
            Property.PRESENT_VALUE: lambda: application(Boolean(self.has(self._today))),
            Property.DATE_LIST: lambda: b"".join(days.encoded for days in self.dates),
        }

    def has(self, day: date) -> bool:
        """Whether ``day`` is in the list."""
        return any(days.holds(day) for days in self.dates)

    def write(self, name: int, index: int | None, encoded: bytes) -> None:
        """The date list is taken whole."""
        if name != Property.DATE_LIST:
            raise property_error(ErrorCode.WRITE_ACCESS_DENIED)
        reader, dates = Reader(encoded), []
        while not reader.done:
            dates.append(_days(reader))
        if len(dates) > MOST_DATES:
            raise ServiceError(ErrorClass.RESOURCES, ErrorCode.NO_SPACE_TO_ADD_LIST_ELEMENT)
        self.dates = tuple(dates)

    def step(self, local: datetime) -> None:
        """Today is another day."""
        self._today = local.date()


class ScheduleObject(OwnObject):
    """A schedule that commands ``target`` at its priority for writing whenever its value changes."""

    def __init__(self, instance: int, target: BacnetObject, calendars: Sequence[CalendarObject] = ()) -> None:
        super().__init__(ObjectType.SCHEDULE, instance, f"Schedule {instance}")
        self.effective: tuple[Date, Date] = (_ANY_DATE, _ANY_DATE)
        self.weekly: tuple[TimeValues, ...] = ((),) * DAYS_A_WEEK
        self.exceptions: tuple[Special, ...] = ()
        self.default: Atom = Null()
        self.priority = PRIORITY_FOR_WRITING
        self.out_of_service = False
        self.value: Atom = Null()
        self._target = target
        self._calendars = {each.id: each for each in calendars}

    def table(self) -> Rows:
        """Every property that clause 12.24 requires."""
        return super().table() | {
            Property.PRESENT_VALUE: lambda: application(self.value),
            Property.EFFECTIVE_PERIOD: lambda: b"".join(map(application, self.effective)),
            Property.WEEKLY_SCHEDULE: lambda: tuple(enclosed(0, _encoded(day)) for day in self.weekly),
            Property.EXCEPTION_SCHEDULE: lambda: tuple(special.encoded for special in self.exceptions),
            Property.SCHEDULE_DEFAULT: lambda: application(self.default),
            Property.LIST_OF_OBJECT_PROPERTY_REFERENCES: lambda: (
                context(0, object_id(self._target)) + context(1, Enumerated(Property.PRESENT_VALUE))
            ),
            Property.PRIORITY_FOR_WRITING: lambda: application(Unsigned(self.priority)),
            Property.STATUS_FLAGS: lambda: application(BitString((False, False, False, self.out_of_service))),
            Property.RELIABILITY: lambda: application(Enumerated(0)),
            Property.OUT_OF_SERVICE: lambda: application(Boolean(self.out_of_service)),
        }

    def write(self, name: int, index: int | None, encoded: bytes) -> None:
        """Arrays whole or by element, element 0 of the exceptions sets their number."""
        if name not in (Property.WEEKLY_SCHEDULE, Property.EXCEPTION_SCHEDULE):
            self._write_plain(name, encoded)
            return
        reader = Reader(encoded)
        if name == Property.WEEKLY_SCHEDULE:
            self._write_week(reader, index)
        else:
            self._write_exceptions(reader, index)
        reader.end()

    def _write_plain(self, name: int, encoded: bytes) -> None:
        values = _values(encoded)
        if name == Property.EFFECTIVE_PERIOD and len(values) == 2:
            self.effective = (_end(values[0]), _end(values[1]))
        elif name == Property.SCHEDULE_DEFAULT and len(values) == 1:
            self.default = values[0]
        elif name == Property.PRIORITY_FOR_WRITING and len(values) == 1 and isinstance(values[0], Unsigned):
            if not 1 <= values[0].value <= LOWEST_PRIORITY:
                raise property_error(ErrorCode.VALUE_OUT_OF_RANGE)
            self.priority = values[0].value
        elif name == Property.OUT_OF_SERVICE and len(values) == 1 and isinstance(values[0], Boolean):
            self.out_of_service = values[0].value
        else:
            raise property_error(ErrorCode.WRITE_ACCESS_DENIED)

    def _write_week(self, reader: Reader, index: int | None) -> None:
        numbers = range(1, DAYS_A_WEEK + 1) if index is None else (index,)
        if index == 0:
            raise property_error(ErrorCode.WRITE_ACCESS_DENIED)
        if not all(1 <= number <= DAYS_A_WEEK for number in numbers):
            raise property_error(ErrorCode.INVALID_ARRAY_INDEX)
        week = list(self.weekly)
        for number in numbers:
            week[number - 1] = _time_values(reader, 0)
        reader.end()
        self.weekly = tuple(week)

    def _write_exceptions(self, reader: Reader, index: int | None) -> None:
        if index == 0:
            count = reader.value()
            if not isinstance(count, Unsigned):
                raise property_error(ErrorCode.INVALID_DATA_TYPE)
            _room(count.value, MOST_EXCEPTIONS)
            self.exceptions = (*self.exceptions, *(_nothing(),) * count.value)[: count.value]
            return
        rows = [_special(reader)] if index is not None else []
        while index is None and not reader.done:
            rows.append(_special(reader))
        reader.end()
        if index is None:
            _room(len(rows), MOST_EXCEPTIONS)
            self.exceptions = tuple(rows)
        elif index > len(self.exceptions):
            raise property_error(ErrorCode.INVALID_ARRAY_INDEX)
        else:
            self.exceptions = (*self.exceptions[: index - 1], rows[0], *self.exceptions[index:])

    def step(self, local: datetime) -> None:
        """Command the target where the value is another one than before."""
        if self.out_of_service:
            return
        value = self._at(local)
        if value == self.value:
            return
        self.value = value
        number = value.value if isinstance(value, Real | Unsigned | Enumerated) else None
        self._target.command(self.priority, None if number is None else float(number))

    def _at(self, local: datetime) -> Atom:
        """Clause 12.24.4: effective period, exceptions by priority and place, the week, the default."""
        day, clock = local.date(), Time(local.hour, local.minute, local.second, local.microsecond // 10_000)
        if not _between(*self.effective, day):
            return self.default
        for special in sorted(self.exceptions, key=lambda row: row.priority):  # stable: then by place
            if self._holds(special, day):
                found = _in_force(special.entries, clock)
                if not isinstance(found, Null):
                    return found
        found = _in_force(self.weekly[day.weekday()], clock)
        return self.default if isinstance(found, Null) else found

    def _holds(self, special: Special, day: date) -> bool:
        if isinstance(special.days, ObjectId):
            known = self._calendars.get(special.days)
            return known is not None and known.has(day)
        return special.days.holds(day)


def own_objects(site: Site, device: str, points: Sequence[BacnetObject]) -> list[OwnObject]:
    """The Schedule and Calendar objects that the zones of a device name, each with its zone's setpoint to command."""
    by_key, made = {point.key: point for point in points}, list[OwnObject]()
    for zone in site.zones.values():
        if zone.delegate is None or zone.device != device:
            continue
        calendars = [] if zone.delegate.calendar is None else [CalendarObject(_instance(zone.delegate.calendar))]
        target = by_key[f"analog-value,{zone.number}"]
        made += [*calendars, ScheduleObject(_instance(zone.delegate.schedule), target, calendars)]
    return made


def _instance(reference: str) -> int:
    return int(reference.partition(",")[2])


def _values(encoded: bytes) -> list[Atom]:
    reader, values = Reader(encoded), list[Atom]()
    while not reader.done:
        values.append(reader.value())
    return values


def _room(wanted: int, most: int) -> None:
    if wanted > most:
        raise ServiceError(ErrorClass.RESOURCES, ErrorCode.NO_SPACE_TO_WRITE_PROPERTY)


def _time_values(reader: Reader, tag: int) -> TimeValues:
    inner, found = Reader(reader.enclosed(tag)), list[tuple[Time, Atom]]()
    while not inner.done:
        at = inner.value()
        if not isinstance(at, Time):
            raise DecodeError("no time", RejectReason.INVALID_PARAMETER_DATA_TYPE)
        if ANY in at.content():
            raise property_error(ErrorCode.VALUE_OUT_OF_RANGE)
        found.append((at, inner.value()))
    _room(len(found), MOST_ENTRIES)
    return tuple(found)


def _encoded(entries: TimeValues) -> bytes:
    return b"".join(application(at) + application(value) for at, value in entries)


def _in_force(entries: TimeValues, clock: Time) -> Atom:
    """The value of the latest entry, Null where there is none yet."""
    begun = [(at.content(), value) for at, value in entries if at.content() <= clock.content()]
    return max(begun, key=lambda entry: entry[0])[1] if begun else Null()


def _special(reader: Reader) -> Special:
    ahead = reader.peek()
    if ahead is not None and ahead.number == 1:
        reference = reader.context(1, ObjectId)
        days: Days | ObjectId = reference
        encoded = context(1, reference)
    else:
        days = _days(Reader(reader.enclosed(0)))
        encoded = enclosed(0, days.encoded)
    entries = _time_values(reader, 2)
    priority = reader.context(3, Unsigned)
    if not 1 <= priority.value <= LOWEST_PRIORITY:
        raise property_error(ErrorCode.VALUE_OUT_OF_RANGE)
    encoded += enclosed(2, _encoded(entries)) + context(3, priority)
    return Special(encoded, days, entries, priority.value)


def _nothing() -> Special:
    """A row that an enlarged array is filled with."""
    never = Date(0, 1, 1, ANY)
    encoded = enclosed(0, context(0, never)) + enclosed(2, b"") + context(3, Unsigned(LOWEST_PRIORITY))
    return Special(encoded, Days(context(0, never), lambda _: False), (), LOWEST_PRIORITY)


def _days(reader: Reader) -> Days:
    ahead = reader.peek()
    if ahead is not None and ahead.number == 0:
        pattern = reader.context(0, Date)
        return Days(context(0, pattern), partial(_matches, pattern))
    if ahead is not None and ahead.number == 1:
        ends = _values(reader.enclosed(1))
        if len(ends) != 2:
            raise DecodeError("a range has two dates", RejectReason.INVALID_PARAMETER_DATA_TYPE)
        start, end = _end(ends[0]), _end(ends[1])
        return Days(enclosed(1, application(start) + application(end)), partial(_between, start, end))
    week = reader.context(2, OctetString)
    if len(week.content()) != 3:
        raise DecodeError("a week and day has three octets", RejectReason.INVALID_PARAMETER_DATA_TYPE)
    return Days(context(2, week), partial(_in_week, *week.content()))


def _end(value: Atom) -> Date:
    """An end of a range: a date, or wholly unspecified."""
    if not isinstance(value, Date):
        raise property_error(ErrorCode.INVALID_DATA_TYPE)
    parts = (value.year, value.month, value.day)
    if ANY in parts and set(parts) != {ANY}:
        raise property_error(ErrorCode.VALUE_OUT_OF_RANGE)
    return value


def _between(start: Date, end: Date, day: date) -> bool:
    today = (day.year - 1900, day.month, day.day)
    begun = start.year == ANY or (start.year, start.month, start.day) <= today
    return begun and (end.year == ANY or today <= (end.year, end.month, end.day))


def _matches(pattern: Date, day: date) -> bool:
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    of_days = {LAST_DAY: is_last, ODD_DAYS: day.day % 2 == 1, EVEN_DAYS: day.day % 2 == 0}
    return (
        pattern.year in (ANY, day.year - 1900)
        and _in_month(pattern.month, day)
        and (pattern.day in (ANY, day.day) or of_days.get(pattern.day, False))
        and pattern.weekday in (ANY, day.isoweekday())
    )


def _in_month(month: int, day: date) -> bool:
    return month in (ANY, day.month) or month == (ODD if day.month % 2 else EVEN)


def _in_week(month: int, week: int, weekday: int, day: date) -> bool:
    left = calendar.monthrange(day.year, day.month)[1] - day.day
    counted = (day.day + 6) // 7 if week < LAST_WEEK else LAST_WEEK + left // 7
    return _in_month(month, day) and week in (ANY, counted) and weekday in (ANY, day.isoweekday())
