"""A zone's plan compiled into a controller's schedule: the example town's school, small capacities, odd days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.buildings import Delegation, Zone
from config.delegated import Compiled, calendars_of, compile_plan, is_held, ordinary_week
from config.load import load_site
from config.starter import example_directory
from drivers.timetable import WEEKDAYS, CalendarRef, DatePattern, DateRange, Timetable, differences, value_at, words_of
from schedules.allures import Allure, Setpoints
from schedules.calendars import Calendar, Period
from schedules.occupancy import DatedException, Interval, Occupancy, parse_interval, parse_weekly

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 11, 25)
ONE = Delegation("schedule,1", "calendar,1")


def valbourg() -> Zone:
    """The classrooms of the example town."""
    return load_site(example_directory("valbourg")).zones["ecole-jaures.classes"]


def zone(weekly: dict[str, list[str]], *exceptions: DatedException, closed: tuple[Period, ...] = ()) -> Zone:
    calendars = (Calendar("feries", closed),) if closed else ()
    occupancy = Occupancy("ecole", parse_weekly(weekly), calendars, exceptions, PARIS)
    return Zone("ecole.classes", "ecole", "ecole", 1, occupancy, Setpoints(19.0, 16.0, 8.0))


def meeting(day: str, hours: str, label: str) -> DatedException:
    return DatedException(date.fromisoformat(day), parse_interval(hours), True, label)


def value(compiled: Compiled, delegation: Delegation, at: str) -> float | None:
    agenda = compiled.agenda
    return value_at(agenda.timetable, datetime.fromisoformat(at), calendars_of(delegation, agenda)).value


def test_the_school_of_the_example_town() -> None:
    compiled = compile_plan(valbourg(), ONE, TODAY)
    timetable = compiled.agenda.timetable
    assert [words_of(day) for day in timetable.weekly] == [
        "00:00 8, 08:00 19, 17:30 16",
        "08:00 19, 17:30 16",
        "08:00 19, 17:30 16",
        "08:00 19, 17:30 16",
        "08:00 19, 17:30 8",  # from Friday 17:30 to Monday 08:00 are 62.5 h, each week
        "00:00 8",
        "00:00 8",
    ]
    assert timetable.default == 16.0
    (closed,) = timetable.exceptions
    assert (closed.period, words_of(closed.entries)) == (CalendarRef(1), "00:00 8")
    dates = compiled.agenda.dates or ()
    assert dates[0] == DateRange(date(2026, 12, 21), date(2027, 1, 1))
    assert DatePattern(2027, 3, 29, None) in dates, "Easter Monday"
    assert len(dates) <= 12


@pytest.mark.parametrize("delegation", [ONE, replace(ONE, calendar=None, exceptions=255)], ids=str)
def test_it_changes_with_the_month_and_not_with_the_day(delegation: Delegation) -> None:
    """From the middle of the autumn term over the holidays: a controller's memory wears out."""
    school, first = valbourg(), date(2026, 11, 25)
    days = [first + timedelta(days=ahead) for ahead in range(75)]
    agendas = {day: compile_plan(school, delegation, day).agenda for day in days}
    changed = [str(day) for before, day in pairwise(days) if agendas[before] != agendas[day]]
    assert changed == ["2026-12-01", "2027-01-01", "2027-02-01"]


def test_a_month_that_begins_in_the_holidays_says_nothing_new_of_them() -> None:
    """1 August 2027 is a Sunday, which is no day of its own: the range goes on all the same."""
    holidays = Period(date(2027, 7, 5), date(2027, 8, 31), "summer")
    school = zone({"mon-fri": ["08:00-17:30"]}, closed=(holidays,))
    before, after = (compile_plan(school, ONE, date(2027, 7, 31) + timedelta(days=ahead)).agenda for ahead in (0, 1))
    assert before != after
    assert differences(after, before, date(2027, 8, 1)) == ()
    assert differences(after, before) != ()


def test_days_that_are_over_take_no_room() -> None:
    """On the 27th the one exception is the choir's, and the calendar no longer that of the closed days of the 9th."""
    closed = Period(date(2026, 11, 9), date(2026, 11, 20), "closed")
    council, choir = meeting("2026-11-26", "18:00-20:30", "council"), meeting("2026-12-03", "19:00-22:00", "choir")
    school = zone({"mon-fri": ["08:00-17:30"]}, council, choir, closed=(closed,))
    alone = replace(ONE, calendar=None)
    assert [str(each) for each in compile_plan(school, alone, TODAY).left_out] == ["thu 2026-12-03 (dated: choir)"]
    assert compile_plan(school, alone, date(2026, 11, 27)).left_out == ()
    assert compile_plan(school, ONE, date(2026, 11, 27)).left_out == ()


def test_what_does_not_fit_is_named() -> None:
    compiled = compile_plan(valbourg(), ONE, TODAY)
    named = [str(day) for day in compiled.left_out]
    assert named[0] == "thu 2026-11-26 (dated: Conseil d'école)"
    assert "Marché de Noël" in named[1]
    assert named[-1] == "thu 2027-11-11 (vacant 38.5 h until Fri 08:00 (closed: feries: Armistice 1918))"


@pytest.mark.parametrize(
    "delegation",
    [
        ONE,
        replace(ONE, exceptions=4),
        replace(ONE, calendar=None),
        replace(ONE, exceptions=0),
        replace(ONE, exceptions=255),
        replace(ONE, modes=True),
        replace(ONE, lead=timedelta(hours=2)),
    ],
    ids=str,
)
def test_each_day_of_a_year_is_held_or_named(delegation: Delegation) -> None:
    """The promise: no day is silently another one."""
    school = valbourg()
    compiled = compile_plan(school, delegation, TODAY)
    assert len(compiled.agenda.timetable.exceptions) <= delegation.exceptions
    named = {each.day for each in compiled.left_out}
    days = (TODAY + timedelta(days=ahead) for ahead in range(366))
    wrong = [str(day) for day in days if is_held(school, delegation, compiled.agenda, day) == (day in named)]
    assert wrong == []
    assert delegation.exceptions < 255 or not named


def test_the_nearest_are_held_first_and_roll_on() -> None:
    school = zone(
        {"mon-fri": ["08:00-17:30"]},
        meeting("2026-11-26", "18:00-20:30", "council"),
        meeting("2026-12-03", "19:00-22:00", "choir"),
    )
    delegation = Delegation("schedule,1")
    compiled = compile_plan(school, delegation, TODAY)
    assert [str(each) for each in compiled.left_out] == ["thu 2026-12-03 (dated: choir)"]
    assert value(compiled, delegation, "2026-11-26 18:00") == 19.0
    rolled = compile_plan(school, delegation, date(2026, 11, 27))
    assert rolled.left_out == ()
    assert value(rolled, delegation, "2026-12-03 20:00") == 19.0


def test_the_calendar_takes_what_would_cost_most() -> None:
    """Two weeks of holidays at 8 degrees, not one evening at 19, although the evening is nearer."""
    school = zone(
        {"mon-fri": ["08:00-17:30"]},
        meeting("2026-11-26", "18:00-20:30", "council"),
        closed=(Period(date(2026, 12, 19), date(2027, 1, 3), "holidays"),),
    )
    compiled = compile_plan(school, ONE, TODAY)
    assert value(compiled, ONE, "2026-12-24 10:00") == 8.0
    assert [str(each) for each in compiled.left_out] == ["thu 2026-11-26 (dated: council)"]
    two = replace(ONE, exceptions=2)
    assert compile_plan(school, two, TODAY).left_out == ()


def test_a_short_weekend_is_no_frost() -> None:
    school = zone({"mon-fri": ["08:00-17:30"], "sat": ["09:00-18:00"]})
    weekly = compile_plan(school, ONE, TODAY).agenda.timetable.weekly
    assert [words_of(day) for day in weekly[4:]] == ["08:00 19, 17:30 16", "09:00 19, 18:00 16", "nothing"]


def test_hours_over_midnight_go_on_at_00_00() -> None:
    bar = zone({"fri": ["20:00-02:00"]})
    weekly = compile_plan(bar, ONE, TODAY).agenda.timetable.weekly
    assert words_of(weekly[4]) == "00:00 8, 20:00 19"
    assert words_of(weekly[5]) == "00:00 19, 02:00 8"


def test_too_many_changes_keep_the_shortest_breaks_warm() -> None:
    busy = zone({"mon-sun": ["06:00-08:00", "08:30-10:00", "11:00-12:00", "14:00-18:00"]})
    compiled = compile_plan(busy, ONE, TODAY)
    assert words_of(compiled.agenda.timetable.weekly[0]) == "06:00 19, 10:00 16, 11:00 19, 12:00 16, 14:00 19, 18:00 16"
    assert compiled.simplified == ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert not is_held(busy, ONE, compiled.agenda, TODAY), "so that the gateway supervises what was simplified"


def test_comfort_leads_the_opening() -> None:
    school = zone({"mon-fri": ["01:00-17:30"]})
    delegation = replace(ONE, lead=timedelta(hours=2))
    compiled = compile_plan(school, delegation, TODAY)
    assert value(compiled, delegation, "2026-11-25 22:59") == 16.0
    assert value(compiled, delegation, "2026-11-25 23:00") == 19.0
    assert value(compiled, delegation, "2026-11-26 00:30") == 19.0


def test_modes_are_numbers() -> None:
    school, delegation = zone({"mon-fri": ["08:00-17:30"]}), replace(ONE, modes=True)
    compiled = compile_plan(school, delegation, TODAY)
    assert [value(compiled, delegation, f"2026-11-{text}") for text in ("25 09:00", "25 18:00", "28 12:00")] == [
        1,
        2,
        3,
    ]


def test_the_change_of_summer_time_is_a_day_like_others() -> None:
    school = zone({"mon-sun": ["08:00-17:30"]})
    assert compile_plan(school, ONE, date(2027, 3, 20), 14).left_out == ()


def test_the_ordinary_week_knows_no_holidays() -> None:
    school = zone({"mon-fri": ["08:00-17:30"]}, closed=(Period(date(2026, 1, 1), date(2026, 12, 31), "closed"),))
    assert ordinary_week(school, ONE)[0] == (
        (time(0), Allure.FROST), (time(8), Allure.COMFORT), (time(17, 30), Allure.REDUCED)
    )  # fmt: skip


hours = st.tuples(st.integers(0, 95), st.integers(1, 60)).map(
    lambda pair: Interval(_quarter(pair[0]), _quarter(pair[0] + pair[1]))
)


def _quarter(count: int) -> time:
    return time(count // 4 % 24, count % 4 * 15)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.integers(0, 6), st.lists(hours, max_size=4).map(tuple)),
    st.lists(st.tuples(st.integers(0, 20), hours, st.booleans()), max_size=5),
    st.integers(2, 6),
    st.integers(0, 3),
    st.booleans(),
)
def test_within_capacity_and_never_silent(
    weekly: dict[int, tuple[Interval, ...]], dated: list[tuple[int, Interval, bool]], entries: int, rows: int, has: bool
) -> None:
    exceptions = tuple(DatedException(TODAY + timedelta(days=n), each, open_, "x") for n, each, open_ in dated)
    occupancy = Occupancy("any", weekly, (), exceptions, PARIS)
    any_zone = Zone("a.b", "a", "a", 1, occupancy, Setpoints(19.0, 16.0, 8.0))
    delegation = Delegation("schedule,1", "calendar,1" if has else None, entries_per_day=entries, exceptions=rows)
    compiled = compile_plan(any_zone, delegation, TODAY, 28)
    timetable: Timetable = compiled.agenda.timetable
    assert all(len(day) <= entries for day in (*timetable.weekly, *(row.entries for row in timetable.exceptions)))
    assert len(timetable.exceptions) <= rows
    named = {each.day for each in compiled.left_out}
    for ahead in range(28):
        day = TODAY + timedelta(days=ahead)
        if day not in named and WEEKDAYS[day.weekday()] not in compiled.simplified:
            assert is_held(any_zone, delegation, compiled.agenda, day)
