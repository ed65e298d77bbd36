"""The sun against an ephemeris, and the polar regions as values; hours of light are in test_vectors.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import as_file, files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyfield import almanac
from skyfield.api import load, load_file, wgs84

from schedules.sun import CIVIL_DEG, SUNRISE_DEG, Place, Polar, elevation, evening, morning, solar_noon, solstices

UTC_ZONE = ZoneInfo("Etc/UTC")
PARIS = Place(48.86, 2.35, ZoneInfo("Europe/Paris"))
TROMSO = Place(69.65, 18.96, ZoneInfo("Europe/Oslo"))
TOLERANCE_S = 10.0


@pytest.fixture(scope="module")
def ephemeris() -> Iterator[Any]:
    """DE421 out of the wheel; only its Earth orientation tables, not used here, expire."""
    with as_file(files("skyfield_data") / "data" / "de421.bsp") as path:
        kernel = load_file(str(path))
        yield kernel
        kernel.close()


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=n) for n in range(366 if year % 4 == 0 else 365)]


@pytest.mark.parametrize("angle_deg", [SUNRISE_DEG, CIVIL_DEG])
@pytest.mark.parametrize(
    ("latitude", "longitude", "year"),
    [(0, 6.7, 2024), (-34.6, -0.5, 2031), (43.6, 1.44, 2027), (50.3, 2.78, 2026), (-55, 15, 2029), (60, 11, 2028)],
)
def test_a_whole_year_of_crossings_equals_the_ephemeris(
    ephemeris: Any, latitude: float, longitude: float, year: int, angle_deg: float
) -> None:
    scale = load.timescale(builtin=True)
    observer = ephemeris["earth"] + wgs84.latlon(latitude, longitude)
    span = scale.utc(year, 1, 1, 12), scale.utc(year + 1, 1, 1, 12)
    place = Place(latitude, longitude, UTC_ZONE)
    for find, crossing in ((almanac.find_settings, evening), (almanac.find_risings, morning)):
        times, real = find(observer, ephemeris["sun"], *span, horizon_degrees=angle_deg)
        assert all(real)
        ours = [crossing(day, place, angle_deg) for day in days_of(year)]
        assert len(times) == len(ours)
        for expected, found in zip(times.utc_datetime(), ours, strict=True):
            assert isinstance(found, datetime)
            assert abs((found - expected).total_seconds()) < TOLERANCE_S


@pytest.mark.parametrize(
    ("latitude", "day", "angle_deg", "expected"),
    [
        (70, date(2026, 6, 21), SUNRISE_DEG, Polar.ALWAYS_UP),
        (70, date(2026, 12, 21), SUNRISE_DEG, Polar.ALWAYS_DOWN),
        (-70, date(2026, 12, 21), SUNRISE_DEG, Polar.ALWAYS_UP),
        (-70, date(2026, 6, 21), SUNRISE_DEG, Polar.ALWAYS_DOWN),
        (61, date(2026, 6, 21), CIVIL_DEG, Polar.ALWAYS_UP),
        (90, date(2026, 7, 1), SUNRISE_DEG, Polar.ALWAYS_UP),
        (90, date(2026, 1, 1), SUNRISE_DEG, Polar.ALWAYS_DOWN),
        (-90, date(2026, 1, 1), CIVIL_DEG, Polar.ALWAYS_UP),
        (-90, date(2026, 7, 1), CIVIL_DEG, Polar.ALWAYS_DOWN),
    ],
)
def test_polar_day_and_night_are_values(latitude: float, day: date, angle_deg: float, expected: Polar) -> None:
    place = Place(latitude, 18.0, UTC_ZONE)
    assert evening(day, place, angle_deg) is expected
    assert morning(day, place, angle_deg) is expected


def test_civil_dusk_still_comes_on_a_polar_night_day() -> None:
    found = evening(date(2026, 12, 21), TROMSO, CIVIL_DEG)
    assert isinstance(found, datetime)
    assert 13 <= found.astimezone(TROMSO.zone).hour <= 15


@pytest.mark.parametrize("latitude", [65.0, 66.56, 67.4, 68.0, 70.0, 78.2, 85.0, 89.9, 90.0, -66.2, -90.0])
@pytest.mark.parametrize("angle_deg", [SUNRISE_DEG, CIVIL_DEG, 5.0])
def test_every_day_of_a_polar_year_has_an_answer_in_its_night(latitude: float, angle_deg: float) -> None:
    place = Place(latitude, 25.7, UTC_ZONE)
    for day in days_of(2028):
        noon, next_noon = solar_noon(day, place), solar_noon(day + timedelta(days=1), place)
        dusk, dawn = evening(day, place, angle_deg), morning(day, place, angle_deg)
        if isinstance(dusk, datetime):
            assert noon <= dusk <= noon + timedelta(hours=12, minutes=2)
        if isinstance(dawn, datetime):
            assert next_noon - timedelta(hours=12, minutes=2) <= dawn <= next_noon


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    day=st.dates(date(1970, 1, 1), date(2100, 1, 1)),
    angle_deg=st.floats(-18, 18),
)
def test_a_crossing_is_where_the_elevation_is_the_angle(
    latitude: float, longitude: float, day: date, angle_deg: float
) -> None:
    place = Place(latitude, longitude, UTC_ZONE)
    second = timedelta(seconds=1)
    for crossing, sign in ((evening, 1), (morning, -1)):
        found = crossing(day, place, angle_deg)
        if isinstance(found, datetime):
            assert elevation(found, place) == pytest.approx(angle_deg, abs=0.004)
            assert sign * elevation(found - second, place) >= sign * angle_deg - 1e-4
            assert sign * elevation(found + second, place) <= sign * angle_deg + 1e-4
        elif found is Polar.ALWAYS_UP:
            assert elevation(solar_noon(day, place) + timedelta(hours=12), place) >= angle_deg - 0.1
        else:
            assert elevation(solar_noon(day, place) + timedelta(hours=12), place) <= angle_deg + 0.1


@pytest.mark.parametrize(
    ("zone", "longitude"),
    [("Pacific/Kiritimati", -157.4), ("Pacific/Auckland", 174.8), ("Asia/Urumqi", 87.6), ("Asia/Shanghai", 75.9)],
)
def test_solar_noon_falls_on_its_local_date(zone: str, longitude: float) -> None:
    place = Place(10.0, longitude, ZoneInfo(zone))
    for day in days_of(2026):
        assert solar_noon(day, place).astimezone(place.zone).date() == day


def test_dusk_after_midnight_belongs_to_its_evening() -> None:
    helsinki = Place(60.17, 24.94, ZoneInfo("Europe/Helsinki"))
    found = evening(date(2026, 6, 21), helsinki, CIVIL_DEG)
    assert isinstance(found, datetime)
    assert found.astimezone(helsinki.zone).date() == date(2026, 6, 22)


def test_the_sun_at_the_equinox_is_overhead_at_the_equator() -> None:
    place = Place(0.0, 0.0, UTC_ZONE)
    assert elevation(solar_noon(date(2026, 3, 20), place), place) == pytest.approx(90.0, abs=0.2)


@pytest.mark.parametrize("year", [2020, 2026, 2035])
def test_solstices_equal_the_ephemeris(ephemeris: Any, year: int) -> None:
    scale = load.timescale(builtin=True)
    times, seasons = almanac.find_discrete(scale.utc(year), scale.utc(year + 1), almanac.seasons(ephemeris))
    expected = [at for at, season in zip(times.utc_datetime(), seasons, strict=True) if season in (1, 3)]
    for found, real in zip(solstices(year), expected, strict=True):
        assert abs(found - real) < timedelta(minutes=15)


def test_instants_are_utc_in_whole_seconds() -> None:
    found = evening(date(2026, 11, 21), PARIS, SUNRISE_DEG)
    assert isinstance(found, datetime)
    assert found.tzinfo is UTC
    assert found.microsecond == 0
