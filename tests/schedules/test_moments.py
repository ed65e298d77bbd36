"""Words for an instant of the night: grammar, round trip, daylight saving by rule, resolution."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules import sun
from schedules.moments import (
    ClockTime,
    MomentError,
    Side,
    Solar,
    at_local,
    duration_text,
    night_of,
    noon,
    parse_moment,
    resolve,
)
from schedules.sun import Place, Polar

PARIS = Place(48.86, 2.35, ZoneInfo("Europe/Paris"))
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def utc(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment", "canonical"),
    [
        ("22:30", ClockTime(time(22, 30)), "22:30"),
        ("7:05", ClockTime(time(7, 5)), "07:05"),
        ("22:30:15", ClockTime(time(22, 30, 15)), "22:30:15"),
        (" 00:00 ", ClockTime(time(0)), "00:00"),
        ("sunset", Solar(Side.EVENING, -0.833), "sunset"),
        ("sunrise-10m", Solar(Side.MORNING, -0.833, timedelta(minutes=-10)), "sunrise-10m"),
        ("dusk", Solar(Side.EVENING, -6.0), "dusk"),
        ("dawn + 1h30m", Solar(Side.MORNING, -6.0, timedelta(minutes=90)), "dawn+1h30m"),
        ("dusk(-4)+90s", Solar(Side.EVENING, -4.0, timedelta(seconds=90)), "dusk(-4)+1m30s"),
        ("dawn(-4.5)", Solar(Side.MORNING, -4.5), "dawn(-4.5)"),
        ("dusk(2)", Solar(Side.EVENING, 2.0), "dusk(2)"),
        ("dusk(-6)", Solar(Side.EVENING, -6.0), "dusk"),
        ("sunset+90m", Solar(Side.EVENING, -0.833, timedelta(minutes=90)), "sunset+1h30m"),
        ("sunset+0m", Solar(Side.EVENING, -0.833), "sunset"),
    ],
)
def test_a_moment_is_read_and_written(text: str, moment: ClockTime | Solar, canonical: str) -> None:
    assert parse_moment(text) == moment
    assert str(moment) == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "allowed"),
        ("noon", "allowed"),
        ("22h30", "allowed"),
        ("sunset+", "allowed"),
        ("sunset+10", "allowed"),
        ("sunset 10m", "allowed"),
        ("sunset+10m5h", "allowed"),
        ("22:30+10m", "allowed"),
        ("dusk()", "allowed"),
        ("-05:00", "allowed"),
        ("24:00", "00 to 23"),
        ("12:60", "00 to 59"),
        ("sunset(-3)", "only dusk and dawn"),
        ("dusk(-19)", "-18 and 18"),
        ("dusk+13h", "12h"),
    ],
)
def test_what_is_no_moment_is_refused_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(MomentError, match=said):
        parse_moment(text)


clock_times = st.builds(ClockTime, st.times().map(lambda t: t.replace(microsecond=0)))
solars = st.builds(
    Solar,
    st.sampled_from(Side),
    st.one_of(st.sampled_from([-0.833, -6.0]), st.integers(-180, 180).map(lambda tenths: tenths / 10)),
    st.integers(-43_200, 43_200).map(lambda seconds: timedelta(seconds=seconds)),
)


@given(st.one_of(clock_times, solars))
def test_the_canonical_text_reads_back_to_the_same_moment(moment: ClockTime | Solar) -> None:
    assert parse_moment(str(moment)) == moment


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        # Europe/Paris 2026-03-29: 02:00 CET -> 03:00 CEST at 01:00 UTC
        ("Europe/Paris", date(2026, 3, 29), time(1, 59, 59), utc(2026, 3, 29, 0, 59, 59)),
        ("Europe/Paris", date(2026, 3, 29), time(2, 0), utc(2026, 3, 29, 1)),
        ("Europe/Paris", date(2026, 3, 29), time(2, 30), utc(2026, 3, 29, 1)),
        ("Europe/Paris", date(2026, 3, 29), time(2, 59, 59), utc(2026, 3, 29, 1)),
        ("Europe/Paris", date(2026, 3, 29), time(3, 0), utc(2026, 3, 29, 1)),
        # 2026-10-25: 03:00 CEST -> 02:00 CET at 01:00 UTC; the first 02:30 counts
        ("Europe/Paris", date(2026, 10, 25), time(1, 59, 59), utc(2026, 10, 24, 23, 59, 59)),
        ("Europe/Paris", date(2026, 10, 25), time(2, 0), utc(2026, 10, 25, 0)),
        ("Europe/Paris", date(2026, 10, 25), time(2, 30), utc(2026, 10, 25, 0, 30)),
        ("Europe/Paris", date(2026, 10, 25), time(3, 0), utc(2026, 10, 25, 2)),
        # Lord Howe moves by half an hour: 2026-10-04 02:00 +10:30 -> 02:30 +11:00 at 15:30 UTC of the 3rd
        ("Australia/Lord_Howe", date(2026, 10, 4), time(1, 59), utc(2026, 10, 3, 15, 29)),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), utc(2026, 10, 3, 15, 30)),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 30), utc(2026, 10, 3, 15, 30)),
        # 2026-04-05: 02:00 +11:00 -> 01:30 +10:30 at 15:00 UTC of the 4th
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), utc(2026, 4, 4, 14, 45)),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(2, 0), utc(2026, 4, 4, 15, 30)),
        # a zone without daylight saving, and a gap of a whole day (Samoa left out 2011-12-30)
        ("Asia/Tokyo", date(2026, 3, 29), time(2, 30), utc(2026, 3, 28, 17, 30)),
        ("Pacific/Apia", date(2011, 12, 30), time(12, 0), utc(2011, 12, 30, 10)),
    ],
)
def test_daylight_saving_by_rule(zone: str, day: date, at: time, expected: datetime) -> None:
    assert at_local(day, at, ZoneInfo(zone)) == expected


@given(
    st.sampled_from(["Europe/Paris", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo", "Asia/Tokyo"]),
    st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    st.times(),
    st.times(),
)
def test_clock_times_keep_their_order(zone: str, day: date, one: time, other: time) -> None:
    early, late = sorted((one, other))
    assert at_local(day, early, ZoneInfo(zone)) <= at_local(day, late, ZoneInfo(zone))


@given(st.integers(0, 8 * 366 * 86_400).map(lambda s: utc(2024, 1, 1, 0) + timedelta(seconds=s)))
def test_every_instant_lies_in_exactly_one_night(at: datetime) -> None:
    for zone in (PARIS.zone, LORD_HOWE):
        night = night_of(at, zone)
        assert noon(night, zone) <= at < noon(night + timedelta(days=1), zone)


def test_a_clock_time_belongs_to_the_evening_or_the_morning_after() -> None:
    night = date(2026, 11, 21)
    assert resolve(ClockTime(time(12)), night, PARIS) == utc(2026, 11, 21, 11)
    assert resolve(ClockTime(time(22, 30)), night, PARIS) == utc(2026, 11, 21, 21, 30)
    assert resolve(ClockTime(time(11, 59)), night, PARIS) == utc(2026, 11, 22, 10, 59)


def test_a_solar_moment_is_the_crossing_and_its_offset() -> None:
    night = date(2026, 11, 21)
    sunset, dawn = sun.evening(night, PARIS, -0.833), sun.morning(night, PARIS, -4.5)
    assert isinstance(sunset, datetime)
    assert isinstance(dawn, datetime)
    assert resolve(parse_moment("sunset+10m"), night, PARIS) == sunset + timedelta(minutes=10)
    assert resolve(parse_moment("dawn(-4.5)-1h"), night, PARIS) == dawn - timedelta(hours=1)
    assert resolve(parse_moment("dawn(-4.5)"), night, PARIS) == dawn


def test_an_offset_stops_at_the_edge_of_the_night() -> None:
    night = date(2026, 11, 21)
    assert resolve(parse_moment("sunset-12h"), night, PARIS) == noon(night, PARIS.zone)
    assert resolve(parse_moment("sunrise+12h"), night, PARIS) == noon(night + timedelta(days=1), PARIS.zone)


def test_without_a_crossing_the_moment_says_why() -> None:
    north = Place(70.0, 20.0, ZoneInfo("Europe/Oslo"))
    assert resolve(parse_moment("sunset+10m"), date(2026, 6, 21), north) is Polar.ALWAYS_UP
    assert resolve(parse_moment("sunrise"), date(2026, 12, 21), north) is Polar.ALWAYS_DOWN


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59, "59s"), (90, "1m30s"), (3600, "1h"), (5430, "1h30m30s")])
def test_durations_read_as_they_are_written(seconds: int, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text
