"""Every row of BACnet's precedence: effective period, priorities, equal priorities, NULL, midnight, daylight saving."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.calendars import Calendar, Period
from schedules.exceptions import Precedence
from schedules.occupancy import (
    DatedException,
    Effective,
    Interval,
    Occupancy,
    evaluate,
    next_opening,
    parse_interval,
    parse_weekly,
)

PARIS = ZoneInfo("Europe/Paris")
DAY = date(2026, 11, 10)  # a Tuesday
WEEK = {"mon-fri": "08:00-17:30", "fri": "08:00-12:00"}
FERIES = Calendar("feries", (Period(DAY, DAY, "Armistice"),))
YEAR = Effective(date(2026, 9, 1), date(2027, 7, 4))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


def exception(
    hours: str | None, occupied: bool | None, label: str = "", priority: int = 8, day: date = DAY, days: int = 1
) -> DatedException:
    interval = None if hours is None else parse_interval(hours)
    return DatedException(day, interval, occupied, label, day + timedelta(days=days - 1), priority)


def school(
    *exceptions: DatedException,
    closed: tuple[Calendar, ...] = (),
    effective: Effective = YEAR,
    closed_priority: int = 10,
    weekly: dict[str, str] | None = None,
) -> Occupancy:
    hours = parse_weekly(weekly if weekly is not None else {"mon-fri": "08:00-17:30"})
    return Occupancy("ecole", hours, closed, exceptions, PARIS, effective, closed_priority)


ROWS = {
    "before the effective period: the default": (school(), "2026-08-31T10:00", False, "outside the effective period"),
    "its first day": (school(), "2026-09-01T10:00", True, "weekly mon-fri"),
    "its last day": (school(effective=Effective(None, DAY)), "2026-11-10T10:00", True, "weekly mon-fri"),
    "after it": (school(effective=Effective(None, DAY)), "2026-11-11T10:00", False, "effective period ..2026-11-10"),
    "an open end": (school(effective=Effective(date(2026, 9, 1))), "2036-09-01T10:00", True, "weekly mon-fri"),
    "no exception outside it": (
        school(exception(None, True, "fete", priority=1, day=date(2026, 8, 29))), "2026-08-29T10:00", False,
        "outside the effective period 2026-09-01..2027-07-04",
    ),
    "an exception beats the week": (school(exception(None, False, "greve")), "2026-11-10T10:00", False, "greve"),
    "not on another day": (school(exception(None, False, "greve")), "2026-11-12T10:00", True, "weekly"),
    "the lowest number wins": (
        school(exception(None, True, "fete", 9), exception(None, False, "travaux", 3)), "2026-11-10T10:00", False,
        "closed: travaux (priority 3)",
    ),
    "the lowest number wins whatever the order": (
        school(exception(None, False, "travaux", 3), exception(None, True, "fete", 9)), "2026-11-10T10:00", False,
        "travaux",
    ),
    "priority 1 before 16": (
        school(exception(None, False, "x", 16), exception("18:00-20:00", True, "y", 1)), "2026-11-10T19:00", True,
        "dated: y (priority 1)",
    ),
    "equal numbers: the lowest index wins": (
        school(exception(None, True, "fete"), exception(None, False, "travaux")), "2026-11-10T19:00", True, "fete",
    ),
    "equal numbers, the other way round": (
        school(exception(None, False, "travaux"), exception(None, True, "fete")), "2026-11-10T19:00", False, "travaux",
    ),
    "NULL falls through to the next exception": (
        school(exception(None, None, "NULL", 1), exception(None, False, "greve", 5)), "2026-11-10T10:00", False,
        "closed: greve (priority 5)",
    ),
    "NULL falls through to the week": (school(exception(None, None, "NULL", 1)), "2026-11-10T10:00", True, "weekly"),
    "NULL falls through to a closed day": (
        school(exception(None, None, "NULL", 1), closed=(FERIES,)), "2026-11-10T10:00", False, "feries: Armistice",
    ),
    "outside its hours an exception says nothing": (
        school(exception("18:00-20:00", True, "conseil", 1)), "2026-11-10T10:00", True, "weekly",
    ),
    "a closed day beats the week": (school(closed=(FERIES,)), "2026-11-10T10:00", False, "closed: feries: Armistice"),
    "a dated exception beats a closed day": (
        school(exception("18:00-20:00", True, "conseil"), closed=(FERIES,)), "2026-11-10T19:00", True, "conseil",
    ),
    "an equal one stands before it": (
        school(exception("18:00-20:00", True, "conseil", 10), closed=(FERIES,)), "2026-11-10T19:00", True, "conseil",
    ),
    "a weaker one does not": (
        school(exception("18:00-20:00", True, "club", 11), closed=(FERIES,)), "2026-11-10T19:00", False, "feries",
    ),
    "unless the closed days are weaker": (
        school(exception("18:00-20:00", True, "club", 11), closed=(FERIES,), closed_priority=12), "2026-11-10T19:00",
        True, "club",
    ),
    "closed days at priority 1": (
        school(exception("18:00-20:00", True, "club", 2), closed=(FERIES,), closed_priority=1), "2026-11-10T19:00",
        False, "feries",
    ),
    "at midnight the week's value has gone": (school(weekly={"tue": "20:00-24:00"}), "2026-11-11T00:00", False, ""),
    "over midnight it has not": (school(weekly={"tue": "20:00-02:00"}), "2026-11-11T01:59", True, "tue 20:00-02:00"),
    "an exception over midnight reaches into the next day": (
        school(exception("22:00-02:00", True, "bal"), weekly={}), "2026-11-11T01:00", True, "bal",
    ),
    "there it beats the next day's weaker one": (
        school(exception("22:00-02:00", True, "bal", 5), exception(None, False, "x", 6, date(2026, 11, 11))),
        "2026-11-11T01:00", True, "bal",
    ),
    "and yields to its stronger one": (
        school(exception("22:00-02:00", True, "bal", 5), exception(None, False, "x", 4, date(2026, 11, 11))),
        "2026-11-11T01:00", False, "closed: x (priority 4)",
    ),
    "the end of the effective period cuts at midnight": (
        school(effective=Effective(None, DAY), weekly={"tue": "20:00-02:00"}), "2026-11-11T01:00", False, "effective",
    ),
    "what began before it does not reach in": (
        school(effective=Effective(date(2026, 11, 11)), weekly={"tue": "20:00-02:00"}), "2026-11-11T01:00", False, "",
    ),
    "an exception in the hour that comes twice": (
        school(exception("02:00-03:00", True, "nuit", day=date(2026, 10, 25))), "2026-10-25T02:30", True, "nuit",
    ),
    "an exception over the hour that is left out": (
        school(exception("01:00-04:00", True, "nuit", day=date(2027, 3, 28))), "2027-03-28T03:30", True, "nuit",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_precedence(name: str) -> None:
    occupancy, instant, occupied, reason = ROWS[name]
    found = evaluate(occupancy, at(instant))
    assert found.occupied is occupied
    assert reason in found.reason


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2027-03-28", 23)])
def test_a_whole_day_is_as_long_as_the_clock_makes_it(day: str, hours: int) -> None:
    hall = school(exception(None, True, "fete", day=date.fromisoformat(day)), weekly={})
    found = evaluate(hall, at(f"{day}T12:00"))
    assert found.until - found.since == timedelta(hours=hours)


def test_the_first_opening_of_an_effective_period() -> None:
    assert next_opening(school(), at("2026-07-14T12:00")) == at("2026-09-01T08:00")


def test_after_the_effective_period_nobody_comes_any_more() -> None:
    ended = school(effective=Effective(None, DAY))
    assert evaluate(ended, at("2026-11-12T12:00")).since == at("2026-11-10T17:30")
    assert next_opening(ended, at("2026-11-12T12:00")) is None


def test_a_long_exception_is_found_like_a_short_one() -> None:
    closed_for_years = exception(None, False, "travaux", 4, days=1500)
    assert [rank for rank, _ in Precedence([exception(None, True), closed_for_years]).starting_on(DAY)] == [1, 0]
    found = evaluate(school(exception(None, True), closed_for_years, effective=Effective()), at("2029-01-08T10:00"))
    assert (found.occupied, found.reason) == (False, "closed: travaux (priority 4)")


FIRST = date(2026, 11, 9)
quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
intervals = st.builds(Interval, quarters, quarters).filter(lambda each: each.start != each.end or each.start == time(0))
days = st.integers(0, 9).map(lambda n: FIRST + timedelta(days=n))
exceptions = st.builds(
    lambda start, length, interval, occupied, priority: DatedException(
        start, interval, occupied, "", start + timedelta(days=length), priority
    ),
    days, st.integers(0, 3), st.none() | intervals, st.sampled_from([True, False, None]), st.integers(1, 16),
)  # fmt: skip
halls = st.builds(
    lambda weekly, listed, closed, bounds, closed_priority: Occupancy(
        "x", weekly, (Calendar("c", tuple(Period(day, day, "") for day in closed)),), tuple(listed), ZoneInfo("UTC"),
        Effective(min(bounds), max(bounds)) if len(bounds) == 2 else Effective(*bounds), closed_priority,
    ),
    st.dictionaries(st.integers(0, 6), st.lists(intervals, min_size=1, max_size=2).map(tuple)),
    st.lists(exceptions, max_size=6), st.lists(days, max_size=3), st.lists(days, max_size=2), st.integers(1, 16),
)  # fmt: skip


def brute_force(hall: Occupancy, minute: datetime) -> bool:
    """The precedence as the standard tells it, minute by minute and without any index; for a zone without summer."""
    today = minute.date()
    if not hall.effective.holds_on(today):
        return False
    for priority in range(1, 17):
        for each in hall.exceptions:
            if each.priority == priority and each.occupied is not None:
                for started in (today - timedelta(days=1), today):
                    if _counts(hall, each, started) and _within(each.interval, started, minute):
                        return each.occupied
    return any(_within(interval, started, minute) for started, interval in _weekly(hall, today))


def _counts(hall: Occupancy, each: DatedException, started: date) -> bool:
    beaten = hall.closed[0].label_on(started) is not None and each.priority > hall.closed_priority
    return each.holds_on(started) and hall.effective.holds_on(started) and not beaten


def _weekly(hall: Occupancy, today: date) -> Iterator[tuple[date, Interval]]:
    for started in (today - timedelta(days=1), today):
        if hall.effective.holds_on(started) and hall.closed[0].label_on(started) is None:
            yield from ((started, interval) for interval in hall.weekly.get(started.weekday(), ()))


def _within(interval: Interval | None, started: date, minute: datetime) -> bool:
    since = (minute - datetime.combine(started, time(), UTC)) // timedelta(minutes=1)
    if interval is None:
        return 0 <= since < 1440
    start, end = (each.hour * 60 + each.minute for each in (interval.start, interval.end))
    return start <= since < (end if end > start else end + 1440)


@settings(max_examples=60, deadline=None)
@given(halls)
def test_it_agrees_with_a_brute_force_minute_by_minute(hall: Occupancy) -> None:
    start = datetime.combine(FIRST - timedelta(days=2), time(), UTC)
    for quarter in range(14 * 96):
        for minute in (start + timedelta(minutes=15 * quarter), start + timedelta(minutes=15 * quarter + 14)):
            assert evaluate(hall, minute).occupied is brute_force(hall, minute), minute
