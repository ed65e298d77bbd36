"""Which days: the vocabulary of ``on:`` as a table, and dated calendars."""

from __future__ import annotations

from calendar import monthcalendar
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.calendars import (
    WEEKDAYS,
    Calendar,
    DayRuleError,
    Period,
    matches,
    parse_days,
    parse_weekdays,
    weekday_words,
)

FERIES = Calendar(
    "feries",
    (
        Period(date(2026, 11, 1), date(2026, 11, 1), "Toussaint", "code du travail"),
        Period(date(2026, 11, 11), date(2026, 11, 11), "Armistice 1918"),
    ),
)
VACANCES = Calendar("vacances-b", (Period(date(2026, 12, 19), date(2027, 1, 3), ""),))
CALENDARS = {calendar.id: calendar for calendar in (FERIES, VACANCES)}


@pytest.mark.parametrize(
    ("on", "day", "reason"),
    [
        ("fri", "2026-11-20", "fri"),
        ("fri", "2026-11-21", None),
        ("mon-fri", "2026-11-20", "mon-fri"),
        ("mon-fri", "2026-11-21", None),
        ("sat-mon", "2026-11-23", "sat-mon"),
        ("sat-mon", "2026-11-21", "sat-mon"),
        ("sat-mon", "2026-11-24", None),
        ("mon-sun", "2026-11-24", "mon-sun"),
        ("12-24", "2026-12-24", "12-24"),
        ("12-24", "2031-12-24", "12-24"),
        ("12-24", "2026-12-25", None),
        ("12-24..12-26", "2026-12-26", "12-24..12-26"),
        ("12-24..12-26", "2026-12-27", None),
        ("12-24..01-02", "2026-12-31", "12-24..01-02"),
        ("12-24..01-02", "2027-01-02", "12-24..01-02"),
        ("12-24..01-02", "2027-01-03", None),
        ("12-24..01-02", "2026-12-23", None),
        ("02-29", "2028-02-29", "02-29"),
        ("02-29", "2027-02-28", None),
        ("02-29", "2027-03-01", None),
        ("02-28..03-01", "2028-02-29", "02-28..03-01"),
        ("02-29..03-01", "2027-03-01", "02-29..03-01"),
        ("2026-07-13", "2026-07-13", "2026-07-13"),
        ("2026-07-13", "2027-07-13", None),
        ("2026-07-13..2026-07-14", "2026-07-14", "2026-07-13..2026-07-14"),
        ("2026-12-31..2027-01-01", "2027-01-01", "2026-12-31..2027-01-01"),
        ("1st fri", "2026-11-06", "1st fri"),
        ("1st fri", "2026-11-13", None),
        ("3rd sun", "2026-11-15", "3rd sun"),
        ("5th sat", "2026-10-31", "5th sat"),
        ("last sat", "2026-11-28", "last sat"),
        ("last sat", "2026-11-21", None),
        ("last sun", "2026-05-31", "last sun"),
        ("last tue", "2028-02-29", "last tue"),
        ("feries", "2026-11-01", "feries: Toussaint"),
        ("feries", "2026-11-02", None),
        ("vacances-b", "2026-12-31", "vacances-b"),
        (["fri", "sat"], "2026-11-21", "sat"),
        (["12-24", "feries", "wed"], "2026-11-11", "feries: Armistice 1918"),
        (["fri", "sat"], "2026-11-22", None),
        (" Fri ", "2026-11-20", "fri"),
    ],
)
def test_the_words_of_a_rule(on: str | list[str], day: str, reason: str | None) -> None:
    assert matches(parse_days(on, CALENDARS), date.fromisoformat(day)) == reason


@pytest.mark.parametrize(
    ("on", "word", "said"),
    [
        ("frii", "frii", "allowed"),
        ("ferie", "ferie", "allowed"),
        ("mon-fre", "mon-fre", "allowed"),
        ("6th fri", "6th fri", "allowed"),
        ("02-30", "02-30", "day"),
        ("13-01", "13-01", "month"),
        ("2027-02-29", "2027-02-29", "day"),
        ("2026-07-14..2026-07-13", "2026-07-14..2026-07-13", "ends before"),
        ("12-24..2027-01-02", "12-24..2027-01-02", "allowed"),
        (["fri", "feriés"], "feriés", "allowed"),
        ([], "", "empty"),
        ("", "", "allowed"),
    ],
)
def test_a_word_that_names_no_day_is_refused(on: str | list[str], word: str, said: str) -> None:
    with pytest.raises(DayRuleError, match=said) as caught:
        parse_days(on, CALENDARS)
    assert caught.value.word == word


def test_a_refusal_carries_the_words_for_a_did_you_mean() -> None:
    with pytest.raises(DayRuleError) as caught:
        parse_days("ferie", CALENDARS)
    assert {"fri", "feries", "vacances-b"} <= set(caught.value.allowed)


def test_a_weekday_wins_over_a_calendar_of_the_same_name() -> None:
    odd = {"fri": Calendar("fri", (Period(date(2026, 11, 21), date(2026, 11, 21), "x"),))}
    assert matches(parse_days("fri", odd), date(2026, 11, 21)) is None


def test_an_empty_calendar_knows_nothing() -> None:
    empty = Calendar("none", ())
    assert empty.label_on(date(2026, 1, 1)) is None
    assert empty.valid_until is None


def test_a_calendar_is_valid_until_its_last_end() -> None:
    long_first = Calendar(
        "x",
        (Period(date(2026, 1, 1), date(2027, 6, 1), "a"), Period(date(2026, 2, 1), date(2026, 2, 2), "b")),
    )
    assert long_first.valid_until == date(2027, 6, 1)
    assert long_first.label_on(date(2026, 2, 2)) == "b"
    assert long_first.label_on(date(2026, 2, 3)) == "a"


FIRST = date(2026, 1, 1)
periods = st.builds(
    lambda start, length, label: Period(FIRST + timedelta(days=start), FIRST + timedelta(days=start + length), label),
    st.integers(0, 60),
    st.integers(0, 40),
    st.sampled_from("abc"),
)


@given(st.lists(periods, max_size=8), st.integers(-5, 120))
def test_label_on_equals_a_search_through_all_periods(found: list[Period], offset: int) -> None:
    day = FIRST + timedelta(days=offset)
    label = Calendar("x", tuple(found)).label_on(day)
    holding = [period for period in found if period.start <= day <= period.end]
    latest = max((period.start for period in holding), default=None)
    labels = [period.label for period in holding if period.start == latest]
    assert label in labels or (label is None and not labels)


@given(st.sets(st.integers(0, 6), min_size=1))
def test_weekday_words_name_exactly_the_days(days: set[int]) -> None:
    named = [parse_weekdays(word) for word in weekday_words(days).split(", ")]
    assert {day for group in named if group is not None for day in group} == days


@pytest.mark.parametrize(
    ("days", "words"),
    [((0, 1, 2, 3, 4), "mon-fri"), ((0, 1, 3, 4), "mon-tue, thu-fri"), ((5, 6, 0), "sat-mon"), ((2,), "wed")],
)
def test_weekdays_are_said_shortly(days: tuple[int, ...], words: str) -> None:
    assert weekday_words(days) == words


ordinals = st.sampled_from(["1st", "2nd", "3rd", "4th", "5th", "last"])


@given(ordinals, st.sampled_from(WEEKDAYS), st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_the_nth_weekday_is_counted_in_the_printed_month(ordinal: str, weekday: str, day: date) -> None:
    column = WEEKDAYS.index(weekday)
    days = [week[column] for week in monthcalendar(day.year, day.month) if week[column]]
    index = -1 if ordinal == "last" else int(ordinal[0]) - 1
    expected = days[index] if index < len(days) else None
    holds = matches(parse_days(f"{ordinal} {weekday}", {}), day) is not None
    assert holds == (day.day == expected)


LEAP_YEAR = [f"{date(2028, 1, 1) + timedelta(days=n):%m-%d}" for n in range(366)]


@given(st.integers(0, 365), st.integers(0, 365), st.dates(date(2024, 1, 1), date(2031, 12, 31)))
def test_a_yearly_range_holds_on_the_days_from_its_first_to_its_last(first: int, last: int, day: date) -> None:
    around = [*LEAP_YEAR, *LEAP_YEAR]
    walked = around[first : last + 1 + (366 if last < first else 0)]
    rule = parse_days(f"{LEAP_YEAR[first]}..{LEAP_YEAR[last]}", {})
    assert (matches(rule, day) is not None) == (f"{day:%m-%d}" in walked)


@given(st.dates(), st.integers(0, 40), st.integers(-5, 50))
def test_a_dated_range_holds_from_its_first_day_to_its_last(start: date, length: int, offset: int) -> None:
    if not date(1, 2, 1) < start < date(9999, 10, 1):
        return
    end, day = start + timedelta(days=length), start + timedelta(days=offset)
    assert (matches(parse_days(f"{start}..{end}", {}), day) is not None) == (0 <= offset <= length)
