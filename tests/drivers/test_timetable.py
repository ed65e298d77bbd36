"""A controller's schedule: every row of the precedence table of ASHRAE 135 clause 12.24, and what always holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.timetable import (
    ANY_DAY,
    NO_WEEK,
    CalendarEntry,
    CalendarRef,
    DatePattern,
    DateRange,
    Day,
    Entry,
    Row,
    SpecialDays,
    Timetable,
    WeekNDay,
    next_change,
    value_at,
)

DEFAULT = 16.0


def day(*entries: tuple[str, float | None]) -> Day:
    return tuple(Entry(time.fromisoformat(at), value) for at, value in entries)


def on(text: str, *entries: tuple[str, float | None], priority: int = 10) -> SpecialDays:
    first, _, last = text.partition("..")
    period = DateRange(date.fromisoformat(first), date.fromisoformat(last or first))
    return SpecialDays(period, day(*entries), priority)


def school(**changes: object) -> Timetable:
    """Occupied 08:00-17:30 from Monday to Friday; 2026-11-23 is a Monday."""
    hours = day(("08:00", 19.0), ("17:30", 16.0))
    given_: dict[str, object] = {
        "effective": ANY_DAY, "weekly": (*(hours,) * 5, (), ()), "exceptions": (), "default": DEFAULT,
    }  # fmt: skip
    return Timetable(**given_ | changes)  # type: ignore[arg-type]


@dataclass
class Case:
    name: str
    at: str
    value: float | None
    row: Row
    schedule: Timetable
    calendars: dict[int, tuple[CalendarEntry, ...]] = field(default_factory=dict)


EVENING = on("2026-11-23", ("20:00", 20.0), ("22:00", None))
CLOSED = on("2026-11-23", ("00:00", 8.0))
TABLE = [
    Case("weekly: the latest entry holds", "2026-11-23 09:00", 19.0, Row.WEEKLY, school()),
    Case("weekly: an entry counts from its very minute", "2026-11-23 08:00", 19.0, Row.WEEKLY, school()),
    Case("weekly: not a second earlier", "2026-11-23 07:59:59", DEFAULT, Row.DEFAULT, school()),
    Case(
        "weekly: back to the default at midnight although the evening said 16.5", "2026-11-24 00:00", DEFAULT,
        Row.DEFAULT, school(weekly=(day(("17:30", 16.5)),) * 7),
    ),
    Case(
        "weekly: not so where 00:00 repeats it", "2026-11-24 00:00", 16.5,
        Row.WEEKLY, school(weekly=(day(("17:30", 16.5), ("00:00", 16.5)),) * 7),
    ),
    Case("weekly: a day without entries has the default", "2026-11-28 12:00", DEFAULT, Row.DEFAULT, school()),
    Case(
        "weekly: NULL is the default", "2026-11-23 18:00", DEFAULT,
        Row.DEFAULT, school(weekly=(day(("08:00", 19.0), ("17:30", None)),) * 7),
    ),
    Case(
        "weekly: NULL and a NULL default relinquish", "2026-11-23 18:00", None,
        Row.DEFAULT, school(weekly=(day(("08:00", 19.0), ("17:30", None)),) * 7, default=None),
    ),
    Case(
        "weekly: the order of the list does not matter", "2026-11-23 09:00", 19.0,
        Row.WEEKLY, school(weekly=(day(("17:30", 16.0), ("08:00", 19.0)),) * 7),
    ),
    Case(
        "effective period: the day before it", "2026-11-22 09:00", DEFAULT, Row.OUTSIDE,
        school(effective=DateRange(date(2026, 11, 23), date(2026, 11, 24)), weekly=(day(("00:00", 19.0)),) * 7),
    ),
    Case(
        "effective period: its first day", "2026-11-23 09:00", 19.0, Row.WEEKLY,
        school(effective=DateRange(date(2026, 11, 23), date(2026, 11, 24))),
    ),
    Case(
        "effective period: its last day, whole", "2026-11-24 17:29", 19.0, Row.WEEKLY,
        school(effective=DateRange(date(2026, 11, 23), date(2026, 11, 24))),
    ),
    Case(
        "effective period: outside it no exception counts", "2026-11-23 21:00", DEFAULT, Row.OUTSIDE,
        school(effective=DateRange(date(2026, 12, 1), None), exceptions=(EVENING,)),
    ),
    Case(
        "effective period: an open end", "2030-11-25 09:00", 19.0, Row.WEEKLY,
        school(effective=DateRange(date(2026, 12, 1), None)),
    ),
    Case("exception: beats the week", "2026-11-23 09:00", 8.0, Row.EXCEPTION, school(exceptions=(CLOSED,))),
    Case("exception: not on another day", "2026-11-24 09:00", 19.0, Row.WEEKLY, school(exceptions=(CLOSED,))),
    Case(
        "exception: before its first entry the week rules", "2026-11-23 09:00", 19.0,
        Row.WEEKLY, school(exceptions=(EVENING,)),
    ),
    Case("exception: from its first entry on", "2026-11-23 20:00", 20.0, Row.EXCEPTION, school(exceptions=(EVENING,))),
    Case(
        "exception: NULL falls through to the week", "2026-11-23 22:30", 16.0,
        Row.WEEKLY, school(exceptions=(EVENING,)),
    ),
    Case(
        "exception: gone at midnight", "2026-11-24 00:00", DEFAULT,
        Row.DEFAULT, school(exceptions=(on("2026-11-23", ("20:00", 20.0)),)),
    ),
    Case(
        "exceptions: the lower priority number wins", "2026-11-23 21:00", 20.0,
        Row.EXCEPTION, school(exceptions=(CLOSED, on("2026-11-23", ("20:00", 20.0), priority=9))),
    ),
    Case(
        "exceptions: of the same priority the lower index", "2026-11-23 21:00", 8.0,
        Row.EXCEPTION, school(exceptions=(CLOSED, EVENING)),
    ),
    Case(
        "exceptions: of the same priority the lower index, the other way round", "2026-11-23 21:00", 20.0,
        Row.EXCEPTION, school(exceptions=(EVENING, CLOSED)),
    ),
    Case(
        "exceptions: the stronger one's NULL falls through to the weaker one", "2026-11-23 22:30", 8.0,
        Row.EXCEPTION, school(exceptions=(EVENING, CLOSED)),
    ),
    Case(
        "exceptions: the stronger one without an entry yet falls through to the weaker one", "2026-11-23 19:00", 8.0,
        Row.EXCEPTION, school(exceptions=(EVENING, CLOSED)),
    ),
    Case(
        "exceptions: both NULL fall through to the week", "2026-11-23 22:30", 16.0,
        Row.WEEKLY, school(exceptions=(EVENING, on("2026-11-23", ("21:00", None)))),
    ),
    Case(
        "exceptions: NULL everywhere is the default", "2026-11-28 22:30", DEFAULT,
        Row.DEFAULT, school(exceptions=(on("2026-11-28", ("21:00", None)),)),
    ),
    Case(
        "calendar: its days are those of the exception", "2026-12-25 12:00", 8.0, Row.EXCEPTION,
        school(exceptions=(SpecialDays(CalendarRef(1), day(("00:00", 8.0)), 16),)),
        {1: (DateRange(date(2026, 12, 19), date(2027, 1, 3)),)},
    ),
    Case(
        "calendar: another calendar's days are not", "2026-12-25 12:00", 19.0, Row.WEEKLY,
        school(exceptions=(SpecialDays(CalendarRef(2), day(("00:00", 8.0)), 16),)),
        {1: (DateRange(date(2026, 12, 19), date(2027, 1, 3)),)},
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_precedence(case: Case) -> None:
    ruling = value_at(case.schedule, datetime.fromisoformat(case.at), case.calendars)
    assert (ruling.value, ruling.row) == (case.value, case.row)


WILDCARDS = [
    ("every Christmas", DatePattern(None, 12, 25, None), ["2026-12-25", "2031-12-25"], ["2026-12-24"]),
    ("every Friday the 13th", DatePattern(None, None, 13, 5), ["2026-11-13"], ["2026-12-13", "2026-11-20"]),
    ("a whole year", DatePattern(2026, None, None, None), ["2026-01-01", "2026-12-31"], ["2027-01-01"]),
    ("odd months", DatePattern(None, 13, None, None), ["2026-11-02", "2026-01-31"], ["2026-12-01"]),
    ("even months", DatePattern(None, 14, None, None), ["2026-12-01"], ["2026-11-30"]),
    ("the last day of the month", DatePattern(None, None, 32, None), ["2028-02-29", "2026-11-30"], ["2028-02-28"]),
    ("odd days", DatePattern(None, None, 33, None), ["2026-11-01", "2026-11-03"], ["2026-11-02"]),
    ("even days", DatePattern(None, None, 34, None), ["2026-11-02"], ["2026-11-03"]),
    ("any day", DatePattern(None, None, None, None), ["2026-11-02"], []),
    ("a range", DateRange(date(2026, 11, 2), date(2026, 11, 4)), ["2026-11-02", "2026-11-04"], ["2026-11-05"]),
    ("an open range", DateRange(None, None), ["1999-01-01"], []),
    ("the first week", WeekNDay(None, 1, None), ["2026-11-01", "2026-11-07"], ["2026-11-08"]),
    ("the second Tuesday", WeekNDay(None, 2, 2), ["2026-11-10"], ["2026-11-03", "2026-11-17"]),
    ("the fifth week", WeekNDay(None, 5, None), ["2026-11-29", "2026-12-31"], ["2026-11-28"]),
    ("the last seven days", WeekNDay(None, 6, None), ["2026-11-24", "2026-11-30"], ["2026-11-23"]),
    ("the last Friday of an odd month", WeekNDay(13, 6, 5), ["2026-11-27"], ["2026-11-20", "2026-12-25"]),
    ("the seven days before them", WeekNDay(None, 7, None), ["2026-11-17", "2026-11-23"], ["2026-11-24"]),
    ("two weeks before the last", WeekNDay(None, 8, None), ["2026-11-10", "2026-11-16"], ["2026-11-17"]),
    ("three weeks before the last", WeekNDay(None, 9, None), ["2026-02-01", "2026-02-07"], ["2026-02-08"]),
]


@pytest.mark.parametrize(("name", "period", "inside", "outside"), WILDCARDS, ids=[row[0] for row in WILDCARDS])
def test_days_of_a_pattern(name: str, period: CalendarEntry, inside: list[str], outside: list[str]) -> None:
    assert [text for text in inside if not period.holds(date.fromisoformat(text))] == []
    assert [text for text in outside if period.holds(date.fromisoformat(text))] == []


def test_a_reason_names_the_row() -> None:
    ruling = value_at(school(exceptions=(CLOSED,)), datetime.fromisoformat("2026-11-23 09:00"), {})
    assert ruling.words == "exception 1 (2026-11-23..2026-11-23, priority 10) since 00:00"


CHANGES = [
    ("2026-11-23 09:00", "2026-11-23 17:30"),
    ("2026-11-23 17:30", "2026-11-24 08:00"),  # 16 at midnight, too: no change
    ("2026-11-27 18:00", "2026-11-30 08:00"),
]


@pytest.mark.parametrize(("at", "change"), CHANGES)
def test_the_next_change(at: str, change: str) -> None:
    assert next_change(school(), datetime.fromisoformat(at), {}) == datetime.fromisoformat(change)


def test_a_schedule_that_never_changes() -> None:
    assert next_change(school(weekly=NO_WEEK), datetime.fromisoformat("2026-11-23"), {}) is None


values = st.sampled_from([None, 8.0, 16.0, 19.0])
minutes = st.integers(0, 1439).map(lambda m: time(m // 60, m % 60))
days = st.lists(st.builds(Entry, minutes, values), max_size=4).map(tuple)
near = st.dates(date(2026, 11, 26), date(2026, 12, 3))
patterns = st.builds(
    DatePattern,
    st.sampled_from([None, 2026]),
    st.sampled_from([None, 11, 12, 13, 14]),
    st.sampled_from([None, 1, 2, 30, 32, 33, 34]),
    st.sampled_from([None, 1, 3, 5]),
)
weeks = st.builds(
    WeekNDay, st.sampled_from([None, 11, 13]), st.sampled_from([None, 1, 5, 6, 7]), st.sampled_from([None, 2])
)
entries = st.one_of(patterns, weeks, st.builds(DateRange, st.none() | near, st.none() | near))
specials = st.builds(SpecialDays, entries | st.just(CalendarRef(1)), days, st.integers(1, 3))
schedules = st.builds(
    Timetable,
    st.just(ANY_DAY) | st.builds(DateRange, near, st.none() | near),
    st.lists(days, min_size=7, max_size=7).map(tuple),
    st.lists(specials, max_size=3).map(tuple),
    values,
)
local_times = st.datetimes(datetime.fromisoformat("2026-11-27"), datetime.fromisoformat("2026-12-02"))
MINUTE = timedelta(minutes=1)


@settings(max_examples=60, deadline=None)
@given(schedules, st.lists(entries, max_size=2), local_times)
def test_the_next_change_is_what_counting_minutes_finds(
    schedule: Timetable, listed: list[CalendarEntry], at: datetime
) -> None:
    calendars = {1: tuple(listed)}
    value = value_at(schedule, at, calendars).value
    minute = at.replace(second=0, microsecond=0) + MINUTE
    steps = (minute + MINUTE * ahead for ahead in range(3 * 1440))
    counted = next((step for step in steps if value_at(schedule, step, calendars).value != value), None)
    found = next_change(schedule, at, calendars, within_days=4)
    if counted is None:
        assert found is None or found >= minute + MINUTE * (3 * 1440)
    else:
        assert found == counted


@given(schedules, local_times)
def test_only_values_of_the_schedule_come_out(schedule: Timetable, at: datetime) -> None:
    rows = (*schedule.weekly, *(special.entries for special in schedule.exceptions))
    known = {schedule.default, *(entry.value for entries in rows for entry in entries)}
    ruling = value_at(schedule, at, {1: (ANY_DAY,)})
    assert ruling.value in known
    assert ruling.row is not Row.OUTSIDE or ruling.value == schedule.default
