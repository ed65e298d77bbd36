"""Moments of a building: words, when it closes and opens in a night, and a car park that follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.calendars import Calendar, Period
from schedules.moments import Absent, Edge, Moment, MomentError, OccupancyEdge, bound, parse_moment, resolve
from schedules.nights import night_span
from schedules.occupancy import (
    DatedException,
    Interval,
    Occupancy,
    closing_of_night,
    evaluate,
    opening_of_night,
    parse_interval,
    parse_weekly,
)
from schedules.program import LevelStep, Program, night
from tests.schedules.builders import PARIS

FERIES = Calendar("feries", (Period(date(2026, 11, 11), date(2026, 11, 11), "Armistice"),))
HOURS = {"mon-fri": ["08:00-12:00", "13:30-17:30"], "sat": "09:00-12:00"}


def school(*exceptions: DatedException, weekly: dict[str, str | list[str]] | None = None) -> Occupancy:
    return Occupancy("ecole", parse_weekly(HOURS if weekly is None else weekly), (FERIES,), exceptions, PARIS.zone)


def ecole(text: str, hours: Occupancy) -> Moment:
    return bound(parse_moment(text), {"ecole": hours})


@pytest.mark.parametrize(
    ("text", "moment", "canonical"),
    [
        ("closing(ecole)", OccupancyEdge(Edge.CLOSING, "ecole"), "closing(ecole)"),
        ("closing( ecole ) + 60m", OccupancyEdge(Edge.CLOSING, "ecole", timedelta(hours=1)), "closing(ecole)+1h"),
        (
            "opening(s-2)-30m",
            OccupancyEdge(Edge.OPENING, "s-2", -timedelta(minutes=30)),
            "opening(s-2)-30m",
        ),
    ],
)
def test_a_moment_of_a_building_is_read_and_written(text: str, moment: Moment, canonical: str) -> None:
    assert parse_moment(text) == moment
    assert str(moment) == canonical
    assert parse_moment(canonical) == moment


@pytest.mark.parametrize("text", ["closing", "closing()", "closing(École)", "closing(ecole)+", "close(ecole)"])
def test_what_is_no_moment_of_a_building(text: str) -> None:
    with pytest.raises(MomentError, match="closing"):
        parse_moment(text)


def test_a_moment_that_was_never_bound_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="not bound"):
        resolve(parse_moment("closing(ecole)"), date(2026, 11, 12), PARIS)


OPEN = "open"
CASES: dict[str, tuple[dict[str, str | list[str]] | None, str, str | None, str | None]] = {
    # hours, night of (2026-11), closing and opening as day and clock time
    "a school day": (None, "12", "12 17:30", "13 08:00"),
    "before a closed day": (None, "10", "10 17:30", None),
    "a closed day: left the evening before": (None, "11", "10 17:30", "12 08:00"),
    "closed exactly at noon, before the night": (None, "14", "14 12:00", None),
    "sunday": (None, "15", "14 12:00", "16 08:00"),
    "a bar closes after midnight": ({"thu": "22:00-04:30"}, "12", "13 04:30", None),
    "a ball until the morning": ({"thu": "20:00-07:00", "fri": "09:00-12:00"}, "12", "13 07:00", "13 09:00"),
    "who begins before three belongs to the evening": ({"fri": "02:59-04:00"}, "12", "13 04:00", None),
    "who begins at three belongs to the morning": (
        {"thu": "08:00-14:00", "fri": "03:00-04:00"},
        "12",
        "12 14:00",
        "13 03:00",
    ),
    "an opening at noon is another night's": ({"thu": "08:00-18:00", "fri": "12:00-14:00"}, "12", "12 18:00", None),
    "through noon": ({"thu": "10:00-16:00"}, "12", "12 16:00", None),
}


@pytest.mark.parametrize("name", CASES)
def test_when_a_building_closes_and_opens(name: str) -> None:
    weekly, day, closing, opening = CASES[name]
    hours, night_day = school(weekly=weekly), date(2026, 11, int(day))
    found = closing_of_night(hours, night_day), opening_of_night(hours, night_day)
    assert [f"{each.astimezone(PARIS.zone):%d %H:%M}" if each else None for each in found] == [closing, opening]


def test_a_closing_before_the_night_stops_at_its_noon_however_late_the_offset() -> None:
    sunday = date(2026, 11, 15)
    assert resolve(ecole("closing(ecole)+12h", school()), sunday, PARIS) == night_span(sunday, PARIS.zone).start


def test_a_building_that_never_closes_or_never_opens() -> None:
    always, never = school(weekly={"mon-sun": "00:00-24:00"}), school(weekly={})
    always = replace(always, closed=())
    day = date(2026, 11, 12)
    whole = night_span(day, PARIS.zone)
    assert resolve(ecole("closing(ecole)+1h", always), day, PARIS) == whole.end
    assert resolve(ecole("closing(ecole)+1h", never), day, PARIS) == whole.start
    for hours in (always, never):
        assert resolve(ecole("opening(ecole)-1h", hours), day, PARIS) is Absent.NO_OPENING


def car_park(hours: Occupancy, **moments: str) -> Program:
    texts = {"lit_from": "17:00", "lit_to": "08:30", **moments}
    steps = (LevelStep(ecole("closing(ecole)+1h", hours), 0.0), LevelStep(ecole("opening(ecole)-30m", hours), 60.0))
    return Program("parking", ecole(texts["lit_from"], hours), ecole(texts["lit_to"], hours), steps)


def lit(lamp: Program, day: date) -> list[tuple[str, float]]:
    return [(f"{s.at.astimezone(PARIS.zone):%d %H:%M}", s.level) for s in night(lamp, day, PARIS)]


def test_a_car_park_follows_the_building() -> None:
    parking = car_park(school())
    assert lit(parking, date(2026, 11, 12)) == [
        ("12 12:00", 0.0), ("12 17:00", 100.0), ("12 18:30", 0.0), ("13 07:30", 60.0), ("13 08:30", 0.0),
    ]  # fmt: skip
    assert all(step.level == 0.0 for step in night(parking, date(2026, 11, 14), PARIS)), "nobody came on Saturday night"
    assert night(parking, date(2026, 11, 14), PARIS)[1].reason == "17:00 (level of closing(ecole)+1h)"


def test_one_dated_evening_extends_the_lights_too() -> None:
    """The same row of reunions.csv that keeps the room warm."""
    meeting = DatedException(date(2026, 11, 12), parse_interval("18:00-22:30"), True, "conseil")
    assert evaluate(school(meeting), datetime(2026, 11, 12, 20, tzinfo=PARIS.zone)).occupied
    assert ("12 23:30", 0.0) in lit(car_park(school(meeting)), date(2026, 11, 12))
    assert lit(car_park(school(meeting)), date(2026, 11, 13)) == lit(car_park(school()), date(2026, 11, 13))


def test_a_lit_period_that_waits_for_an_opening() -> None:
    saturday, thursday = date(2026, 11, 14), date(2026, 11, 12)
    morning = car_park(school(), lit_from="opening(ecole)-1h")
    assert lit(morning, thursday)[1:] == [("13 07:00", 0.0), ("13 07:30", 60.0), ("13 08:30", 0.0)]
    assert [(s.level, s.reason) for s in night(morning, saturday, PARIS)] == [
        (0.0, "dark: no opening(ecole)-1h this night")
    ]
    until = replace(car_park(school(), lit_to="opening(ecole)"), levels=())
    assert lit(until, thursday)[-1] == ("13 08:00", 0.0)
    assert night(until, saturday, PARIS)[-1].reason == "off after sunrise (no opening(ecole) this night)"
    assert lit(until, saturday)[-1] == ("15 07:59", 0.0)


intervals = st.builds(
    lambda start, end: Interval(time(start), time(end % 24)), st.integers(0, 23), st.integers(1, 24)
).filter(lambda interval: interval.start != interval.end or interval.start == time(0))
weeks = st.dictionaries(st.integers(0, 6), st.lists(intervals, max_size=3).map(tuple))


@given(weeks, st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_closing_and_opening_are_edges_of_presence_in_the_right_order(
    weekly: dict[int, tuple[Interval, ...]], day: date
) -> None:
    hours = Occupancy("any", weekly, (FERIES,), (), PARIS.zone)
    closing, opening = closing_of_night(hours, day), opening_of_night(hours, day)
    tick, whole = timedelta(seconds=1), night_span(day, PARIS.zone)
    if whole.start < closing < whole.end:
        assert evaluate(hours, closing - tick).occupied
        assert not evaluate(hours, closing).occupied
    if opening is not None:
        assert opening in whole
        assert evaluate(hours, opening).occupied
        assert not evaluate(hours, opening - tick).occupied
        assert closing < opening or evaluate(hours, closing - tick).until < opening
