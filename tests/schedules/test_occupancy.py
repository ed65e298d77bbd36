"""Occupancy: weekly hours, closed days and dated exceptions as a table of instants; openings; bounds."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.calendars import Calendar, Period
from schedules.occupancy import (
    HORIZON_DAYS,
    DatedException,
    Interval,
    Occupancy,
    OccupancyError,
    evaluate,
    next_opening,
    parse_interval,
    parse_weekly,
)

ZONE = ZoneInfo("Europe/Paris")
FERIES = Calendar("feries", (Period(date(2026, 11, 11), date(2026, 11, 11), "Armistice"),))
VACANCES = Calendar("vacances-b", (Period(date(2026, 12, 19), date(2027, 1, 3), "Noel"),))
EVENING = Interval(time(18), time(22))


def at(text: str) -> datetime:
    """An instant from local time in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


ECOLE = Occupancy(
    "ecole",
    parse_weekly({"mon-fri": ["08:00-12:00", "13:30-17:30"], "sat": "22:00-02:00"}),
    (FERIES, VACANCES),
    (
        DatedException(date(2026, 11, 11), EVENING, True, "Conseil"),
        DatedException(date(2026, 11, 26), None, False, "Greve"),
        DatedException(date(2026, 12, 24), Interval(time(20), time(1)), True, "Veillee", end=date(2026, 12, 25)),
    ),
    ZONE,
)


@pytest.mark.parametrize(
    ("instant", "occupied", "since", "until", "reason"),
    [
        ("2026-11-09T08:00", True, "2026-11-09T08:00", "2026-11-09T12:00", "weekly mon-fri 08:00-12:00"),
        ("2026-11-09T12:00", False, "2026-11-09T12:00", "2026-11-09T13:30", "outside the weekly hours"),
        ("2026-11-09T17:29", True, "2026-11-09T13:30", "2026-11-09T17:30", "weekly mon-fri 13:30-17:30"),
        ("2026-11-10T23:59", False, "2026-11-10T17:30", "2026-11-11T18:00", "closed: feries: Armistice"),
        ("2026-11-11T09:00", False, "2026-11-10T17:30", "2026-11-11T18:00", "closed: feries: Armistice"),
        ("2026-11-11T20:00", True, "2026-11-11T18:00", "2026-11-11T22:00", "dated: Conseil"),
        ("2026-11-14T23:00", True, "2026-11-14T22:00", "2026-11-15T02:00", "weekly sat 22:00-02:00"),
        ("2026-11-15T01:59", True, "2026-11-14T22:00", "2026-11-15T02:00", "weekly sat 22:00-02:00"),
        ("2026-11-15T02:00", False, "2026-11-15T02:00", "2026-11-16T08:00", "outside the weekly hours"),
        ("2026-11-26T10:00", False, "2026-11-25T17:30", "2026-11-27T08:00", "closed: Greve"),
        ("2026-12-19T23:00", False, "2026-12-18T17:30", "2026-12-24T20:00", "closed: vacances-b: Noel"),
        ("2026-12-25T00:30", True, "2026-12-24T20:00", "2026-12-25T01:00", "dated: Veillee"),
        ("2026-12-26T00:30", True, "2026-12-25T20:00", "2026-12-26T01:00", "dated: Veillee"),
        ("2027-01-03T12:00", False, "2026-12-26T01:00", "2027-01-04T08:00", "closed: vacances-b: Noel"),
    ],
)
def test_presence_around_an_instant(instant: str, occupied: bool, since: str, until: str, reason: str) -> None:
    found = evaluate(ECOLE, at(instant))
    assert (found.occupied, found.since, found.until) == (occupied, at(since), at(until))
    assert found.reason == reason
    assert found.bounded


def test_hours_over_midnight_belong_to_the_day_they_start_on() -> None:
    closed_sunday = Calendar("x", (Period(date(2026, 11, 15), date(2026, 11, 15), "Dimanche"),))
    closed_saturday = Calendar("x", (Period(date(2026, 11, 14), date(2026, 11, 14), "Samedi"),))
    weekly = parse_weekly({"sat": "22:00-02:00"})
    assert evaluate(Occupancy("a", weekly, (closed_sunday,), (), ZONE), at("2026-11-15T01:00")).occupied
    assert not evaluate(Occupancy("b", weekly, (closed_saturday,), (), ZONE), at("2026-11-15T01:00")).occupied


def test_the_first_written_exception_wins() -> None:
    day = date(2026, 11, 14)
    meeting, works = DatedException(day, EVENING, True, "Fete"), DatedException(day, None, False, "Travaux")
    assert evaluate(Occupancy("a", {}, (), (meeting, works), ZONE), at("2026-11-14T19:00")).occupied
    assert not evaluate(Occupancy("b", {}, (), (works, meeting), ZONE), at("2026-11-14T19:00")).occupied


def test_touching_presences_are_one_and_name_both_reasons() -> None:
    meeting = DatedException(date(2026, 11, 9), Interval(time(17), time(20)), True, "Conseil")
    hall = Occupancy("x", parse_weekly({"mon": "08:00-17:30"}), (), (meeting,), ZONE)
    found = evaluate(hall, at("2026-11-09T19:00"))
    assert (found.since, found.until) == (at("2026-11-09T08:00"), at("2026-11-09T20:00"))
    assert found.reason == "weekly mon 08:00-17:30, dated: Conseil"


@pytest.mark.parametrize(
    ("interval", "day", "start", "end"),
    [
        # 2026-03-29 has no 02:00-03:00; 2026-10-25 has it twice and the first counts
        ("01:00-02:30", "2026-03-29", (0, 0), (1, 0)),
        ("02:30-04:00", "2026-03-29", (1, 0), (2, 0)),
        ("01:00-02:30", "2026-10-25", (-1, 0), (0, 30)),
        ("02:30-03:00", "2026-10-25", (0, 30), (2, 0)),
        ("00:00-24:00", "2026-10-25", (-2, 0), (23, 0)),
    ],
)
def test_hours_on_the_days_of_the_clock_change(
    interval: str, day: str, start: tuple[int, int], end: tuple[int, int]
) -> None:
    hall = Occupancy("x", parse_weekly({"sun": interval}), (), (), ZONE)
    midnight_utc = datetime.fromisoformat(day).replace(tzinfo=UTC)
    opens = midnight_utc + timedelta(hours=start[0], minutes=start[1])
    closes = midnight_utc + timedelta(hours=end[0], minutes=end[1])
    found = evaluate(hall, opens)
    assert (found.occupied, found.since, found.until) == (True, opens, closes)


def test_hours_that_fall_into_the_gap_do_not_happen() -> None:
    hall = Occupancy("x", parse_weekly({"sun": "02:10-02:50"}), (), (), ZONE)
    found = evaluate(hall, at("2026-03-29T01:00"))
    assert not found.occupied
    assert found.until == at("2026-04-05T02:10")


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        ("2026-11-09T07:00", "2026-11-09T08:00"),
        ("2026-11-09T08:00", "2026-11-09T13:30"),
        ("2026-11-13T17:30", "2026-11-14T22:00"),
        ("2026-12-26T02:00", "2027-01-04T08:00"),
    ],
)
def test_the_next_opening(instant: str, opening: str) -> None:
    assert next_opening(ECOLE, at(instant)) == at(opening)


def test_a_building_without_hours_is_vacant_to_the_horizon() -> None:
    empty = Occupancy("x", {}, (), (), ZONE)
    found = evaluate(empty, at("2026-11-09T07:00"))
    assert not found.occupied
    assert not found.bounded
    assert found.since < at("2026-11-09T07:00") - timedelta(days=HORIZON_DAYS - 1)
    assert found.until > at("2026-11-09T07:00") + timedelta(days=HORIZON_DAYS - 1)
    assert next_opening(empty, at("2026-11-09T07:00")) is None


def test_a_building_that_never_closes_has_no_next_opening() -> None:
    always = Occupancy("x", parse_weekly({"mon-sun": "00:00-24:00"}), (), (), ZONE)
    assert evaluate(always, at("2026-11-09T07:00")).occupied
    assert evaluate(always, at("2026-11-09T07:00")).reason == "weekly mon-sun 00:00-24:00"
    assert next_opening(always, at("2026-11-09T07:00")) is None


@pytest.mark.parametrize(
    ("weekly", "word", "said"),
    [
        ({"mon-fry": ["08:00-17:30"]}, "mon-fry", "no weekday"),
        ({"mon": ["8h-17h"]}, "8h-17h", "no interval"),
        ({"mon": ["08:00-25:00"]}, "08:00-25:00", "00 to 23"),
        ({"mon": ["24:00-08:00"]}, "24:00-08:00", "00 to 23"),
        ({"mon": ["08:00-08:00"]}, "08:00-08:00", "ends when it starts"),
        ({"mon-fri": ["08:00-17:30"], "wed": ["08:00-12:00"]}, "wed", "wed a second time"),
    ],
)
def test_weekly_hours_that_cannot_be_read(weekly: dict[str, list[str]], word: str, said: str) -> None:
    with pytest.raises(OccupancyError, match=said) as caught:
        parse_weekly(weekly)
    assert caught.value.word == word


@pytest.mark.parametrize("text", ["08:00-17:30", "22:00-02:00", "00:00-24:00", "18:00-24:00"])
def test_an_interval_reads_back(text: str) -> None:
    assert str(parse_interval(text)) == text


half_hours = st.integers(0, 47).map(lambda n: time(n // 2, n % 2 * 30))
weeklies = st.dictionaries(
    st.integers(0, 6),
    st.lists(st.builds(Interval, half_hours, half_hours), min_size=1, max_size=3).map(tuple),
    min_size=1,
)
START = datetime(2026, 10, 1, tzinfo=UTC)


@settings(max_examples=50)
@given(weeklies, st.integers(0, 200 * 1440), st.floats(0, 0.99))
def test_a_presence_holds_from_since_to_until(
    weekly: dict[int, tuple[Interval, ...]], minutes: int, share: float
) -> None:
    hall = Occupancy("x", weekly, (FERIES, VACANCES), ECOLE.exceptions, ZONE)
    instant = START + timedelta(minutes=minutes)
    found = evaluate(hall, instant)
    assert found.since <= instant < found.until
    if found.until - found.since < timedelta(days=30):
        assert evaluate(hall, found.since + (found.until - found.since) * share) == found
        assert evaluate(hall, found.until).occupied is not found.occupied
        assert evaluate(hall, found.until).since == found.until
