"""A controller's own schedule as a value: the week, its exceptions, and which row of them rules at a local time. Pure.

Source: ASHRAE 135 clause 12.24 (Schedule), 12.9 (Calendar), 21 (dates). Which row rules, the first that says something:

1. outside the effective period: Schedule_Default, nothing else is looked at;
2. the exceptions of the day by their priority (1 wins), of the same priority by their place in the array; each is its
   latest entry of the day, and says nothing before its first one or while that entry is NULL;
3. the weekday's latest entry; from 00:00 to its first one, and where it is NULL, Schedule_Default.

A Schedule_Default of None is NULL: the point is relinquished. Times and dates are those of the controller's own clock.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ODD_MONTHS, EVEN_MONTHS = 13, 14
LAST_DAY, ODD_DAYS, EVEN_DAYS = 32, 33, 34
LAST_WEEK, MOST_BACK = 6, 9
"""WeekNDay: 1-5 count seven days each from the first of the month; 6 the last seven, 7-9 the seven before those."""
HORIZON_DAYS = 400
LOWEST_PRIORITY = 16

_DAY = timedelta(days=1)
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class DatePattern:
    """Days of a pattern; what is None may be anything. ``month`` 13 odd, 14 even; ``day`` 32 last, 33 odd, 34 even.

    ``weekday`` 1 is Monday.
    """

    year: int | None
    month: int | None
    day: int | None
    weekday: int | None

    def holds(self, on: date) -> bool:
        """Whether ``on`` is one of them."""
        return (
            self.year in (None, on.year)
            and _in_month(self.month, on)
            and _on_day(self.day, on)
            and self.weekday in (None, on.isoweekday())
        )

    @property
    def whole(self) -> date | None:
        """The one day that it names in full, whether its weekday is open or filled in; None where it names others."""
        try:
            named = date(self.year or 0, self.month or 0, self.day or 0)
        except ValueError:
            return None
        return named if self.weekday in (None, named.isoweekday()) else None

    @property
    def contradicts(self) -> bool:
        """Whether its weekday is not that of its date: it holds on no day at all."""
        return self.weekday is not None and self.whole is None and replace(self, weekday=None).whole is not None

    def __str__(self) -> str:
        if self.year and self.month and self.day and self.month <= 12 and self.day <= 31 and not self.contradicts:
            return f"{self.year}-{self.month:02}-{self.day:02}"
        parts = (self.year, self.month, self.day, self.weekday)
        return "date {}-{}-{} weekday {}".format(*("*" if part is None else part for part in parts))


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from ``start`` to ``end``, both included; None is open. The standard knows no other wildcard in here."""

    start: date | None
    end: date | None

    def holds(self, on: date) -> bool:
        """Whether ``on`` is one of them."""
        return (self.start is None or self.start <= on) and (self.end is None or on <= self.end)

    def __str__(self) -> str:
        return f"{self.start or '*'}..{self.end or '*'}"


@dataclass(frozen=True, slots=True)
class WeekNDay:
    """Weekdays of the month's weeks; what is None may be anything. ``month`` as in DatePattern, ``week`` 1-9."""

    month: int | None
    week: int | None
    weekday: int | None

    def holds(self, on: date) -> bool:
        """Whether ``on`` is one of them."""
        return _in_month(self.month, on) and _in_week(self.week, on) and self.weekday in (None, on.isoweekday())

    def __str__(self) -> str:
        parts = (self.month, self.week, self.weekday)
        return "month {} week {} weekday {}".format(*("*" if part is None else part for part in parts))


@dataclass(frozen=True, slots=True)
class CalendarRef:
    """The days of a Calendar object of the same device."""

    instance: int

    def __str__(self) -> str:
        return f"calendar,{self.instance}"


CalendarEntry = DatePattern | DateRange | WeekNDay
Calendars = Mapping[int, Sequence[CalendarEntry]]
"""The date list of each Calendar object of the device, by instance."""
ANY_DAY = DateRange(None, None)


@dataclass(frozen=True, slots=True)
class Entry:
    """From ``at`` on the value is ``value``, None is NULL."""

    at: time
    value: float | None


Day = tuple[Entry, ...]
"""In whatever order the device has them."""
NO_WEEK: tuple[Day, ...] = ((),) * _WEEK_DAYS


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """One row of an exception schedule. Of two that meet the lower ``priority`` number wins, 1 to 16."""

    period: CalendarEntry | CalendarRef
    entries: Day
    priority: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """A Schedule object. ``weekly`` has Monday first; ``default`` and what is None in an entry is NULL.

    ``priority_for_writing`` None: not known, or to be left as it is.
    """

    effective: DateRange
    weekly: tuple[Day, ...]
    exceptions: tuple[SpecialDays, ...]
    default: float | None
    priority_for_writing: int | None = None
    out_of_service: bool = False


@dataclass(frozen=True, slots=True)
class Agenda:
    """A Schedule object, and the date list of the Calendar object that goes with it (None: there is none)."""

    timetable: Timetable
    dates: tuple[CalendarEntry, ...] | None = None


class Row(StrEnum):
    """Which part of a schedule rules."""

    OUTSIDE = "outside the effective period"
    EXCEPTION = "exception"
    WEEKLY = "weekly"
    DEFAULT = "schedule default"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a schedule says at an instant, and by which row; ``words`` are for people."""

    value: float | None
    row: Row
    words: str


def value_at(timetable: Timetable, at: datetime, calendars: Calendars) -> Ruling:
    """What ``timetable`` says at the local time ``at`` (naive). A Calendar that is not known has no days."""
    if not timetable.effective.holds(at.date()):
        return Ruling(timetable.default, Row.OUTSIDE, f"{Row.OUTSIDE} {timetable.effective}")
    for index, special in _of_day(timetable, at.date(), calendars):
        entry = _latest(special.entries, at.time())
        if entry is not None and entry.value is not None:
            words = f"exception {index} ({special.period}, priority {special.priority}) since {entry.at:%H:%M}"
            return Ruling(entry.value, Row.EXCEPTION, words)
    entry = _latest(timetable.weekly[at.weekday()], at.time())
    if entry is not None and entry.value is not None:
        return Ruling(entry.value, Row.WEEKLY, f"weekly {WEEKDAYS[at.weekday()]} since {entry.at:%H:%M}")
    return Ruling(timetable.default, Row.DEFAULT, f"{Row.DEFAULT}: no entry of {WEEKDAYS[at.weekday()]} is in force")


def next_change(
    timetable: Timetable, at: datetime, calendars: Calendars, within_days: int = HORIZON_DAYS
) -> datetime | None:
    """The first local time after ``at`` at which the value is another one; None where there is none for so long."""
    value = value_at(timetable, at, calendars).value
    for ahead in range(within_days + 1):
        day = at.date() + _DAY * ahead
        for moment in _moments(timetable, day, calendars):
            instant = datetime.combine(day, moment)
            if instant > at and value_at(timetable, instant, calendars).value != value:
                return instant
    return None


def differences(wanted: Agenda, seen: Agenda, since: date | None = None) -> tuple[str, ...]:
    """What ``seen`` has otherwise than ``wanted``, in words; empty where both rule alike.

    The order of a day's entries and of a date list says nothing, nor does an exception without entries, nor the weekday
    of a whole date, nor what is over before ``since``. What ``wanted`` leaves open (``priority_for_writing`` None, no
    date list) is not compared.
    """
    return tuple(_differences(wanted, seen, since or date.min))


def _differences(wanted: Agenda, seen: Agenda, since: date) -> Iterator[str]:
    ours, theirs = wanted.timetable, seen.timetable
    for weekday, asked, found in zip(WEEKDAYS, ours.weekly, theirs.weekly, strict=True):
        if _sorted(asked) != _sorted(found):
            yield f"{weekday}: {words_of(found)} instead of {words_of(asked)}"
    yield from _of_exceptions(ours.exceptions, theirs.exceptions, since)
    yield from _of_dates(wanted.dates, seen.dates, since)
    if ours.default != theirs.default:
        yield f"default: {_word(theirs.default)} instead of {_word(ours.default)}"
    if ours.effective != theirs.effective:
        yield f"effective period: {theirs.effective} instead of {ours.effective}"
    if ours.priority_for_writing not in (None, theirs.priority_for_writing):
        yield f"it writes at priority {theirs.priority_for_writing} instead of {ours.priority_for_writing}"
    if ours.out_of_service != theirs.out_of_service:
        yield "it is out of service" if theirs.out_of_service else "it is not out of service"


def _of_exceptions(wanted: Sequence[SpecialDays], seen: Sequence[SpecialDays], since: date) -> Iterator[str]:
    asked = [row for row in wanted if row.entries and not _is_over(row.period, since)]
    found = [row for row in seen if row.entries and not _is_over(row.period, since)]
    for index, (ours, theirs) in enumerate(zip(asked, found, strict=False), 1):
        if not same_row(ours, theirs, since):
            yield f"exception {index}: {_row(theirs)} instead of {_row(ours)}"
    if len(asked) != len(found):
        yield f"{len(found)} exceptions instead of {len(asked)}"


def _of_dates(
    wanted: Sequence[CalendarEntry] | None, seen: Sequence[CalendarEntry] | None, since: date
) -> Iterator[str]:
    if wanted is None:
        return
    asked, found = (
        {_plain(entry, since): str(entry) for entry in entries if not _is_over(entry, since)}
        for entries in (wanted, seen or ())
    )
    lacking = [words for days, words in asked.items() if days not in found]
    strange = [words for days, words in found.items() if days not in asked]
    if lacking:
        yield f"its calendar lacks {_some(lacking)}"
    if strange:
        yield f"its calendar has {_some(strange)}"


def same_row(a: SpecialDays, b: SpecialDays, since: date = date.min) -> bool:
    """Whether two exceptions rule alike on the same days from ``since`` on; of those without entries none rules."""
    if not a.entries and not b.entries:
        return True
    days = _plain(a.period, since) == _plain(b.period, since)
    return days and (a.priority, _sorted(a.entries)) == (b.priority, _sorted(b.entries))


def _plain(period: CalendarEntry | CalendarRef, since: date) -> CalendarEntry | CalendarRef:
    """The same days from ``since`` on, written in one way only: a whole date is a range of one day."""
    if isinstance(period, DatePattern) and period.whole is not None:
        return DateRange(period.whole, period.whole)
    if isinstance(period, DateRange):
        return replace(period, start=max(period.start or date.min, since))
    return period


def _is_over(period: CalendarEntry | CalendarRef, since: date) -> bool:
    plain = _plain(period, since)
    return isinstance(plain, DateRange) and plain.end is not None and plain.end < since


def words_of(entries: Day) -> str:
    """A day for people: ``08:00 19, 17:30 16``."""
    return ", ".join(f"{entry.at:%H:%M} {_word(entry.value)}" for entry in _sorted(entries)) or "nothing"


def _row(special: SpecialDays) -> str:
    return f"{special.period} ({words_of(special.entries)}; priority {special.priority})"


def _word(value: float | None) -> str:
    return "NULL" if value is None else f"{value:g}"


def _some(words: Sequence[str], most: int = 3) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def _sorted(entries: Day) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.at)


def _of_day(timetable: Timetable, day: date, calendars: Calendars) -> list[tuple[int, SpecialDays]]:
    """The exceptions of a day with their places in the array (from 1), the strongest first."""
    found = [
        (index, special)
        for index, special in enumerate(timetable.exceptions, 1)
        if _holds(special.period, day, calendars)
    ]
    return sorted(found, key=lambda row: (row[1].priority, row[0]))


def _holds(period: CalendarEntry | CalendarRef, day: date, calendars: Calendars) -> bool:
    if isinstance(period, CalendarRef):
        return any(entry.holds(day) for entry in calendars.get(period.instance, ()))
    return period.holds(day)


def _latest(entries: Day, at: time) -> Entry | None:
    """The entry in force; of two at one time the later one in the list."""
    begun = [(entry.at, place) for place, entry in enumerate(entries) if entry.at <= at]
    return entries[max(begun)[1]] if begun else None


def _moments(timetable: Timetable, day: date, calendars: Calendars) -> Iterator[time]:
    """The times of a day at which anything may change, in order."""
    rows = [special.entries for _, special in _of_day(timetable, day, calendars)]
    rows.append(timetable.weekly[day.weekday()])
    yield from sorted({time(0), *(entry.at for entries in rows for entry in entries)})


def _in_month(month: int | None, on: date) -> bool:
    if month in (ODD_MONTHS, EVEN_MONTHS):
        return on.month % 2 == (month == ODD_MONTHS)
    return month in (None, on.month)


def _on_day(day: int | None, on: date) -> bool:
    if day == LAST_DAY:
        return on.day == _length(on)
    if day in (ODD_DAYS, EVEN_DAYS):
        return on.day % 2 == (day == ODD_DAYS)
    return day in (None, on.day)


def _in_week(week: int | None, on: date) -> bool:
    if week is None:
        return True
    if week < LAST_WEEK:
        return (on.day - 1) // _WEEK_DAYS + 1 == week
    return (_length(on) - on.day) // _WEEK_DAYS == week - LAST_WEEK


def _length(on: date) -> int:
    """Days in the month."""
    return calendar.monthrange(on.year, on.month)[1]
