"""Schedules as octets: golden ones, against an independent stack's types, and what must not become a timetable."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from bacpypes3.basetypes import (  # type: ignore[import-untyped]
    CalendarEntry,
    DailySchedule,
    SpecialEvent,
    SpecialEventPeriod,
    TimeValue,
)
from bacpypes3.basetypes import DateRange as TheirRange
from bacpypes3.basetypes import WeekNDay as TheirWeek
from bacpypes3.constructeddata import ArrayOf, ListOf  # type: ignore[import-untyped]
from bacpypes3.primitivedata import Date, Null, ObjectIdentifier, Real, Time  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from drivers.bacnet import schedule_codec as codec
from drivers.bacnet.codec import ObjectId, Tag, Undecodable
from drivers.timetable import CalendarRef, DatePattern, DateRange, Day, Entry, SpecialDays, WeekNDay

HOURS = (Entry(time(8), 19.0), Entry(time(17, 30), 16.0), Entry(time(22, 0, 30), None))
GOLDEN_DAY = "0e b408000000 4441980000 b4111e0000 4441800000 b416001e00 00 0f"


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def encoded(thing: Any) -> bytes:
    """The octets that the independent stack makes of its own type."""
    return bytes(thing.encode().encode().pduData)


def test_a_day_in_octets() -> None:
    assert codec.encode_day(HOURS, Tag.REAL) == octets(GOLDEN_DAY)
    assert codec.day(octets(GOLDEN_DAY)) == HOURS


ROWS = [
    (
        SpecialDays(CalendarRef(1), (Entry(time(0), 8.0),), 10),
        "1c01800001 2e b400000000 4441000000 2f 390a",
    ),
    (
        SpecialDays(DatePattern(2026, 12, 25, None), (Entry(time(0), 8.0),), 16),
        "0e 0c7e0c19ff 0f 2e b400000000 4441000000 2f 3910",
    ),
    (
        SpecialDays(DateRange(date(2026, 12, 19), date(2027, 1, 3)), (), 1),
        "0e 1e a47e0c1306 a47f010307 1f 0f 2e 2f 3901",
    ),
    (SpecialDays(WeekNDay(None, 6, 5), (), 2), "0e 2bff0605 0f 2e 2f 3902"),
]


@pytest.mark.parametrize(("row", "text"), ROWS)
def test_an_exception_in_octets(row: SpecialDays, text: str) -> None:
    assert codec.encode_special(row, Tag.REAL) == octets(text)
    assert codec.special(octets(text)) == row
    assert codec.specials(octets(text) * 2) == (row, row)


def theirs(entries: Day) -> list[Any]:
    return [
        TimeValue(
            time=Time((entry.at.hour, entry.at.minute, entry.at.second, 0)),
            value=Null(()) if entry.value is None else Real(entry.value),
        )
        for entry in entries
    ]


def test_a_week_is_that_of_an_independent_stack() -> None:
    days = (HOURS,) * 5 + ((), (Entry(time(0), 8.0),))
    array = ArrayOf(DailySchedule)([DailySchedule(daySchedule=theirs(day)) for day in days])
    assert encoded(array) == codec.encode_week(days, Tag.REAL)
    assert codec.week(encoded(array)) == days


def test_exceptions_are_those_of_an_independent_stack() -> None:
    periods: list[tuple[Any, Any]] = [
        (
            SpecialEventPeriod(calendarEntry=CalendarEntry(date=Date((126, 12, 25, 255)))),
            DatePattern(2026, 12, 25, None),
        ),
        (
            SpecialEventPeriod(
                calendarEntry=CalendarEntry(
                    dateRange=TheirRange(startDate=Date((126, 12, 19, 6)), endDate=Date((127, 1, 3, 7)))
                )
            ),
            DateRange(date(2026, 12, 19), date(2027, 1, 3)),
        ),
        (
            SpecialEventPeriod(calendarEntry=CalendarEntry(weekNDay=TheirWeek(bytes([255, 6, 5])))),
            WeekNDay(None, 6, 5),
        ),
        (SpecialEventPeriod(calendarReference=ObjectIdentifier("calendar,3")), CalendarRef(3)),
    ]
    rows = tuple(SpecialDays(ours, HOURS, 4) for _, ours in periods)
    array = ArrayOf(SpecialEvent)(
        [SpecialEvent(period=period, listOfTimeValues=theirs(HOURS), eventPriority=4) for period, _ in periods]
    )
    assert encoded(array) == codec.encode_specials(rows, Tag.REAL)
    assert codec.specials(encoded(array)) == rows


def test_a_date_list_is_that_of_an_independent_stack() -> None:
    listed = ListOf(CalendarEntry)(
        [
            CalendarEntry(date=Date((255, 13, 32, 255))),
            CalendarEntry(dateRange=TheirRange(startDate=Date((126, 2, 14, 6)), endDate=Date((126, 3, 1, 7)))),
        ]
    )
    ours = (DatePattern(None, 13, 32, None), DateRange(date(2026, 2, 14), date(2026, 3, 1)))
    assert encoded(listed) == codec.encode_dates(ours)
    assert codec.dates(encoded(listed)) == ours


SINGLE = [
    (codec.period, "a4ffffffff a4ffffffff", DateRange(None, None)),
    (codec.period, "a47e0901ff a4ffffffff", DateRange(date(2026, 9, 1), None)),
    (codec.value, "00", None),
    (codec.value, "4441800000", 16.0),
    (codec.value, "2102", 2.0),
    (codec.whole, "2110", 16),
    (codec.flag, "11", True),
    (codec.dates, "", ()),
    (
        codec.references,
        "0c00800001 1955 0c00800002 1955 2901 3c020004b1",
        (
            codec.Reference(ObjectId(2, 1), 85, None, None),
            codec.Reference(ObjectId(2, 2), 85, 1, ObjectId(8, 1201)),
        ),
    ),
]


@pytest.mark.parametrize(("decode", "text", "value"), SINGLE)
def test_the_other_properties(decode: Any, text: str, value: object) -> None:
    assert decode(octets(text)) == value


def test_what_is_encoded_is_decoded() -> None:
    assert codec.encode_period(DateRange(None, date(2026, 5, 20))) == octets("a4ffffffff a47e051403")
    assert codec.encode_whole(16) == octets("2110")
    assert codec.encode_flag(holds=False) == octets("10")
    assert codec.encode_value(2.0, Tag.UNSIGNED) == octets("2102")


WRONG = [
    ("a wildcard in a part of a range", codec.period, "a47eff01ff a4ffffffff", "wildcard"),
    ("the last day of a month in a range", codec.period, "a47e0220ff a4ffffffff", "wildcard"),
    ("a time that is not whole", codec.day, "0e b408ff0000 4441980000 0f", "unspecified"),
    ("no such time", codec.day, "0e b418000000 4441980000 0f", "hour"),
    ("a day without its end", codec.day, "0e b408000000 4441980000", "cut off"),
    ("more than a day", codec.day, "0e0f 0e0f", "more than"),
    ("a week of six days", codec.week, "0e0f" * 6, "6 days"),
    ("text for a value", codec.day, "0e b408000000 7202003a 0f", "no number"),
    ("not a number", codec.day, "0e b408000000 447fc00000 0f", "nan"),
    ("an exception without priority", codec.special, "0e 0c7e0c19ff 0f 2e 2f", "priority"),
    ("a priority of 17", codec.special, "0e 0c7e0c19ff 0f 2e 2f 3911", "priority 17"),
    ("a reference to a file", codec.special, "1c02800001 2e 2f 3901", "no Calendar"),
    ("a thirteenth weekday", codec.special, "0e 2bff060d 0f 2e 2f 3902", "weekday 13"),
]


@pytest.mark.parametrize(("name", "decode", "text", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_what_is_no_timetable(name: str, decode: Any, text: str, words: str) -> None:
    with pytest.raises(Undecodable, match=words):
        decode(octets(text))


@given(st.binary(max_size=60))
def test_noise_is_a_timetable_or_undecodable(noise: bytes) -> None:
    for decode in (codec.week, codec.day, codec.specials, codec.dates, codec.period, codec.references, codec.value):
        try:
            decode(noise)
        except Undecodable:
            continue
